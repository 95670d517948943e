"""A pool with the interface of ``multiprocessing.Pool``, beside Python's own tests in ``test_cpython.py``."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from concurrent.apps import LocalCluster, Pool
from concurrent.apps.poolresults import ImapIterator
from concurrent.core.errors import TaskTimeout
from tests.integration.apps import workloads
from tests.system.cluster import Gate

TIMEOUT_S = 30.0


@pytest.fixture
def pool(local_cluster: LocalCluster) -> Iterator[Pool]:
    made = Pool(cluster=local_cluster)
    yield made
    made.terminate()
    made.join()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise LookupError("three")
    return number


def take_all(results: ImapIterator[int]) -> list[object]:
    """Return results, and errors as their texts."""
    taken: list[object] = []
    while True:
        try:
            taken.append(results.next(TIMEOUT_S))
        except LookupError as error:
            taken.append(str(error))
        except StopIteration:
            return taken


class TestCalls:
    def test_each_method_returns_what_the_function_does(self, pool: Pool) -> None:
        assert pool.apply(workloads.add, (1,), {"second": 2}) == 3
        assert pool.map(workloads.square, range(50)) == [number**2 for number in range(50)]
        assert pool.map(workloads.square, iter(range(5)), chunksize=2) == [0, 1, 4, 9, 16]
        assert pool.starmap(workloads.add, zip(range(5), range(5), strict=True)) == [0, 2, 4, 6, 8]
        assert pool.map_async(workloads.square, range(3)).get(TIMEOUT_S) == [0, 1, 4]
        assert pool.starmap_async(workloads.add, [(1, 2)]).get(TIMEOUT_S) == [3]
        assert list(pool.imap(workloads.square, range(50), 7)) == [number**2 for number in range(50)]
        assert sorted(pool.imap_unordered(workloads.square, range(50))) == [number**2 for number in range(50)]

    def test_no_inputs_are_no_results(self, pool: Pool) -> None:
        assert pool.map(workloads.square, []) == []
        assert list(pool.imap(workloads.square, [])) == list(pool.imap_unordered(workloads.square, [])) == []

    def test_an_error_is_that_of_the_call(self, pool: Pool) -> None:
        result = pool.apply_async(workloads.fail, ("the text",))
        with pytest.raises(LookupError, match="the text"):
            result.get(TIMEOUT_S)
        assert not result.successful()
        with pytest.raises(LookupError, match="three"):
            pool.map(fail_at_three, range(6))

    def test_a_result_says_whether_it_is_ready(self, pool: Pool, gate: Gate) -> None:
        result = pool.apply_async(workloads.hold, (gate.port,))
        gate.wait_for(1)
        assert not result.ready()
        with pytest.raises(ValueError, match="is not ready"):
            result.successful()
        with pytest.raises(multiprocessing.TimeoutError):
            result.get(0.01)
        gate.open()
        result.wait()
        assert result.ready()
        assert result.successful()

    def test_callbacks_are_called_before_a_result_is_ready(self, pool: Pool) -> None:
        seen: list[Any] = []
        pool.apply_async(workloads.square, (3,), callback=seen.append).wait(TIMEOUT_S)
        pool.map_async(workloads.square, range(3), 1, seen.append, seen.append).wait(TIMEOUT_S)
        assert seen == [9, [0, 1, 4]]
        pool.map_async(fail_at_three, range(6), 1, seen.append, seen.append).wait(TIMEOUT_S)
        assert isinstance(seen[2], LookupError)

    def test_callbacks_run_on_one_thread_and_may_make_calls(self, pool: Pool) -> None:
        threads: set[int] = set()
        seen: list[int] = []

        def called(value: int) -> None:
            threads.add(threading.get_ident())
            seen.append(pool.apply(workloads.add, (value, 1)))

        results = [pool.apply_async(workloads.square, (number,), callback=called) for number in range(5)]
        for result in results:
            result.wait(TIMEOUT_S)
        assert sorted(seen) == [1, 2, 5, 10, 17]
        assert len(threads) == 1
        assert threading.get_ident() not in threads


class TestImap:
    def test_no_more_inputs_are_taken_than_may_wait(self, pool: Pool) -> None:
        inputs = itertools.count()
        results = pool.imap(workloads.square, inputs)
        taken = next(inputs)
        assert taken == 16 * pool.size
        assert [next(results) for _ in range(3)] == [0, 1, 4]
        assert next(inputs) == taken + 4

    def test_inputs_of_the_unordered_one_may_be_endless_too(self, pool: Pool) -> None:
        results = pool.imap_unordered(workloads.square, itertools.count(), chunksize=3)
        assert len({next(results) for _ in range(100)}) == 100

    def test_results_come_in_the_order_in_which_calls_end(self, pool: Pool, gate: Gate) -> None:
        results = pool.imap_unordered(workloads.hold_unless_zero, [gate.port, 0])
        assert results.next(TIMEOUT_S) == 0
        with pytest.raises(multiprocessing.TimeoutError):
            results.next(0.01)
        gate.open()
        assert results.next(TIMEOUT_S) > 0
        with pytest.raises(StopIteration):
            next(results)

    @pytest.mark.parametrize("method", ["imap", "imap_unordered"])
    def test_it_goes_on_behind_a_call_that_raises(self, pool: Pool, method: str) -> None:
        taken = take_all(getattr(pool, method)(fail_at_three, range(6)))
        assert sorted(taken, key=str) == [0, 1, 2, 4, 5, "three"]

    @pytest.mark.parametrize("method", ["imap", "imap_unordered"])
    def test_an_input_that_fails_is_raised_behind_the_results_before_it(self, pool: Pool, method: str) -> None:
        def inputs() -> Iterator[int]:
            yield from range(3)
            raise LookupError("no more")

        assert sorted(take_all(getattr(pool, method)(workloads.square, inputs())), key=str) == [
            0,
            1,
            4,
            "no more",
        ]

    def test_results_can_be_taken_after_close(self, local_cluster: LocalCluster) -> None:
        pool = Pool(cluster=local_cluster)
        results = pool.imap(workloads.square, range(500))
        pool.close()
        assert sum(results) == sum(number**2 for number in range(500))
        pool.join()

    def test_join_has_all_calls_made_though_nobody_takes_results(self, local_cluster: LocalCluster) -> None:
        pool = Pool(cluster=local_cluster)
        inputs = iter(range(300))
        results = pool.imap_unordered(workloads.square, inputs)
        pool.close()
        pool.join()
        assert list(inputs) == []
        assert len(list(results)) == 300


class TestItsEnd:
    def test_nothing_is_taken_after_close_and_join_waits_for_callbacks(
        self, local_cluster: LocalCluster
    ) -> None:
        pool = Pool(cluster=local_cluster)
        seen: list[int] = []
        for number in range(20):
            pool.apply_async(workloads.square, (number,), callback=seen.append)
        with pytest.raises(ValueError, match="still running"):
            pool.join()
        pool.close()
        calls: list[Callable[[], object]] = [
            lambda: pool.apply(abs, (1,)),
            lambda: pool.map(abs, []),
            lambda: pool.imap(abs, []),
            pool.__enter__,
        ]
        for call in calls:
            with pytest.raises(ValueError, match="not running"):
                call()
        pool.join()
        assert len(seen) == 20
        assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1

    def test_leaving_a_block_ends_what_runs_and_no_other_calls_of_the_cluster(
        self, local_cluster: LocalCluster, gate: Gate
    ) -> None:
        other = local_cluster.submit(workloads.hold, gate.port)
        gate.wait_for(1)
        with Pool(cluster=local_cluster) as pool:
            result = pool.apply_async(time.sleep, (60,))
            endless = pool.imap(workloads.square, itertools.count())
        with pytest.raises(CancelledError):
            result.get(TIMEOUT_S)
        pool.join()
        with pytest.raises(CancelledError):
            list(endless)
        assert not other.done()
        gate.open()
        assert other.result(TIMEOUT_S) > 0


class TestHowItIsMade:
    def test_a_pool_of_its_own_has_workers_that_an_initializer_prepares(self) -> None:
        values: list[int] = []
        with Pool(1, values.append, (7,), maxtasksperchild=50) as pool:
            assert (pool.size, pool.rank, pool.is_master(), pool.is_worker()) == (1, 0, True, False)
            pool.wait()
            assert pool.map(abs, [-1, -2]) == [1, 2]
            assert "running" in repr(pool)
        pool.join()
        assert values == []

    def test_one_on_the_cluster_of_a_master(self, local_cluster: LocalCluster) -> None:
        with Pool(master=local_cluster.address, own_modules=["tests"]) as pool:
            assert pool.size == 2
            assert pool.map(workloads.square, range(5)) == [0, 1, 4, 9, 16]

    def test_one_of_a_view_asks_for_what_the_view_does(self, local_cluster: LocalCluster) -> None:
        with Pool(cluster=local_cluster.options(timeout_s=0.2)) as pool, pytest.raises(TaskTimeout):
            pool.map(time.sleep, [60])

    @pytest.mark.parametrize(
        ("arguments", "kind", "text"),
        [
            ({"processes": 0}, ValueError, "must be greater than 0"),
            ({"maxtasksperchild": 0}, ValueError, "maxtasksperchild must be"),
            ({"initializer": 3}, TypeError, "initializer must be a callable"),
            ({"context": "spawn"}, TypeError, "context is not taken"),
            ({"processes": 2, "master": "127.0.0.1:1"}, TypeError, "takes no processes if it uses the workers"),
        ],
    )
    def test_arguments_that_make_no_sense_are_refused(
        self, arguments: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=text):
            Pool(**arguments)

    def test_a_cluster_that_is_there_is_not_made_anew(self, local_cluster: LocalCluster) -> None:
        with pytest.raises(TypeError, match="takes no initializer, own_modules if it is given a cluster"):
            Pool(cluster=local_cluster, initializer=abs, own_modules=["tests"])

    def test_a_chunk_has_at_least_one_call(self, pool: Pool) -> None:
        for method in (pool.map, pool.imap, pool.imap_unordered):
            with pytest.raises(ValueError, match="chunksize must be 1 or more"):
                method(abs, [1], chunksize=0)
