"""A thread that makes calls for others goes on whatever they raise, and makes every call it was given."""

from __future__ import annotations

import logging
import os
import sys
import threading
import weakref

import pytest

from concurrent.core.callthread import CallThread

WAIT_S = 10.0


def test_calls_are_made_in_order_in_one_thread() -> None:
    thread = CallThread("test-calls")
    made: list[tuple[int, bool]] = []
    thread.put(lambda: made.append((0, thread.is_current())))  # before it was started
    thread.start()
    for number in range(1, 100):
        thread.put(lambda number=number: made.append((number, thread.is_current())))  # type: ignore[misc]
    thread.end()
    thread.join()
    assert made == [(number, True) for number in range(100)]
    assert not thread.is_current()


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_call_that_raises_is_logged_and_the_next_is_made(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    thread = CallThread("test-calls")
    thread.start()
    made = threading.Event()

    def fail() -> None:
        raise kind("on purpose")

    with caplog.at_level(logging.ERROR):
        thread.put(fail)
        thread.put(made.set)
        assert made.wait(WAIT_S)
    assert "test-calls: a call failed" in caplog.text
    assert "on purpose" in caplog.text
    thread.end()
    thread.join()


def test_what_is_put_after_the_end_is_made_at_once() -> None:
    thread = CallThread("test-calls")
    thread.start()
    thread.end()
    thread.end()
    thread.join()
    made: list[str] = []
    thread.put(lambda: made.append(threading.current_thread().name))
    assert made == [threading.current_thread().name]


def test_a_call_that_was_made_is_not_held() -> None:
    class Held:
        """What a call has to do with."""

        def use(self) -> None:
            """Nothing."""

    thread = CallThread("test-calls")
    thread.start()
    held, done = Held(), threading.Event()
    reference = weakref.ref(held)
    thread.put(held.use)
    del held
    thread.put(done.set)
    assert done.wait(WAIT_S)
    assert reference() is None, sys.getrefcount(reference())
    thread.end()
    thread.join()


@pytest.mark.parametrize(("ending", "code"), [("pass", 0), ("sys.exit(7)", 7), ("raise KeyboardInterrupt", 1)])
def test_a_copy_that_a_call_forks_ends_with_the_call(ending: str, code: int) -> None:
    thread = CallThread("test-calls")
    codes: list[int] = []

    def fork() -> None:
        pid = os.fork()
        if not pid:
            exec(ending)
            return
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    thread.put(fork)
    thread.start()
    thread.end()
    thread.join()
    assert codes == [code]
