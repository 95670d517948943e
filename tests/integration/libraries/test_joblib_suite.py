"""joblib's own tests of ``Parallel``, run on a cluster from the installed package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("joblib")

ROOT = Path(__file__).resolve().parents[3]
RUN_WITHIN_S = 400

LEFT_OUT = ("with_unpicklable_functions", "interactively_defined_functions")
"""Tests that start programs, which would have to import the backend, and give them ten seconds."""

FORKED = "a forked copy of a program cannot use its cluster"
UNKNOWN = "processes of other backends have not imported the backend, so they do not know its name"
INITIALIZER = "a cluster is given its initializer when it is made"
MEMMAP = "arrays are not in files"
EXPECTED_FAILURES = {
    "test_auto_memmap_on_arrays_from_generator[concurrent]": MEMMAP,
    "test_backend_nesting_level[parallel_backend-concurrent-loky]": UNKNOWN,
    "test_backend_nesting_level[parallel_config-concurrent-loky]": UNKNOWN,
    "test_initializer_context[parallel_backend-concurrent-2]": INITIALIZER,
    "test_initializer_context[parallel_backend-concurrent-4]": INITIALIZER,
    "test_initializer_context[parallel_config-concurrent-2]": INITIALIZER,
    "test_initializer_context[parallel_config-concurrent-4]": INITIALIZER,
    "test_initializer_parallel[concurrent-2]": INITIALIZER,
    "test_initializer_parallel[concurrent-4]": INITIALIZER,
    "test_memmapping_leaks[concurrent]": MEMMAP,
    "test_nested_loop[back_compat_backend-concurrent]": UNKNOWN,
    "test_nested_loop[loky-concurrent]": UNKNOWN,
    "test_nested_loop[multiprocessing-concurrent]": FORKED,
}
"""What fails, and why that is right."""

SELECTED = " and not ".join(("concurrent", *LEFT_OUT))


@pytest.mark.system
@pytest.mark.timeout(RUN_WITHIN_S + 20)
def test_the_tests_of_joblib_pass_but_for_a_short_list(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    outcomes = tmp_path / "outcomes.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-W", "ignore", "-k", SELECTED, "--timeout", "60"),
            *("-c", tmp_path / "pytest.ini", "--rootdir", tmp_path, "--basetemp", tmp_path / "temp"),
            *("--noconftest", "-p", "no:cacheprovider", "-p", "tests.integration.libraries.joblibplugin"),
            *("--pyargs", "joblib.test.test_parallel"),
        ],
        cwd=tmp_path,
        env={**os.environ, "OUTCOMES": str(outcomes), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )
    assert outcomes.exists(), done.stdout + done.stderr
    found = json.loads(outcomes.read_text(encoding="utf-8"))
    assert len(found["passed"]) > 100, done.stdout
    assert sorted(found["failed"]) == sorted(EXPECTED_FAILURES), done.stdout
