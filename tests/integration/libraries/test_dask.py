"""Graphs of Dask on a cluster, which needs nothing but to be given one."""

from __future__ import annotations

import os

import pytest

dask = pytest.importorskip("dask")
array, bag = pytest.importorskip("dask.array"), pytest.importorskip("dask.bag")  # the former with NumPy

from concurrent.apps import LocalCluster
from concurrent.core.errors import TaskTimeout
from tests.integration.apps.workloads import hold, square
from tests.system.cluster import Gate


def fail(_: object) -> None:
    raise ValueError("this one fails")


def test_arrays_bags_and_calls_are_computed_on_the_workers(local_cluster: LocalCluster) -> None:
    with dask.config.set(scheduler=local_cluster):
        assert array.ones((100, 100), chunks=(10, 100)).sum().compute() == 10_000
        assert bag.from_sequence(range(10), npartitions=3).map(square).sum().compute() == 285
        assert dask.delayed(os.getpid)().compute() != os.getpid()


@pytest.mark.parametrize("name", ["scheduler", "pool"])
def test_a_view_is_given_in_the_same_ways(local_cluster: LocalCluster, gate: Gate, name: str) -> None:
    quick = local_cluster.options(timeout_s=0.3)
    with dask.config.set({name: quick}), pytest.raises(TaskTimeout):
        dask.delayed(hold)(gate.port).compute()


def test_an_error_is_itself_and_what_is_unfinished_ends_with_the_view(
    local_cluster: LocalCluster, gate: Gate
) -> None:
    held = dask.delayed(hold)(gate.port)
    failing = [dask.delayed(fail)(dask.delayed(square)(number)) for number in range(4)]
    fails = pytest.raises(ValueError, match="this one fails")
    with fails, local_cluster.options() as view, dask.config.set(scheduler=view):
        dask.compute(held, *failing)
    assert local_cluster.submit(square, 3).result(30) == 9  # the gate is still closed
