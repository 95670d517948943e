"""Code of the user may raise or do what it likes, wherever it runs: it ends its own future at most."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest

from benchmarks.processes import free_port
from concurrent.apps import ClusterExecutor, LocalCluster
from concurrent.core.errors import LoopClosed, NodeError, TaskFailed
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps import workloads
from tests.system.cluster import Gate, wait_until

TIMEOUT_S = 30.0
ROOM_BYTES = 24 << 20
"""Two of these are more than a program may have under way."""


class Base(BaseException):
    """A class of the user's own that is no Exception."""


ENDINGS = [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, Base, ValueError]


def raise_one(kind: type[BaseException]) -> Any:
    raise kind("on purpose")


class Raises:
    """Raises when it is unpickled, but not on the worker that makes it."""

    def __init__(self, kind: type[BaseException], pid: int = 0) -> None:
        self.kind = kind
        self.pid = pid

    def __reduce__(self) -> tuple[Any, ...]:
        return raise_one, (self.kind,)


class Broken(Exception):
    """An error that the worker can rebuild, and its owner cannot."""

    def __init__(self, kind: type[BaseException], pid: int) -> None:
        super().__init__(kind, pid)
        if os.getpid() == pid:
            raise_one(kind)


def return_raising(kind: type[BaseException]) -> Raises:
    return Raises(kind)


def fail_raising(kind: type[BaseException], pid: int) -> None:
    raise Broken(kind, pid)


def size(data: bytes) -> int:
    return len(data)


