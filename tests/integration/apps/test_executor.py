"""Clusters as executors: the contract of ``concurrent.futures``, and what goes beyond it."""

from __future__ import annotations

import json
import operator
import os
import signal
import threading
import time
from concurrent.futures import CancelledError, Executor, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import psutil
import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import (
    ConfigurationError,
    NodeError,
    SchedulingError,
    TaskError,
    UnpicklableResult,
    WorkerDied,
)
from concurrent.scheduling.owner.taskclient import TaskClient
from tests.integration.apps import workloads
from tests.local import fetch
from tests.system.cluster import Gate, kill, wait_until

TIMEOUT_S = 30.0
SLOW_END_S = 10.0
"""Less than the time after which a cluster that does not end is killed."""

MIB = 1 << 20


def test_a_cluster_is_an_executor(local_cluster: LocalCluster) -> None:
    assert isinstance(local_cluster, Executor)
    assert local_cluster.submit(pow, 2, 10).result(TIMEOUT_S) == 1024
    assert local_cluster.submit(int, "12", base=7).result(TIMEOUT_S) == 9


def test_functions_of_own_modules_and_closures_travel(local_cluster: LocalCluster) -> None:
    offset = 5
    assert local_cluster.submit(workloads.square, 7).result(TIMEOUT_S) == 49
    assert local_cluster.submit(lambda number: number + offset, 1).result(TIMEOUT_S) == 6


def test_the_number_of_workers_is_known(local_cluster: LocalCluster) -> None:
    local_cluster.submit(pow, 2, 2).result(TIMEOUT_S)
    assert local_cluster.workers == 2


@pytest.mark.parametrize("chunksize", [1, 7, 1000])
def test_map_keeps_the_order(local_cluster: LocalCluster, chunksize: int) -> None:
    results = local_cluster.map(workloads.add, range(100), range(100), chunksize=chunksize, timeout=TIMEOUT_S)
    assert list(results) == [2 * number for number in range(100)]


def test_map_stops_with_the_shortest_iterable_and_knows_empty_ones(local_cluster: LocalCluster) -> None:
    assert list(local_cluster.map(workloads.add, [1, 2, 3], [1], chunksize=2)) == [2]
    assert list(local_cluster.map(workloads.square, [])) == []
    with pytest.raises(ValueError, match="chunksize"):
        local_cluster.map(workloads.square, [1], chunksize=0)


def test_only_the_call_of_a_chunk_that_kills_its_worker_is_to_blame(local_cluster: LocalCluster) -> None:
    results = local_cluster.map(workloads.square_or_die, range(8), chunksize=8)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    with pytest.raises(WorkerDied):
        next(results)


