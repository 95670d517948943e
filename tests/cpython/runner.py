"""Runs the tests that an interpreter has for its own pools against those of Concurrent.

``python runner.py executor|pool RESULTS [NAME ...]`` is a program for the interpreter that has the tests. It
leaves out the tests that are named, and writes a JSON object: what became of each other test.
"""

from __future__ import annotations

import concurrent.futures.process
import importlib
import json
import multiprocessing
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from concurrent.apps import LocalCluster, Pool
from concurrent.apps.embedded import PRELOAD

EXECUTOR_TESTS = "test.test_concurrent_futures"
EXECUTOR_MODULES = ("as_completed", "deadlock", "init", "process_pool", "shutdown", "wait")
POOL_TESTS = "test._test_multiprocessing"
KIND = "ProcessPoolSpawn"
POOL_CLASSES = ("_TestPool", "_TestPoolWorkerErrors", "_TestPoolWorkerLifetime")
SUBSTITUTE = (
    f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import runner; runner.substitute()\n"
)


class ProcessPoolExecutor(LocalCluster):
    """Takes the place of the standard library's. How its processes begin is not to be chosen."""

    def __init__(self, *args: Any, mp_context: object = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


def substitute() -> None:
    """Have the standard library's names mean ours."""
    concurrent.futures.ProcessPoolExecutor = ProcessPoolExecutor  # type: ignore[misc]
    multiprocessing.Pool = Pool  # type: ignore[assignment]


def executor_tests() -> Iterator[type[unittest.TestCase]]:
    """Yield the tests of executors, which are one module before Python 3.12, and a package since."""
    package = importlib.import_module(EXECUTOR_TESTS)
    modules = [package]
    if hasattr(package, "__path__"):
        modules = [importlib.import_module(f"{EXECUTOR_TESTS}.test_{name}") for name in EXECUTOR_MODULES]
    for module in modules:
        substitute_in_children(module)
        names = [name for name in dir(module) if name.startswith(KIND) and name.endswith("Test")]
        yield from (getattr(module, name) for name in names)


def pool_tests() -> Iterator[type[unittest.TestCase]]:
    """Yield the tests of pools, for pools of processes."""
    module = importlib.import_module(POOL_TESTS)
    substitute_in_children(importlib.import_module("test.support.script_helper"))
    for name in POOL_CLASSES:
        members = {"TYPE": "processes", "Pool": staticmethod(Pool), "__module__": POOL_TESTS}
        made = type(KIND + name, (getattr(module, name), unittest.TestCase), members)
        setattr(module, made.__name__, made)  # for workers import it
        yield made


def substitute_in_children(module: Any) -> None:
    """Have the programs that a module starts substitute too."""
    run = getattr(module, "assert_python_ok", None)
    if run is not None:
        module.assert_python_ok = lambda option, text, **kwargs: run(option, SUBSTITUTE + text, **kwargs)


class Outcomes(unittest.TestResult):
    """What became of each test: ``passed``, ``skipped``, or what it failed with."""

    def __init__(self) -> None:
        super().__init__()
        self.by_name: dict[str, str] = {}

    def addSuccess(self, test: unittest.TestCase) -> None:
        """Note that a test passed."""
        self.by_name[name_of(test)] = "passed"

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        """Note that a test failed."""
        self.by_name[name_of(test)] = f"failed: {err[0].__name__}: {err[1]}"

    addFailure = addError  # noqa: N815  as the base calls it

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        """Note that a test cannot run here."""
        self.by_name[name_of(test)] = "skipped"


def name_of(test: unittest.TestCase) -> str:
    """Return the name of a test, with that of its class."""
    return f"{type(test).__name__.removeprefix(KIND)}.{test._testMethodName}"


def main(what: str, results: str, *left_out: str) -> None:
    """Run the tests."""
    for name in PRELOAD:  # so that each cluster is forked with them
        importlib.import_module(name)
    support = importlib.import_module("test.support")
    helper = getattr(support, "threading_helper", None) or importlib.import_module(
        "test.support.threading_helper"
    )
    helper.threading_cleanup = lambda *_seen: None  # it waits for threads of tests that have failed
    substitute()
    outcomes = Outcomes()
    tests = unittest.TestSuite()
    for case in executor_tests() if what == "executor" else pool_tests():
        loaded = unittest.defaultTestLoader.loadTestsFromTestCase(case)
        tests.addTest(unittest.TestSuite(test for test in loaded if name_of(test) not in left_out))
    tests.run(outcomes)
    Path(results).write_text(json.dumps(outcomes.by_name), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