@pytest.mark.parametrize("kind", ENDINGS)
class TestWhateverIsRaised:
    """In each place where code of the user runs."""

    def test_while_a_result_is_unpickled(self, local_cluster: LocalCluster, kind: type[BaseException]) -> None:
        futures = [local_cluster.submit(return_raising, kind), local_cluster.submit(abs, -7)]
        error = futures[0].exception(TIMEOUT_S)
        assert isinstance(error, TaskFailed)
        assert f"{kind.__name__}: on purpose" in str(error)
        assert futures[1].result(TIMEOUT_S) == 7
        assert local_cluster.submit(abs, -8).result(TIMEOUT_S) == 8

    def test_while_an_error_is_unpickled(self, local_cluster: LocalCluster, kind: type[BaseException]) -> None:
        error = local_cluster.submit(fail_raising, kind, os.getpid()).exception(TIMEOUT_S)
        assert isinstance(error, TaskFailed)
        assert str(error).startswith("Broken: ")
        assert local_cluster.submit(abs, -8).result(TIMEOUT_S) == 8

    def test_in_a_callback(
        self,
        local_cluster: LocalCluster,
        gate: Gate,
        kind: type[BaseException],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        called = threading.Event()
        first = local_cluster.submit(workloads.hold, gate.port)
        first.add_done_callback(lambda _future: raise_one(kind))
        first.add_done_callback(lambda _future: called.set())
        gate.open()  # what is done already would be called by this thread
        with caplog.at_level(logging.ERROR):
            assert called.wait(TIMEOUT_S)
        assert f"{kind.__name__}: on purpose" in caplog.text
        assert local_cluster.submit(abs, -8).result(TIMEOUT_S) == 8

    def test_while_an_argument_is_pickled(self, kind: type[BaseException]) -> None:
        class Argument:
            def __reduce__(self) -> tuple[Any, ...]:
                return raise_one(kind)  # type: ignore[no-any-return]

        with ClusterExecutor(f"127.0.0.1:{free_port()}") as executor:  # nothing open is left for its end
            if issubclass(kind, Exception):
                assert executor.submit(abs, Argument()).exception(TIMEOUT_S) is not None
            else:
                with pytest.raises(kind):
                    executor.submit(abs, Argument())

    def test_in_a_log_handler(
        self, local_cluster: LocalCluster, loop: NodeLoop, gate: Gate, kind: type[BaseException]
    ) -> None:
        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                raise_one(kind)

        handler = Handler()
        logging.getLogger("concurrent").addHandler(handler)
        try:
            future = local_cluster.submit(workloads.hold, gate.port)
            future.add_done_callback(lambda _future: raise_one(ValueError))
            for schedule in (loop.post, loop.call_soon):
                loop.call(schedule, raise_one, kind, timeout_s=TIMEOUT_S)
            called = threading.Event()
            future.add_done_callback(lambda _future: called.set())
            gate.open()
            assert called.wait(TIMEOUT_S)
            assert loop.call(pow, 2, 2, timeout_s=TIMEOUT_S) == 4
        finally:
            logging.getLogger("concurrent").removeHandler(handler)

    def test_in_a_call_of_the_loop(
        self, loop: NodeLoop, kind: type[BaseException], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR, logger="concurrent.transport"):
            for schedule in (loop.post, loop.call_soon):
                loop.call(schedule, raise_one, kind, timeout_s=TIMEOUT_S)
            loop.call(loop.call_later, 0.0, raise_one, kind, timeout_s=TIMEOUT_S)
            loop.call(loop.defer, lambda: raise_one(kind), timeout_s=TIMEOUT_S)
            wait_until(lambda: caplog.text.count("on purpose") >= 4, "all four were logged")
        assert loop.call(pow, 2, 2, timeout_s=TIMEOUT_S) == 4


def test_a_result_that_never_ends_being_unpickled_holds_up_neither_loop_nor_plain_results() -> None:
    may_go_on = threading.Event()
    waiting.append(may_go_on)
    with LocalCluster(1) as cluster:
        held = cluster.submit(Held)
        assert cluster.submit(abs, -8).result(TIMEOUT_S) == 8
        assert cluster.workers == 1  # which the loop has to ask for
        assert not held.done()
        may_go_on.set()
        assert isinstance(held.result(TIMEOUT_S), int)
    waiting.clear()


waiting: list[threading.Event] = []


def wait_here() -> int:
    return waiting[0].wait(TIMEOUT_S) if waiting else 0


class Held:
    """Is unpickled when the test allows it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return wait_here, ()


def test_pickling_that_takes_long_holds_the_loop_up_in_nothing() -> None:
    is_pickled, may_go_on = threading.Event(), threading.Event()

    class Slow:
        def __reduce__(self) -> tuple[Any, ...]:
            is_pickled.set()
            may_go_on.wait(TIMEOUT_S)
            return int, ()

    with ClusterExecutor(f"127.0.0.1:{free_port()}") as executor:
        waiting_to_be_sent = executor.submit(abs, -1)
        slow = _Waiters(lambda: executor.submit(abs, Slow()).cancel())  # type: ignore[arg-type]
        slow.start(slice(None))
        assert is_pickled.wait(TIMEOUT_S)
        assert waiting_to_be_sent.cancel()
        assert executor._core.loop.call(abs, -1, timeout_s=TIMEOUT_S / 3) == 1
        may_go_on.set()
        slow.join()


def test_an_argument_may_submit_while_it_is_pickled(local_cluster: LocalCluster) -> None:
    inner: list[Future[int]] = []

    class Submits:
        def __reduce__(self) -> tuple[Any, ...]:
            inner.append(local_cluster.submit(abs, -3))
            return int, ("-4",)

    assert local_cluster.submit(abs, Submits()).result(TIMEOUT_S) == 4  # type: ignore[arg-type]
    assert [future.result(TIMEOUT_S) for future in inner][-1] == 3


@pytest.mark.parametrize("wait", [True, False])
def test_an_argument_may_shut_the_executor_down_while_it_is_pickled(wait: bool) -> None:
    class ShutsDown:
        def __reduce__(self) -> tuple[Any, ...]:
            executor.shutdown(wait=wait)
            return int, ("-4",)

    with LocalCluster(1, own_modules=["tests"]) as executor:
        assert executor.submit(abs, ShutsDown()).result(TIMEOUT_S) == 4  # type: ignore[arg-type]


class Owner:
    """Owns an executor that it is an argument of, and shuts it down when nobody refers to it."""

    def __init__(self) -> None:
        self.executor = LocalCluster(1, own_modules=["tests"])

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ()

    def __del__(self) -> None:
        self.executor.shutdown()
        deleted.append(threading.current_thread().name)


deleted: list[str] = []


def test_an_argument_that_shuts_the_executor_down_when_it_is_dropped_holds_nothing_up() -> None:
    owner = Owner()
    future = owner.executor.submit(abs, owner)  # type: ignore[arg-type]
    core = owner.executor._core
    del owner
    assert future.result(TIMEOUT_S) == 0
    wait_until(lambda: core.state == "shut down", "the executor was shut down")
    assert len(deleted) == 1


def test_callbacks_submit_though_there_is_no_room_and_wait_for_futures() -> None:
    seen: list[int] = []
    done = threading.Event()
    with LocalCluster(2) as cluster:

        def then(_future: Future[int]) -> None:
            seen.append(cluster.submit(size, bytes(ROOM_BYTES)).result(TIMEOUT_S))
            if len(seen) == 4:
                done.set()

        for _ in range(4):
            cluster.submit(size, bytes(ROOM_BYTES)).add_done_callback(then)
        assert done.wait(TIMEOUT_S)
    assert seen == [ROOM_BYTES] * 4


@pytest.mark.parametrize("wait", [True, False])
def test_a_callback_may_shut_the_executor_down(wait: bool) -> None:
    cluster = LocalCluster(1)
    returned = threading.Event()

    def end(_future: Future[int]) -> None:
        cluster.shutdown(wait=wait)
        returned.set()

    first = cluster.submit(abs, -1)
    second = cluster.submit(time.sleep, 0.2)
    first.add_done_callback(end)
    assert returned.wait(TIMEOUT_S)
    assert second.done() or not wait
    cluster.shutdown()
    assert second.result(0) is None
    with pytest.raises(RuntimeError, match="after shutdown"):
        cluster.submit(abs, -1)


def test_shutdown_returns_when_all_callbacks_have_been_called() -> None:
    called: list[int] = []
    cluster = LocalCluster(1)
    for number in range(3):
        cluster.submit(abs, number).add_done_callback(
            lambda future: (time.sleep(0.05), called.append(future.result()))  # type: ignore[func-returns-value]
        )
    cluster.shutdown()
    assert called == [0, 1, 2]


def test_a_slow_callback_holds_up_nobody_who_waits() -> None:
    may_go_on = threading.Event()
    with LocalCluster(1) as cluster:
        cluster.submit(abs, -1).add_done_callback(lambda _future: may_go_on.wait(TIMEOUT_S))
        assert cluster.submit(abs, -2).result(TIMEOUT_S) == 2
        assert cluster.submit(complex, "3j").result(TIMEOUT_S) == 3j
        may_go_on.set()


def _have_fail(loop: NodeLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if somebody had closed descriptors that are not theirs."""

    def end_turn() -> bool:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(loop._selector, "_end_turn", end_turn)


def test_when_the_loop_fails_every_future_and_every_waiter_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    core = executor._core
    future = executor.submit(abs, -1)
    waiters = _Waiters(
        lambda: core.loop.call(abs, -1, timeout_s=TIMEOUT_S),
        lambda: executor.workers,
        lambda: [executor.submit(size, bytes(ROOM_BYTES)) for _ in range(3)],
        lambda: executor.shutdown(),
    )
    is_busy, may_fail = threading.Event(), threading.Event()

    def fail_when_told() -> None:
        is_busy.set()
        may_fail.wait(TIMEOUT_S)
        _have_fail(core.loop, monkeypatch)

    core.loop.post(fail_when_told)
    assert is_busy.wait(TIMEOUT_S)
    waiters.start(slice(0, 1))
    wait_until(lambda: len(core.loop._inbox) > 0, "a call waits for the loop")
    waiters.start(slice(1, None))
    may_fail.set()
    error = future.exception(TIMEOUT_S)
    assert isinstance(error, NodeError)
    assert "broke down" in str(error)
    waiters.join()
    assert isinstance(waiters.errors[0], LoopClosed)
    assert isinstance(waiters.errors[1], NodeError)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, -1)