def test_an_exception_in_a_chunk_is_that_of_its_call(local_cluster: LocalCluster) -> None:
    results = local_cluster.map(operator.truediv, [1, 1, 1, 1], [1, 1, 0, 1], chunksize=2)
    assert [next(results), next(results)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_a_chunk_that_is_not_asked_for_any_more_is_cancelled(local_cluster: LocalCluster, gate: Gate) -> None:
    results = local_cluster.map(workloads.hold, [gate.port] * 4, chunksize=2, timeout=0.2)
    gate.wait_for(2)
    with pytest.raises(FutureTimeoutError):  # not the builtin one before Python 3.11
        next(results)
    assert local_cluster.submit(pow, 2, 3).result(TIMEOUT_S) == 8


def test_an_error_in_one_call_of_map_comes_when_its_result_is_asked_for(local_cluster: LocalCluster) -> None:
    results = local_cluster.map(operator.truediv, [1, 1, 1], [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_an_exception_is_itself_with_the_remote_traceback_as_its_cause(local_cluster: LocalCluster) -> None:
    error = local_cluster.submit(workloads.fail, "nothing there").exception(TIMEOUT_S)
    assert type(error) is LookupError
    assert error.args == ("nothing there",)
    assert isinstance(error.__cause__, TaskError)
    assert "raise LookupError(text)" in error.__cause__.traceback
    assert "workloads.py" in str(error.__cause__) + error.__cause__.traceback


def test_a_call_that_kills_its_workers_fails_with_evidence(local_cluster: LocalCluster) -> None:
    error = local_cluster.submit(workloads.die).exception(TIMEOUT_S)
    assert isinstance(error, WorkerDied)
    assert len(error.evidence) == 3
    assert all("SIGKILL" in line for line in error.evidence)
    assert local_cluster.submit(pow, 2, 3).result(TIMEOUT_S) == 8


def test_what_can_not_be_pickled_is_an_error_of_that_call(local_cluster: LocalCluster) -> None:
    lock = threading.Lock()
    error = local_cluster.submit(str, lock).exception(TIMEOUT_S)
    assert isinstance(error, SchedulingError)
    assert "cannot be pickled" in str(error)
    error = local_cluster.submit(workloads.lock).exception(TIMEOUT_S)
    assert isinstance(error, UnpicklableResult)


def test_large_arguments_and_results_arrive_whole(local_cluster: LocalCluster) -> None:
    data = bytes(range(256)) * (8 * MIB // 256)
    size, copy = local_cluster.submit(workloads.size_and_copy, data).result(TIMEOUT_S)
    assert size == len(data)
    assert copy == data


def test_ten_thousand_tiny_calls_each_have_their_result(local_cluster: LocalCluster) -> None:
    assert list(local_cluster.map(workloads.square, range(10_000))) == [n * n for n in range(10_000)]


def test_any_thread_may_submit(local_cluster: LocalCluster) -> None:
    results: dict[int, list[int]] = {}

    def use(first: int) -> None:
        results[first] = list(local_cluster.map(workloads.square, range(first, first + 200)))

    threads = [threading.Thread(target=use, args=(first,)) for first in range(0, 2000, 500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert results == {first: [n * n for n in range(first, first + 200)] for first in range(0, 2000, 500)}


def test_cancelling_a_call_that_runs_frees_its_worker(local_cluster: LocalCluster, gate: Gate) -> None:
    future = local_cluster.submit(workloads.hold, gate.port)
    (pid,) = gate.wait_for(1)
    assert future.cancel()
    assert future.cancelled()
    with pytest.raises(CancelledError):
        future.result(0)
    wait_until(lambda: not psutil.pid_exists(pid), "the worker is stopped")
    assert local_cluster.submit(pow, 2, 3).result(TIMEOUT_S) == 8


def test_a_call_that_has_run_for_a_while_is_running_until_it_ends(
    local_cluster: LocalCluster, gate: Gate
) -> None:
    future = local_cluster.submit(workloads.hold, gate.port)
    gate.wait_for(1)
    wait_until(future.running, "it is known to run")
    waiting = [local_cluster.submit(workloads.hold, gate.port) for _ in range(50)][-1]
    assert not waiting.running()
    gate.open()
    future.result(TIMEOUT_S)
    assert not future.running()


def test_a_call_that_is_known_to_run_can_be_cancelled(local_cluster: LocalCluster, gate: Gate) -> None:
    future = local_cluster.submit(workloads.hold, gate.port)
    (pid,) = gate.wait_for(1)
    wait_until(future.running, "it is known to run")
    assert future.cancel()
    assert (future.running(), future.cancelled()) == (False, True)
    wait_until(lambda: not psutil.pid_exists(pid), "the worker is stopped")


def test_the_workers_can_be_counted_at_once() -> None:
    with LocalCluster(workers=1) as cluster:
        assert cluster.workers in (0, 1)


def test_when_its_cluster_dies_everything_fails_at_once(gate: Gate) -> None:
    with LocalCluster(workers=1, own_modules=["tests"]) as cluster:
        futures = [cluster.submit(workloads.hold, gate.port) for _ in range(3)]
        gate.wait_for(1)
        kill(json.loads(fetch(cluster.address, "/ping").body)["pid"])
        for future in futures:
            with pytest.raises(NodeError, match="the embedded cluster was killed by SIGKILL"):
                future.result(TIMEOUT_S)
        with pytest.raises(NodeError, match="Make a new LocalCluster"):
            cluster.submit(pow, 2, 3)


def test_what_is_submitted_while_it_is_shut_down_fails() -> None:
    class Late:
        """Shuts the executor down while it is pickled."""

        def __reduce__(self) -> tuple[type, tuple[()]]:
            executor.shutdown(wait=False, cancel_futures=True)
            return int, ()

    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    future = executor.submit(abs, Late())
    assert future.cancelled()
    executor.shutdown()


def test_shutdown_cancels_everything_with_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    cancel = TaskClient.cancel

    def counted(client: TaskClient, ids: list[int], grace_s: float = 0.0) -> None:
        calls.append(len(ids))
        cancel(client, ids, grace_s)

    monkeypatch.setattr(TaskClient, "cancel", counted)
    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    futures = [executor.submit(pow, 2, 3) for _ in range(1000)]
    executor.shutdown(cancel_futures=True)
    assert calls == [1000]
    assert all(future.cancelled() for future in futures)
    assert futures[0].cancel()


def test_an_executor_that_can_not_be_made_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    with pytest.raises(ConfigurationError, match="silence_s"):
        ClusterExecutor("127.0.0.1:1", options={"transport.heartbeat_s": "20"})
    assert set(threading.enumerate()) <= before


def test_after_shutdown_nothing_is_taken() -> None:
    cluster = LocalCluster(workers=1)
    future = cluster.submit(pow, 2, 3)
    cluster.shutdown()
    assert future.result(0) == 8
    with pytest.raises(RuntimeError, match="after shutdown"):
        cluster.submit(pow, 2, 3)
    cluster.shutdown()


def test_shutdown_can_cancel_what_is_not_finished(gate: Gate) -> None:
    cluster = LocalCluster(workers=1, own_modules=["tests"])
    futures = [cluster.submit(workloads.hold, gate.port) for _ in range(3)]
    gate.wait_for(1)
    cluster.shutdown(cancel_futures=True)
    assert [future.cancelled() for future in futures] == [True] * 3


def test_shutdown_need_not_wait(gate: Gate) -> None:
    cluster = LocalCluster(workers=1, own_modules=["tests"])
    future = cluster.submit(workloads.hold, gate.port)
    (pid,) = gate.wait_for(1)
    cluster.shutdown(wait=False)
    assert not future.done()
    gate.open()
    assert future.result(TIMEOUT_S) == pid


def test_two_executors_on_one_cluster_share_it_fairly(local_cluster: LocalCluster, gate: Gate) -> None:
    """A second owner's few tasks do not wait for all of the first one's many."""
    with ClusterExecutor(local_cluster.address, own_modules=["tests"]) as second:
        assert second.submit(abs, -1).result(TIMEOUT_S) == 1  # it has joined
        held = [local_cluster.submit(workloads.hold, gate.port) for _ in range(2)]
        gate.wait_for(2)
        many = [local_cluster.submit(time.monotonic) for _ in range(20_000)]
        few = [second.submit(time.monotonic) for _ in range(10)]
        gate.open()
        last_of_few_at = max(future.result(TIMEOUT_S) for future in few)
        assert sum(future.result(TIMEOUT_S) > last_of_few_at for future in many) > 1000
        assert wait(held, TIMEOUT_S).not_done == set()


@pytest.mark.parametrize("address", ["a:b:c", "host:port", "", 8750])
def test_an_address_that_is_none_is_refused(address: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not an address"):
        ClusterExecutor(address)


def test_a_process_that_was_forked_meanwhile_does_not_delay_the_end() -> None:
    cluster = LocalCluster(workers=1)
    cluster.submit(abs, -1).result(TIMEOUT_S)
    copy = os.fork()
    if copy == 0:
        threading.Event().wait(TIMEOUT_S)
        os._exit(0)
    ender = threading.Thread(target=cluster.shutdown)
    ender.start()
    ender.join(SLOW_END_S)
    has_ended = not ender.is_alive()
    os.kill(copy, signal.SIGKILL)
    os.waitpid(copy, 0)
    ender.join()
    assert has_ended
