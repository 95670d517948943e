"""The names and habits that programs expect of an executor of the standard library."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import threading
import time
import traceback
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import BrokenExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import SchedulingError, WorkerDied
from concurrent.scheduling.pickling.initializer import InitializerFailed
from tests.integration.apps import workloads
from tests.system.cluster import Gate, wait_until

TIMEOUT_S = 30.0


class Thing:
    """Can be referred to weakly."""

    def __init__(self, number: int) -> None:
        self.number = number


def add(first: int, base: int = 0) -> int:
    return first + base


async def coroutine() -> None:
    """Is not run."""


async def async_generator() -> AsyncIterator[int]:
    yield 1


class AsyncMethods:
    """Its methods are not run either."""

    async def method(self) -> None:
        """Is not run."""

    @staticmethod
    async def static() -> None:
        """Is not run."""


class TestHowItIsMade:
    def test_max_workers_is_another_name_of_workers(self) -> None:
        with LocalCluster(max_workers=1) as cluster:
            assert cluster._max_workers == 1
            assert cluster.submit(abs, -1).result(TIMEOUT_S) == 1
            assert cluster.workers == 1

    @pytest.mark.parametrize("name", ["workers", "max_workers"])
    @pytest.mark.parametrize(
        ("value", "kind"),
        [(0, ValueError), (-1, ValueError), (True, TypeError), (2.0, TypeError), ("2", TypeError)],
    )
    def test_numbers_that_make_no_sense_are_refused(self, name: str, value: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind, match=f"{name} must be"):
            LocalCluster(**{name: value})

    def test_two_names_of_one_thing_are_refused(self) -> None:
        with pytest.raises(TypeError, match="give one of them"):
            LocalCluster(2, max_workers=2)

    def test_what_cannot_be_had_is_refused_by_name(self) -> None:
        with pytest.raises(TypeError, match="mp_context is not taken"):
            LocalCluster(mp_context="spawn")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"option logging\.level must be"):
            LocalCluster(options={"logging.level": ["debug"]})

    def test_options_may_be_truth_values_and_numbers(self) -> None:
        options = {"logging.task_output": False, "transport.resume_s": 3, "transport.heartbeat_s": 1.5}
        with ClusterExecutor(f"127.0.0.1:{free_port()}", options=options) as executor:
            assert executor._core.env.recipe()["overrides"] == {
                "logging.task_output": "false",
                "transport.resume_s": "3",
                "transport.heartbeat_s": "1.5",
            }


def note_start(values: dict[str, Any]) -> None:
    os.environ["STARTED_WITH"] = os.environ.get("STARTED_WITH", "") + str(values["name"])


def started_with() -> tuple[int, str | None]:
    return os.getpid(), os.environ.get("STARTED_WITH")


start_value = 0


def set_start_value(value: int) -> None:
    global start_value
    start_value += value


def read_start_value() -> int:
    return start_value


def fail_to_start(kind: type[BaseException]) -> None:
    raise kind("on purpose")


class TestInitializer:
    def test_it_is_called_once_in_each_worker_and_in_the_one_that_follows_it(self) -> None:
        values = {"name": "a", "data": bytes(100_000)}
        with LocalCluster(
            2, initializer=note_start, initargs=(values,), max_tasks_per_child=4, own_modules=["tests"]
        ) as cluster:
            futures = [cluster.submit(started_with) for _ in range(12)]
            seen = {future.result(TIMEOUT_S) for future in futures}
            seen |= {cluster.submit(started_with).result(TIMEOUT_S) for _ in range(6)}
            chunks = cluster.map(lambda _number: started_with(), range(4), chunksize=2, timeout=TIMEOUT_S)
            seen.update(chunks)
        assert len(seen) >= 5  # at least so many workers ran 20 tasks
        assert {value for _pid, value in seen} == {"a"}

    def test_the_global_names_that_it_sets_are_those_of_the_calls(self) -> None:
        with LocalCluster(2, initializer=set_start_value, initargs=(7,), own_modules=["tests"]) as cluster:
            futures = [cluster.submit(read_start_value) for _ in range(20)]
            assert {future.result(TIMEOUT_S) for future in futures} == {7}
        assert start_value == 0

    def test_each_executor_has_its_own(self, local_cluster: LocalCluster) -> None:
        for name in "bc":
            with ClusterExecutor(
                local_cluster.address, initializer=note_start, initargs=({"name": name},), own_modules=["tests"]
            ) as executor:
                found = executor.submit(started_with).result(TIMEOUT_S)[1]
                assert found is not None
                assert found.endswith(name)

    @pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
    def test_one_that_fails_breaks_the_executor_by_name(
        self, local_cluster: LocalCluster, kind: type[BaseException]
    ) -> None:
        with ClusterExecutor(
            local_cluster.address, initializer=fail_to_start, initargs=(kind,), own_modules=["tests"]
        ) as executor:
            futures = [executor.submit(abs, -1) for _ in range(20)]
            for future in futures:
                error = future.exception(TIMEOUT_S)
                assert isinstance(error, InitializerFailed)
                assert isinstance(error, BrokenExecutor)
                assert f"{kind.__name__}: on purpose" in str(error)
            with pytest.raises(InitializerFailed):
                executor.submit(abs, -1)
        assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1

    def test_what_cannot_be_one_is_refused(self) -> None:
        with pytest.raises(TypeError, match="initializer must be a callable"):
            LocalCluster(1, initializer=3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="is an async function"):
            LocalCluster(1, initializer=coroutine)
        with pytest.raises(SchedulingError, match="cannot be pickled"):
            LocalCluster(1, initializer=abs, initargs=(threading.Lock(),))


def hold_and_tidy(port: int, file: str) -> None:
    try:
        workloads.hold(port)
        time.sleep(600)  # the gate was opened, and SIGTERM comes
    finally:
        Path(file).write_text("tidied", encoding="utf-8")


class TestWorkersThatAreEnded:
    @pytest.mark.parametrize("how", ["terminate_workers", "kill_workers"])
    def test_what_is_open_is_cancelled_and_nothing_more_is_taken(
        self, local_cluster: LocalCluster, gate: Gate, tmp_path: Path, how: str
    ) -> None:
        file = tmp_path / "tidied.txt"
        with ClusterExecutor(local_cluster.address, own_modules=["tests"]) as executor:
            done = executor.submit(abs, -1)
            assert done.result(TIMEOUT_S) == 1
            futures = [executor.submit(hold_and_tidy, gate.port, str(file)) for _ in range(3)]
            gate.wait_for(2)
            getattr(executor, how)()
            assert not file.exists() or how == "terminate_workers"
            assert all(future.cancelled() for future in futures)
            with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
                executor.submit(abs, -1)
        if how == "terminate_workers":
            wait_until(file.exists, "what ran has tidied up")
        assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1

    def test_a_cluster_of_its_own_ends_with_them(self, gate: Gate) -> None:
        cluster = LocalCluster(1, own_modules=["tests"])
        future = cluster.submit(workloads.hold, gate.port)
        gate.wait_for(1)
        cluster.kill_workers()
        cluster.shutdown()
        assert future.cancelled()

    def test_a_cluster_that_has_ended_leaves_no_thread(self) -> None:
        before = threading.active_count()
        with LocalCluster(1) as cluster:
            cluster.submit(abs, -1).add_done_callback(lambda _future: None)
        assert threading.active_count() == before


class TestLifeOfWorkers:
    @pytest.mark.parametrize("value", [0, -1, 1.5, True])
    def test_numbers_that_make_no_sense_are_refused(self, value: Any) -> None:
        with pytest.raises((TypeError, ValueError), match="max_tasks_per_child must be"):
            LocalCluster(1, max_tasks_per_child=value)

    def test_a_worker_runs_so_many_calls_and_no_more(self) -> None:
        with LocalCluster(2, max_tasks_per_child=3, own_modules=["tests"]) as cluster:
            at_once = [cluster.submit(os.getpid) for _ in range(30)]
            pids = [future.result(TIMEOUT_S) for future in at_once]
            pids += [cluster.submit(os.getpid).result(TIMEOUT_S) for _ in range(12)]
        assert max(Counter(pids).values()) == 3
        assert len(set(pids)) >= 14

    def test_what_was_submitted_is_done_though_workers_end(self) -> None:
        with LocalCluster(1, max_tasks_per_child=1) as cluster:
            futures = [cluster.submit(pow, number, 2) for number in range(8)]
        assert [future.result(0) for future in futures] == [number**2 for number in range(8)]


@pytest.mark.parametrize(
    "fn",
    [
        coroutine,
        async_generator,
        AsyncMethods().method,
        AsyncMethods.static,
        functools.partial(coroutine),
        functools.partial(AsyncMethods().method),
    ],
)
def test_async_functions_are_refused_by_name(local_cluster: LocalCluster, fn: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="is an async function"):
        local_cluster.submit(fn)
    with pytest.raises(TypeError, match="is an async function"):
        local_cluster.map(fn, [1])


def test_an_error_is_printed_with_its_remote_traceback(local_cluster: LocalCluster) -> None:
    error = local_cluster.submit(workloads.fail, "the text").exception(TIMEOUT_S)
    printed = "".join(traceback.format_exception(error))
    assert printed.index("raise LookupError(text)") < printed.rindex("LookupError: the text")


def test_the_death_of_workers_is_printed_with_its_evidence(local_cluster: LocalCluster) -> None:
    error = local_cluster.submit(workloads.die).exception(TIMEOUT_S)
    assert isinstance(error, WorkerDied)
    assert all(line in "".join(traceback.format_exception(error)) for line in error.evidence)


class TestMap:
    @pytest.mark.parametrize("chunksize", [1, 2, 100])
    @pytest.mark.parametrize("buffersize", [None, 1, 3])
    def test_keywords_go_to_every_call(
        self, local_cluster: LocalCluster, chunksize: int, buffersize: int | None
    ) -> None:
        results = local_cluster.map(add, range(7), base=10, chunksize=chunksize, buffersize=buffersize)
        assert list(results) == list(range(10, 17))

    @pytest.mark.parametrize("chunksize", [1, 3])
    def test_no_more_inputs_are_taken_than_may_wait(self, local_cluster: LocalCluster, chunksize: int) -> None:
        inputs = itertools.count()
        results = local_cluster.map(add, inputs, chunksize=chunksize, buffersize=4)
        assert next(inputs) == 4 * chunksize
        assert next(results) == 0
        assert next(inputs) == 5 * chunksize + 1  # one chunk more, and the one that this test took

    def test_without_a_limit_all_inputs_are_taken_at_once(self, local_cluster: LocalCluster) -> None:
        inputs = iter(range(5))
        results = local_cluster.map(add, inputs)
        assert list(inputs) == []
        assert list(results) == list(range(5))

    @pytest.mark.parametrize(
        ("argument", "kind", "text"),
        [
            ({"chunksize": 0}, ValueError, "chunksize must be >= 1"),
            ({"buffersize": 0}, ValueError, "buffersize must be None or > 0"),
            ({"buffersize": -1}, ValueError, "buffersize must be None or > 0"),
            ({"buffersize": 1.5}, TypeError, "buffersize must be an integer or None"),
            ({"buffersize": "foo"}, TypeError, "buffersize must be an integer or None"),
            ({"chunksize": "2"}, TypeError, "chunksize must be an integer"),
        ],
    )
    def test_numbers_that_make_no_sense_are_refused(
        self, local_cluster: LocalCluster, argument: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=text):
            local_cluster.map(add, [1], **argument)

    @pytest.mark.parametrize("buffersize", [1, 2, 4, 8])
    def test_a_buffer_changes_no_result(self, local_cluster: LocalCluster, buffersize: int) -> None:
        assert list(local_cluster.map(str, range(4), buffersize=buffersize)) == ["0", "1", "2", "3"]
        pairs = local_cluster.map(add, range(4), range(4), buffersize=buffersize)
        assert list(pairs) == [0, 2, 4, 6]
        assert list(local_cluster.map(str, [], buffersize=buffersize)) == []
        assert list(local_cluster.map(str, buffersize=buffersize)) == []

    def test_endless_inputs_may_be_several(self, local_cluster: LocalCluster) -> None:
        results = local_cluster.map(add, itertools.count(), itertools.count(), buffersize=2)
        assert [next(results) for _ in range(3)] == [0, 2, 4]

    def test_inputs_that_the_buffer_has_no_room_for_are_not_taken_at_the_end(
        self, local_cluster: LocalCluster
    ) -> None:
        inputs = itertools.count()
        with ClusterExecutor(local_cluster.address, own_modules=["tests"]) as executor:
            results = executor.map(add, inputs, buffersize=2)
        assert next(inputs) == 2
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            next(results)

    @pytest.mark.parametrize("chunksize", [1, 3])
    def test_a_result_is_held_by_nobody_but_who_has_it(
        self, local_cluster: LocalCluster, chunksize: int
    ) -> None:
        for thing in local_cluster.map(Thing, range(6), chunksize=chunksize):
            reference = weakref.ref(thing)
            del thing
            gc.collect()
            assert reference() is None

    def test_an_input_that_fails_is_raised_and_the_rest_is_cancelled(
        self, local_cluster: LocalCluster, gate: Gate
    ) -> None:
        def inputs() -> Iterator[int]:
            yield from [gate.port] * 2
            raise LookupError("no more")

        with pytest.raises(LookupError, match="no more"):
            local_cluster.map(workloads.hold, inputs())
        assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1  # by a worker that was freed

    @pytest.mark.parametrize("chunksize", [1, 2])
    def test_the_time_that_results_may_take_counts_from_the_call(
        self, local_cluster: LocalCluster, gate: Gate, chunksize: int
    ) -> None:
        results = local_cluster.map(workloads.hold, [gate.port] * 2, timeout=0.1, chunksize=chunksize)
        with pytest.raises(FutureTimeoutError):
            next(results)
        assert list(results) == []
        assert local_cluster.submit(abs, -1).result(TIMEOUT_S) == 1

    def test_an_executor_that_only_its_results_refer_to_goes_on(self) -> None:
        results = LocalCluster(1).map(add, range(20), buffersize=2)
        gc.collect()
        assert list(results) == list(range(20))