def test_who_asks_for_the_workers_of_a_cluster_that_is_not_there_is_told_when_that_is_shut_down() -> None:
    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    waiters = _Waiters(lambda: executor.workers)
    waiters.start(slice(None))
    executor.shutdown()
    waiters.join()
    assert isinstance(waiters.errors[0], NodeError)


def test_when_the_loop_has_failed_new_work_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ClusterExecutor(f"127.0.0.1:{free_port()}")
    executor.submit(abs, -1)
    executor._core.loop.post(_have_fail, executor._core.loop, monkeypatch)
    wait_until(lambda: "broken" in repr(executor), "the loop has failed")
    with pytest.raises(NodeError, match="broke down"):
        executor.submit(abs, -1)
    executor.shutdown()


class _Waiters:
    """Threads that wait for something, and what they got instead."""

    def __init__(self, *calls: Any) -> None:
        self.errors: list[BaseException | None] = [None] * len(calls)
        self._threads = [
            threading.Thread(target=self._wait, args=(number, call)) for number, call in enumerate(calls)
        ]

    def start(self, which: slice) -> None:
        for thread in self._threads[which]:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(TIMEOUT_S / 3)
        assert [thread.is_alive() for thread in self._threads] == [False] * len(self._threads)

    def _wait(self, number: int, call: Any) -> None:
        try:
            call()
        except BaseException as error:  # boundary: the test looks at it
            self.errors[number] = error
