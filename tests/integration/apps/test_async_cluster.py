"""A cluster for programs that are written with asyncio."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from concurrent.apps import AsyncCluster, LocalCluster
from concurrent.core.errors import TaskTimeout, UnpicklableValue
from tests.integration.apps import workloads
from tests.system.cluster import Gate

TIMEOUT_S = 30.0

Body = Callable[[AsyncCluster], Coroutine[Any, Any, object]]


def within(cluster: LocalCluster, body: Body) -> Any:
    """Run a coroutine function within an ``AsyncCluster`` on a cluster that is there."""

    async def run() -> Any:
        async with AsyncCluster(cluster=cluster) as made:
            return await asyncio.wait_for(body(made), TIMEOUT_S)

    return asyncio.run(run(), debug=True)


async def wait_for_held(gate: Gate, count: int) -> list[int]:
    """Wait until so many calls are held."""
    return await asyncio.to_thread(gate.wait_for, count)


def fail_at_three(number: int) -> int:
    if number == 3:
        raise LookupError("three")
    return number


class TestSubmit:
    def test_calls_return_their_results(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            assert await cluster.submit(workloads.add, 1, second=2) == 3
            results = await asyncio.gather(*(cluster.submit(workloads.square, one) for one in range(20)))
            assert results == [number**2 for number in range(20)]

        within(local_cluster, body)

    def test_an_error_has_its_remote_traceback(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            with pytest.raises(LookupError, match="the text") as caught:
                await cluster.submit(workloads.fail, "the text")
            assert "raise LookupError(text)" in "".join(traceback.format_exception(caught.value))
            with pytest.raises(UnpicklableValue):
                await cluster.submit(abs, threading.Lock())
            with pytest.raises(RuntimeError, match="StopIteration"):
                await cluster.submit(next, iter(()))
            with pytest.raises(TypeError, match="is an async function"):
                await cluster.submit(asyncio.sleep, 1)

        within(local_cluster, body)

    def test_to_cancel_ends_the_call_that_runs(self, local_cluster: LocalCluster, gate: Gate) -> None:
        async def body(cluster: AsyncCluster) -> None:
            calls = [asyncio.create_task(cluster.submit(workloads.hold, gate.port)) for _ in range(2)]
            pids = await wait_for_held(gate, 2)
            for call in calls:
                call.cancel()
            done, _ = await asyncio.wait(calls)
            assert all(call.cancelled() for call in done)
            assert await cluster.submit(os.getpid) not in pids

        within(local_cluster, body)

    def test_a_timeout_ends_the_call(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            for _ in range(2):  # so both workers are held if it does not
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(cluster.submit(time.sleep, 600), 0.1)
            assert await cluster.submit(abs, -1) == 1

        within(local_cluster, body)

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="TaskGroup came with Python 3.11")
    def test_a_group_of_tasks_ends_the_others_if_one_fails(
        self, local_cluster: LocalCluster, gate: Gate
    ) -> None:
        async def body(cluster: AsyncCluster) -> None:
            async def work() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(cluster.submit(workloads.hold, gate.port))
                    await wait_for_held(gate, 1)
                    group.create_task(cluster.submit(workloads.fail, "the text"))

            with pytest.raises(BaseExceptionGroup) as caught:  # noqa: F821  Python 3.11
                await work()
            assert [type(error) for error in caught.value.exceptions] == [LookupError]
            assert await asyncio.gather(*(cluster.submit(abs, -1) for _ in range(2))) == [1, 1]

        within(local_cluster, body)

    def test_calls_may_ask_for_something(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            with pytest.raises(TaskTimeout):
                await cluster.options(timeout_s=0.1).submit(time.sleep, 60)

        within(local_cluster, body)

    def test_several_event_loops_may_use_one(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            with ThreadPoolExecutor(2) as threads:
                calls = [threads.submit(asyncio.run, cluster.submit(abs, -one)) for one in range(4)]
                assert [await asyncio.wrap_future(call) for call in calls] == [0, 1, 2, 3]

        within(local_cluster, body)


class TestMap:
    @pytest.mark.parametrize("ordered", [True, False])
    def test_inputs_may_be_endless_and_no_more_are_taken_than_may_wait(
        self, local_cluster: LocalCluster, ordered: bool
    ) -> None:
        async def body(cluster: AsyncCluster) -> None:
            inputs = itertools.count()
            results: list[int] = []
            async for result in cluster.map(workloads.square, inputs, ahead=5, ordered=ordered):
                results.append(result)
                if len(results) == 20:
                    break
            assert len(set(results)) == 20
            assert not ordered or results == [number**2 for number in range(20)]
            assert 20 <= next(inputs) <= 25

        within(local_cluster, body)

    def test_inputs_may_come_over_time_and_from_several_places(self, local_cluster: LocalCluster) -> None:
        async def body(cluster: AsyncCluster) -> None:
            second: asyncio.Queue[int] = asyncio.Queue()

            async def numbers() -> AsyncIterator[int]:
                yield 1
                while True:
                    yield await second.get()

            results: list[int] = []
            async for result in cluster.map(workloads.add, numbers(), itertools.count(10)):
                results.append(result)  # though the next input is not there
                if len(results) == 3:
                    break
                second.put_nowait(result)
            assert results == [11, 22, 34]
            assert [one async for one in cluster.map(pow, [1, 2, 3], [2, 2])] == [1, 4]
            assert [one async for one in cluster.map(abs, [], ordered=False)] == []

        within(local_cluster, body)

    def test_results_come_as_calls_end_if_that_is_wished(self, local_cluster: LocalCluster, gate: Gate) -> None:
        async def body(cluster: AsyncCluster) -> None:
            held = cluster.map(workloads.hold_unless_zero, [gate.port, 0], ordered=False)
            assert await anext(held) == 0
            gate.open()
            (last,) = [one async for one in held]
            assert last > 0

        within(local_cluster, body)

    def test_leaving_early_ends_what_is_open(self, local_cluster: LocalCluster, gate: Gate) -> None:
        async def body(cluster: AsyncCluster) -> None:
            ports = [0, *[gate.port] * 8]
            held = cluster.map(workloads.hold_unless_zero, ports, ahead=2)
            async with aclosing(held) as results:
                async for result in results:
                    assert result == 0
                    await wait_for_held(gate, 2)
                    break
            assert await asyncio.gather(*(cluster.submit(abs, -1) for _ in range(2))) == [1, 1]

        within(local_cluster, body)

    @pytest.mark.parametrize("ordered", [True, False])
    def test_errors_of_calls_and_of_inputs_are_raised(self, local_cluster: LocalCluster, ordered: bool) -> None:
        def inputs() -> Iterator[int]:
            yield from range(3)
            raise LookupError("no more")

        async def body(cluster: AsyncCluster) -> None:
            with pytest.raises(LookupError, match="three"):
                _ = [one async for one in cluster.map(fail_at_three, range(6), ordered=ordered)]
            results = cluster.map(workloads.square, inputs(), ordered=ordered)
            assert sorted([await anext(results) for _ in range(3)]) == [0, 1, 4]
            with pytest.raises(LookupError, match="no more"):
                await anext(results)
            with pytest.raises(ValueError, match="ahead must be"):
                cluster.map(abs, [1], ahead=0)

        within(local_cluster, body)


class TestStartAndEnd:
    def test_one_of_its_own_starts_and_ends_while_the_event_loop_goes_on(self) -> None:
        async def run() -> None:
            turns = 0
            is_over = False

            async def turn() -> None:
                nonlocal turns
                while not is_over:
                    turns += 1
                    await asyncio.sleep(0)

            other = asyncio.create_task(turn())
            cluster = AsyncCluster(workers=1)
            with pytest.raises(RuntimeError, match="use it within 'async with'"):
                await cluster.submit(abs, -1)
            async with cluster:
                assert turns > 10
                left = asyncio.create_task(cluster.submit(workloads.square, 3))
                await asyncio.sleep(0)
                before_end = turns
            assert turns > before_end + 1
            is_over = True
            await other
            assert left.done()
            assert await left == 9
            with pytest.raises(RuntimeError, match="after shutdown"):
                await cluster.submit(abs, -1)

        asyncio.run(run())

    def test_one_on_the_cluster_of_a_master(self, local_cluster: LocalCluster) -> None:
        async def run() -> None:
            async with AsyncCluster(master=local_cluster.address, own_modules=["tests"]) as cluster:
                assert await cluster.submit(workloads.square, 3) == 9

        asyncio.run(run())

    def test_an_exception_ends_what_is_open_and_no_other_calls(
        self, local_cluster: LocalCluster, gate: Gate
    ) -> None:
        other = local_cluster.submit(workloads.hold, gate.port)
        gate.wait_for(1)

        async def run() -> None:
            calls: list[asyncio.Task[int]] = []

            async def use() -> None:
                async with AsyncCluster(cluster=local_cluster) as cluster:
                    calls.append(asyncio.create_task(cluster.submit(workloads.hold, gate.port)))
                    await wait_for_held(gate, 1)
                    raise KeyError

            with pytest.raises(KeyError):
                await use()
            with pytest.raises(CancelledError):
                await calls[0]

        asyncio.run(run())
        assert not other.done()
        gate.open()
        assert other.result(TIMEOUT_S) > 0

    def test_whoever_cancels_the_end_ends_what_is_open(self, local_cluster: LocalCluster, gate: Gate) -> None:
        async def use() -> None:
            async with AsyncCluster(cluster=local_cluster) as cluster:
                left.append(asyncio.create_task(cluster.submit(workloads.hold, gate.port)))
                await wait_for_held(gate, 1)

        left: list[asyncio.Task[int]] = []

        async def run() -> None:
            user = asyncio.create_task(use())
            while not left:
                await asyncio.sleep(0)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(left[0]), 0.2)
            user.cancel()
            with pytest.raises(asyncio.CancelledError):
                await user
            with pytest.raises(CancelledError):
                await left[0]

        asyncio.run(run())

    def test_a_start_that_is_cancelled_or_fails_leaves_nothing(self) -> None:
        async def run() -> None:
            starting = asyncio.create_task(AsyncCluster(1).__aenter__())
            await asyncio.sleep(0)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
            with pytest.raises(ValueError, match="must be greater than 0"):
                await AsyncCluster(0).__aenter__()

        asyncio.run(run())

    def test_arguments_that_do_not_go_together_are_refused(self, local_cluster: LocalCluster) -> None:
        with pytest.raises(TypeError, match="does not take all of workers, master"):
            AsyncCluster(2, master="127.0.0.1:1")
        with pytest.raises(TypeError, match="does not take all of cluster, own_modules"):
            AsyncCluster(cluster=local_cluster, own_modules=["tests"])
