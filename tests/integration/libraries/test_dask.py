"""Graphs of Dask on a cluster: Dask is given one as it is, or by the adapter."""

from __future__ import annotations

import os

import pytest

dask = pytest.importorskip("dask")
array, bag = pytest.importorskip("dask.array"), pytest.importorskip("dask.bag")  # the former with NumPy

from concurrent.apps import LocalCluster
from concurrent.apps.integrations.dask import dask_on
from concurrent.core.errors import TaskTimeout
from concurrent.scheduling import current_task
from tests.integration.apps.workloads import hold, square
from tests.system.cluster import Gate


def fail(_: object) -> None:
    raise ValueError("this one fails")


def name_of_task(_: object = None) -> str:
    return current_task().name


def test_arrays_bags_and_calls_are_computed_on_the_workers(local_cluster: LocalCluster) -> None:
    for way in (dask.config.set(scheduler=local_cluster), dask_on(local_cluster)):
        with way:
            assert array.ones((100, 100), chunks=(10, 100)).sum().compute() == 10_000
            assert bag.from_sequence(range(10), npartitions=3).map(square).sum().compute() == 285
            assert dask.delayed(os.getpid)().compute() != os.getpid()


def test_tasks_are_named_after_the_parts_of_the_graph(local_cluster: LocalCluster) -> None:
    with dask_on(local_cluster):
        first = dask.delayed(name_of_task)()
        assert dask.compute(first, dask.delayed(name_of_task)(first)) == ("name_of_task", "name_of_task")


@pytest.mark.parametrize("name", ["scheduler", "pool"])
def test_a_view_is_given_in_the_same_ways(local_cluster: LocalCluster, gate: Gate, name: str) -> None:
    quick = local_cluster.options(timeout_s=0.3)
    with dask.config.set({name: quick}), pytest.raises(TaskTimeout):
        dask.delayed(hold)(gate.port).compute()


def test_an_error_is_itself_and_what_is_unfinished_ends_with_the_block(
    local_cluster: LocalCluster, gate: Gate
) -> None:
    held = dask.delayed(hold)(gate.port)
    failing = [dask.delayed(fail)(dask.delayed(square)(number)) for number in range(4)]
    with pytest.raises(ValueError, match="this one fails"), dask_on(local_cluster):
        dask.compute(held, *failing)
    assert local_cluster.submit(square, 3).result(30) == 9  # the gate is still closed


def test_the_view_of_a_cluster_asks_for_something_with_each_part(
    local_cluster: LocalCluster, gate: Gate
) -> None:
    with dask_on(local_cluster.options(timeout_s=0.3)), pytest.raises(TaskTimeout):
        dask.delayed(hold)(gate.port).compute()
