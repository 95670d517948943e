"""What integrations refuse: a library that is not installed, and clusters that they cannot use."""

from __future__ import annotations

import importlib
import sys

import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor
from concurrent.apps.integrations.clusters import check_cluster, cluster_of
from concurrent.core.errors import SchedulingError


@pytest.mark.parametrize(("library", "imported"), [("joblib", "joblib.parallel"), ("dask", "dask.utils")])
def test_an_integration_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, library: str, imported: str
) -> None:
    module = f"concurrent.apps.integrations.{library}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, imported, None)  # as if it were not there
    with pytest.raises(ImportError) as caught:
        importlib.import_module(module)
    assert f'pip install "concurrent-framework[{library}]"' in str(caught.value)
    assert caught.value.name == imported


def test_what_is_no_cluster_is_refused_and_so_is_one_with_a_job() -> None:
    with pytest.raises(TypeError, match="HOST:PORT"):
        check_cluster(print)
    with ClusterExecutor(f"127.0.0.1:{free_port()}", job="sweep") as executor:
        view = executor.options(priority=1)
        assert cluster_of(view) is cluster_of(executor) is executor
        for each in (executor, view):
            with pytest.raises(SchedulingError, match="with a job"):
                check_cluster(each)
