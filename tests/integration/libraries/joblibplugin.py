"""A plug-in of pytest that has joblib's own tests try the backend too, where they try those of processes.

It is loaded in a pytest of its own, with ``-p``; see ``test_joblib_suite.py``. What fails is written to the
file that the environment variable ``OUTCOMES`` names, as JSON: lists of the names of tests, by their outcome.
"""

from __future__ import annotations

import json
import os
from typing import Any

import joblib
import pytest

from concurrent.apps import LocalCluster
from concurrent.apps.integrations import joblib as integration

cluster = LocalCluster(2)
outcomes: dict[str, list[str]] = {"passed": [], "failed": [], "skipped": []}


class ConcurrentBackend(integration.ConcurrentBackend):
    """The backend on one cluster: joblib's tests name it, and give it none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cluster, **options)


joblib.register_parallel_backend("concurrent", ConcurrentBackend)


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Add the backend to the lists of backends that tests are run with: they are joblib's own objects."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        backends = mark.args[1]
        if type(backends) is list and "loky" in backends and "concurrent" not in backends:
            backends.append("concurrent")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note the outcome of a test, or of its preparation if that fails."""
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.outcome].append(report.nodeid.rpartition("::")[2])


def pytest_unconfigure() -> None:
    """Write what was noted, and end the cluster."""
    with open(os.environ["OUTCOMES"], "w", encoding="utf-8") as file:
        json.dump(outcomes, file)
    cluster.shutdown(cancel_futures=True)
