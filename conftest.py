"""Joins ``concurrent/`` of this checkout, so that plain ``pytest`` works in an uninstalled clone."""

import os
import sys
from pathlib import Path

import pytest

import concurrent_framework

ROOT = Path(__file__).resolve().parent


def pytest_configure() -> None:
    """Keep what is compiled, and refuse to test another copy than this checkout, which would prove nothing.

    Tests start nodes by the thousand. Each of them would compile all modules if no bytecode were kept.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    joined = Path(concurrent_framework.__file__).resolve().parent
    if joined != ROOT:
        raise pytest.UsageError(
            f"this Python imports Concurrent from {joined}, but the tests are those of {ROOT}; "
            "run 'pip install -e .' in the checkout or 'pip uninstall concurrent-framework'"
        )
