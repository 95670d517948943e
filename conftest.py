"""What holds for every run: it tests this checkout, leaves long tests out unless asked, and has the slow begin.

Being here it also joins ``concurrent/`` of this checkout, so plain ``pytest`` works in an uninstalled clone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import concurrent_framework

ROOT = Path(__file__).resolve().parent

SLOW = (
    "tests/system/test_storm.py",
    "tests/system/test_strangers.py",
    "tests/system/test_durable_systems.py",
    "tests/system/test_machines.py",
    "tests/system/test_inherited_state.py",
    "tests/packaging/",
    "tests/system/",
    "tests/browser/",
    "tests/integration/",
)
"""What takes long, the slowest first. So no process is left with a long test when the others have ended."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of a long run."""
    parser.addoption(
        "--long",
        action="store_true",
        help="run also the tests marked as long, and the others with as many repetitions as they have",
    )


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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is too long for every run, and put what is slow first."""
    if not config.getoption("--long"):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Return which of the slow ones a test belongs to; the others come last, in the order of their files."""
    return next((place for place, name in enumerate(SLOW) if item.nodeid.startswith(name)), len(SLOW))
