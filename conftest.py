"""Joins ``concurrent/`` of this checkout, so that plain ``pytest`` works in an uninstalled clone."""

from pathlib import Path

import pytest

import concurrent_framework

ROOT = Path(__file__).resolve().parent


def pytest_configure() -> None:
    """Refuse to test another copy than this checkout: such a run would prove nothing."""
    joined = Path(concurrent_framework.__file__).resolve().parent
    if joined != ROOT:
        raise pytest.UsageError(
            f"this Python imports Concurrent from {joined}, but the tests are those of {ROOT}; "
            "run 'pip install -e .' in the checkout or 'pip uninstall concurrent-framework'"
        )
