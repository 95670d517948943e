"""Python's own tests of executors for processes and of pools, run with those of Concurrent in their place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cpython.expected import FAILS, LEFT_OUT
from tests.cpython.runner import EXECUTOR_TESTS, POOL_TESTS
from tests.system.pythons import other_pythons, with_dependencies, works

RUN_WITHIN_S = 480.0  # on a machine that is very busy
pytestmark = [pytest.mark.system, pytest.mark.timeout(RUN_WITHIN_S + 120)]

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "tests" / "cpython" / "runner.py"


def python_with(tests: str, folder: Path) -> str:
    """Return an interpreter that has some tests and finds the framework; that of this run if it has them."""
    try:
        if find_spec(tests) is not None:
            return sys.executable
    except ModuleNotFoundError:  # an interpreter without any tests
        pass
    for python in reversed(other_pythons()):
        if works(python, f"import {tests}"):
            return with_checkout(with_dependencies(python, folder), folder)
    pytest.skip(f"no interpreter here has {tests}: install a Python with its tests")


def with_checkout(python: str, folder: Path) -> str:
    """Have each interpreter of an environment find this checkout when it starts, those with -I too."""
    (site,) = folder.glob("lib/python3*/site-packages")
    (site / "checkout.pth").write_text(f"{ROOT}\nimport concurrent_framework\n", encoding="utf-8")
    return python


@pytest.mark.parametrize(("what", "tests"), [("executor", EXECUTOR_TESTS), ("pool", POOL_TESTS)])
def test_they_pass_but_for_known_differences(what: str, tests: str, tmp_path: Path) -> None:
    python = python_with(tests, tmp_path / "python")
    results = tmp_path / "results.json"
    left_out = [name for names in LEFT_OUT[what].values() for name in names]
    done = subprocess.run(
        [python, RUNNER, what, results, *left_out],
        cwd=tmp_path,
        env={name: text for name, text in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes: dict[str, str] = json.loads(results.read_text(encoding="utf-8"))
    known = {name: why for why, names in FAILS[what].items() for name in names}
    failed = {name: outcome for name, outcome in outcomes.items() if outcome.startswith("failed")}
    assert {name: failed[name] for name in failed.keys() - known.keys()} == {}
    passed = {name for name, outcome in outcomes.items() if outcome == "passed"}
    assert {name: known[name] for name in passed & known.keys()} == {}
    assert len(passed) >= len(failed)
