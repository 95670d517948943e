"""The backend of joblib: what runs in ``joblib.Parallel`` runs on a cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

joblib = pytest.importorskip("joblib")

from concurrent.apps import LocalCluster
from concurrent.apps.integrations.joblib import ConcurrentBackend
from concurrent.core.errors import NodeError, SchedulingError, TaskFailed, TaskTimeout
from concurrent.scheduling import current_task
from tests.integration.apps.workloads import hold, square
from tests.system.cluster import Gate, wait_until

delayed, Parallel, parallel_config = joblib.delayed, joblib.Parallel, joblib.parallel_config


@pytest.fixture
def on_cluster(local_cluster: LocalCluster) -> Iterator[LocalCluster]:
    with parallel_config("concurrent", cluster=local_cluster):
        yield local_cluster


def named(number: int) -> tuple[str, int]:
    return current_task().name, os.getpid()


def squares_in_parallel(count: int) -> list[int]:
    squares: list[int] = Parallel(n_jobs=2)(delayed(square)(number) for number in range(count))
    return squares


def squares_on(cluster: str | None, count: int) -> list[int]:
    """As a library would that knows nothing of who calls it."""
    with parallel_config("concurrent", cluster=cluster):
        return squares_in_parallel(count)


def sum_and_writeable(array: Any, number: int) -> tuple[float, bool]:
    return array.sum() + number, array.flags.writeable


def fail_at_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


def worker_pids(cluster: LocalCluster) -> set[int]:
    return {cluster.submit(os.getpid).result(30) for _ in range(20)}


def test_calls_run_on_the_workers_and_tasks_are_named_after_their_function(on_cluster: LocalCluster) -> None:
    found = Parallel()(delayed(named)(number) for number in range(20))
    assert {name for name, _ in found} == {"named"}
    assert os.getpid() not in {pid for _, pid in found}


def test_the_results_have_the_order_of_the_calls(on_cluster: LocalCluster) -> None:
    assert Parallel()(delayed(square)(number) for number in range(200)) == [n * n for n in range(200)]


def test_all_workers_are_used_unless_a_number_is_given(on_cluster: LocalCluster) -> None:
    assert Parallel().n_jobs == -1
    assert joblib.effective_n_jobs(-1) == 2
    assert joblib.effective_n_jobs(5) == 5
    with pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel(n_jobs=0)(delayed(square)(number) for number in range(2))


def test_one_worker_runs_the_calls_and_a_cluster_that_has_ended_is_an_error() -> None:
    with LocalCluster(1, own_modules=["tests"]) as cluster, parallel_config("concurrent", cluster=cluster):
        assert os.getpid() not in {pid for _, pid in Parallel()(delayed(named)(number) for number in range(3))}
        cluster.shutdown()
        with pytest.raises((NodeError, RuntimeError)):
            squares_in_parallel(4)


def hold_unless_zero(port: int) -> int:
    return hold(port) if port else 0


def test_no_result_waits_for_a_call_that_takes_long_suddenly(on_cluster: LocalCluster, gate: Gate) -> None:
    Parallel(batch_size=1)(delayed(hold_unless_zero)(0) for _ in range(50))
    calls = [delayed(hold_unless_zero)(port) for port in (0, 0, 0, 0, gate.port, gate.port)]
    results = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")(calls)
    assert [next(results) for _ in range(4)] == [0, 0, 0, 0]
    gate.open()
    assert len(list(results)) == 2


def test_generators_have_results_as_they_come(on_cluster: LocalCluster, gate: Gate) -> None:
    calls = [delayed(hold)(gate.port), *(delayed(square)(number) for number in range(5))]
    results = Parallel(return_as="generator_unordered", batch_size=1, pre_dispatch="all")(calls)
    assert sorted(next(results) for _ in range(5)) == [0, 1, 4, 9, 16]
    gate.open()
    assert len(list(results)) == 1
    ordered = Parallel(return_as="generator")(delayed(square)(number) for number in range(5))
    assert list(ordered) == [0, 1, 4, 9, 16]


def test_a_large_array_is_that_of_the_program_and_cannot_be_written_to(on_cluster: LocalCluster) -> None:
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(1 << 18, dtype=float)  # 2 MiB
    found = Parallel(batch_size=1)(delayed(sum_and_writeable)(array, number) for number in range(10))
    assert [one[0] for one in found] == [array.sum() + number for number in range(10)]
    assert not any(writeable for _, writeable in found[1:])
    array[0] = 1.0  # a later call sees it
    found = Parallel(batch_size=1)(delayed(sum_and_writeable)(array, number) for number in range(3))
    assert [one[0] for one in found] == [array.sum() + number for number in range(3)]


def test_scikit_learn_finds_the_same_on_a_cluster(local_cluster: LocalCluster) -> None:
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score

    inputs, outputs = load_iris(return_X_y=True)

    def scores_and_guesses() -> tuple[list[float], list[int]]:
        forest = RandomForestClassifier(6, random_state=1)
        scores = cross_val_score(forest, inputs, outputs, cv=3)
        return list(scores), list(forest.fit(inputs, outputs).predict(inputs))

    expected = scores_and_guesses()
    with parallel_config("concurrent", cluster=local_cluster):
        assert scores_and_guesses() == expected


def test_an_error_is_raised_with_the_traceback_of_the_worker(on_cluster: LocalCluster) -> None:
    with pytest.raises(ValueError, match="seven") as caught:
        Parallel()(delayed(fail_at_seven)(number) for number in range(100))
    assert isinstance(caught.value.__cause__, TaskFailed)
    assert "in fail_at_seven" in "".join(traceback.format_exception(caught.value))
    assert squares_in_parallel(3) == [0, 1, 4]


def test_what_cannot_be_pickled_is_an_error_and_no_wait(on_cluster: LocalCluster) -> None:
    calls = [delayed(square)(number) for number in range(50)]
    with pytest.raises(SchedulingError, match="lock"):
        Parallel(batch_size=1)([*calls, delayed(id)(threading.Lock())])


def test_a_time_out_frees_the_workers(on_cluster: LocalCluster, gate: Gate) -> None:
    with pytest.raises(multiprocessing.TimeoutError):
        Parallel(timeout=0.2)(delayed(hold)(gate.port) for _ in range(2))
    assert squares_in_parallel(3) == [0, 1, 4]  # the gate is still closed


def test_an_interrupt_frees_the_workers(on_cluster: LocalCluster, gate: Gate) -> None:
    def interrupt() -> None:
        gate.wait_for(2)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            Parallel()(delayed(hold)(gate.port) for _ in range(4))
        done.result(30)
    assert squares_in_parallel(3) == [0, 1, 4]  # the gate is still closed


def test_parallel_within_a_task_waits_for_no_other_task(on_cluster: LocalCluster) -> None:
    expected = [squares_in_parallel(number) for number in range(6)]
    assert Parallel()(delayed(squares_in_parallel)(number) for number in range(6)) == expected
    for cluster in (None, on_cluster.address):  # all workers are taken by those that would wait
        assert Parallel()(delayed(squares_on)(cluster, number) for number in range(6)) == expected


def test_an_address_has_an_executor_for_the_time_of_the_backend(local_cluster: LocalCluster) -> None:
    threads = threading.active_count()
    with parallel_config("concurrent", cluster=local_cluster.address):
        first = {pid for _, pid in Parallel()(delayed(named)(number) for number in range(10))}
        again = {pid for _, pid in Parallel()(delayed(named)(number) for number in range(10))}
        assert first | again <= worker_pids(local_cluster) | first
        assert threading.active_count() > threads
    wait_until(lambda: threading.active_count() == threads, "the executor has ended")


def test_a_view_asks_for_something_with_each_batch(local_cluster: LocalCluster, gate: Gate) -> None:
    quick = local_cluster.options(timeout_s=0.3)
    with parallel_config("concurrent", cluster=quick), pytest.raises(TaskTimeout):
        Parallel()(delayed(hold)(gate.port) for _ in range(2))


def test_something_else_is_no_cluster() -> None:
    with ThreadPoolExecutor() as pool, pytest.raises(TypeError, match="HOST:PORT"):
        parallel_config("concurrent", cluster=pool)


def test_a_backend_may_be_given_as_an_object(local_cluster: LocalCluster) -> None:
    with Parallel(n_jobs=2, backend=ConcurrentBackend(local_cluster)) as parallel:
        for _ in range(3):
            assert parallel(delayed(square)(number) for number in range(3)) == [0, 1, 4]
