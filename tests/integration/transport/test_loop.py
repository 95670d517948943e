"""The loop runs what is posted to it: in order, to the last call, whatever a callback does."""

from __future__ import annotations

import logging
import queue
import socket
import threading

import pytest

from concurrent.core.errors import CallTimeout, LoopClosed
from concurrent.transport.loop.loop import NodeLoop

WAIT_S = 10.0


def test_posted_calls_run_in_order_on_the_loop_thread(loop: NodeLoop) -> None:
    ran: list[int] = []
    for number in range(5000):
        loop.post(ran.append, number)
    assert loop.call(list, ran, timeout_s=WAIT_S) == list(range(5000))
    assert loop.call(loop.is_current, timeout_s=WAIT_S)
    assert not loop.is_current()


def test_what_is_posted_before_the_start_runs_then() -> None:
    loop = NodeLoop("test-loop")
    ran: list[int] = []
    for number in range(3):
        loop.post(ran.append, number)
    loop.start()
    assert loop.call(list, ran, timeout_s=WAIT_S) == [0, 1, 2]
    loop.stop()


def test_deferred_calls_run_behind_what_came_in_with_them_and_in_the_same_turn(loop: NodeLoop) -> None:
    ran: queue.SimpleQueue[str] = queue.SimpleQueue()

    def defer() -> None:
        loop.call_soon(ran.put, "next turn")
        loop.defer(lambda: loop.defer(lambda: ran.put("deferred by a deferred one")))
        loop.defer(lambda: ran.put("deferred"))
        ran.put("now")

    loop.post(defer)
    order = [ran.get(timeout=WAIT_S) for _ in range(4)]
    assert order == ["now", "deferred", "deferred by a deferred one", "next turn"]


def test_a_timer_that_a_deferred_call_starts_ends_in_time_on_an_idle_loop(loop: NodeLoop) -> None:
    ended: queue.Queue[str] = queue.Queue()
    loop.post(loop.defer, lambda: loop.call_later(0.001, ended.put, "ended"))
    assert ended.get(timeout=WAIT_S) == "ended"


def test_what_is_deferred_in_the_last_turn_runs_before_the_loop_ends() -> None:
    loop = NodeLoop("test-loop")
    loop.start()
    ran: list[str] = []
    is_busy, may_go_on = threading.Event(), threading.Event()

    def be_busy() -> None:
        is_busy.set()
        may_go_on.wait(WAIT_S)

    loop.post(be_busy)
    is_busy.wait(WAIT_S)
    loop.post(loop.defer, lambda: ran.append("deferred"))
    stopper = threading.Thread(target=loop.stop)
    stopper.start()
    may_go_on.set()
    stopper.join(WAIT_S)
    assert ran == ["deferred"]


def test_a_deferred_call_that_raises_is_logged_and_the_others_run(
    loop: NodeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    ran: queue.SimpleQueue[str] = queue.SimpleQueue()

    def fail() -> None:
        raise ValueError("deferred failure")

    def defer() -> None:
        loop.defer(fail)
        loop.defer(lambda: ran.put("after it"))

    with caplog.at_level(logging.ERROR):
        loop.post(defer)
        assert ran.get(timeout=WAIT_S) == "after it"
    assert "a deferred call failed" in caplog.text
    assert "deferred failure" in caplog.text


def test_calls_of_each_thread_keep_their_order(loop: NodeLoop) -> None:
    ran: list[tuple[int, int]] = []
    threads = [
        threading.Thread(target=lambda name=name: [loop.post(ran.append, (name, n)) for n in range(2000)])
        for name in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    loop.call(int, timeout_s=WAIT_S)
    assert len(ran) == 8000
    for name in range(4):
        assert [number for who, number in ran if who == name] == list(range(2000))


def test_call_returns_or_raises_what_the_function_does(loop: NodeLoop) -> None:
    assert loop.call(pow, 2, 10, timeout_s=WAIT_S) == 1024
    with pytest.raises(ZeroDivisionError):
        loop.call(divmod, 1, 0, timeout_s=WAIT_S)


def test_call_from_the_loop_itself_runs_at_once(loop: NodeLoop) -> None:
    assert loop.call(lambda: loop.call(pow, 2, 3, timeout_s=WAIT_S), timeout_s=WAIT_S) == 8


def test_a_call_that_has_no_result_in_time_is_dropped(loop: NodeLoop) -> None:
    release = threading.Event()
    ran: list[int] = []
    loop.post(release.wait, WAIT_S)
    with pytest.raises(CallTimeout, match="test-loop did not answer"):
        loop.call(ran.append, 1, timeout_s=0.01)
    release.set()
    loop.call(int, timeout_s=WAIT_S)
    assert ran == []


def test_a_callback_that_raises_is_logged_and_ends_nothing(
    loop: NodeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, logger="concurrent.transport"):
        loop.post(divmod, 1, 0)
        loop.post(loop.call_soon, divmod, 2, 0)
        loop.call(int, timeout_s=WAIT_S)
        loop.call(int, timeout_s=WAIT_S)
    errors = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert errors == [ZeroDivisionError, ZeroDivisionError]
    assert loop.call(pow, 2, 2, timeout_s=WAIT_S) == 4


def test_what_was_accepted_runs_before_the_loop_ends() -> None:
    for _ in range(20):
        loop = NodeLoop("ending-loop")
        loop.start()
        ran: list[int] = []
        accepted: list[int] = []

        def post_until_refused(
            loop: NodeLoop = loop, ran: list[int] = ran, accepted: list[int] = accepted
        ) -> None:
            number = 0
            while True:
                try:
                    loop.post(ran.append, number)
                except LoopClosed:
                    return
                accepted.append(number)
                number += 1

        thread = threading.Thread(target=post_until_refused)
        thread.start()
        loop.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()
        assert ran == accepted


def test_a_loop_that_has_ended_takes_no_calls_and_says_so() -> None:
    loop = NodeLoop("ended-loop")
    loop.start()
    loop.stop()
    loop.stop()
    with pytest.raises(LoopClosed, match="ended-loop"):
        loop.post(int)
    with pytest.raises(LoopClosed):
        loop.call(int, timeout_s=WAIT_S)


def test_a_loop_that_never_started_can_be_stopped() -> None:
    loop = NodeLoop("idle-loop")
    loop.stop()
    with pytest.raises(LoopClosed):
        loop.post(int)


def test_a_stop_that_a_callback_holds_up_says_so() -> None:
    loop = NodeLoop("busy-loop")
    loop.start()
    release = threading.Event()
    loop.post(release.wait, WAIT_S)
    with pytest.raises(CallTimeout, match="busy"):
        loop.stop(timeout_s=0.01)
    release.set()
    loop.stop()


def test_timers_fire_unless_they_are_cancelled(loop: NodeLoop) -> None:
    fired: queue.Queue[str] = queue.Queue()

    def set_timers() -> None:
        loop.call_later(0.0, fired.put, "cancelled").cancel()
        loop.call_later(0.01, fired.put, "fired")

    loop.call(set_timers, timeout_s=WAIT_S)
    assert fired.get(timeout=WAIT_S) == "fired"


def test_a_readable_descriptor_is_announced(loop: NodeLoop) -> None:
    here, there = socket.socketpair()
    with here, there:
        heard: queue.Queue[bytes] = queue.Queue()
        loop.call(loop.add_reader, here, lambda: heard.put(here.recv(10)), timeout_s=WAIT_S)
        there.send(b"hello")
        assert heard.get(timeout=WAIT_S) == b"hello"
        assert loop.call(loop.remove_reader, here, timeout_s=WAIT_S)


def test_a_descriptor_may_be_watched_for_both_and_each_ends_alone(loop: NodeLoop) -> None:
    here, there = socket.socketpair()
    with here, there:
        done: queue.Queue[str] = queue.Queue()

        def written() -> None:
            assert loop.remove_writer(here)
            done.put("written")

        loop.call(loop.add_reader, here, lambda: done.put(here.recv(10).decode()), timeout_s=WAIT_S)
        loop.call(loop.add_writer, here, written, timeout_s=WAIT_S)
        assert done.get(timeout=WAIT_S) == "written"
        there.send(b"read")
        assert done.get(timeout=WAIT_S) == "read"
        assert not loop.call(loop.remove_writer, here, timeout_s=WAIT_S)
        assert loop.call(loop.remove_reader, here, timeout_s=WAIT_S)
        there.send(b"unread")
        loop.call(int, timeout_s=WAIT_S)
        assert done.empty()


def test_nothing_is_read_from_a_descriptor_that_another_callback_of_the_turn_gave_up(loop: NodeLoop) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    reads: queue.Queue[int] = queue.Queue()

    def read(index: int) -> None:
        reads.put(index)
        for here, _ in pairs:
            loop.remove_reader(here)

    def watch() -> None:
        for index, (here, there) in enumerate(pairs):
            there.send(b"both are ready before the loop looks at them")
            loop.add_reader(here, read, index)

    loop.call(watch, timeout_s=WAIT_S)
    reads.get(timeout=WAIT_S)
    loop.call(int, timeout_s=WAIT_S)
    assert reads.empty()
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_reader_that_raises_is_logged_and_the_loop_goes_on(
    loop: NodeLoop, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = socket.socketpair()
    with here, there:
        heard: queue.Queue[bytes] = queue.Queue()

        def read() -> None:
            heard.put(here.recv(10))
            raise ValueError("what the reader met")

        with caplog.at_level(logging.ERROR):
            loop.call(loop.add_reader, here, read, timeout_s=WAIT_S)
            for message in (b"first", b"second"):
                there.send(message)
                assert heard.get(timeout=WAIT_S) == message
            loop.call(loop.remove_reader, here, timeout_s=WAIT_S)
    assert caplog.text.count("a reading call failed") == 2


def test_timers_end_while_sockets_are_busy(loop: NodeLoop) -> None:
    here, there = socket.socketpair()
    with here, there:
        ended = threading.Event()

        def answer() -> None:
            there.send(here.recv(1))

        def begin() -> None:
            loop.add_reader(here, answer)
            loop.add_reader(there, lambda: here.send(there.recv(1)))
            loop.call_later(0.01, ended.set)
            there.send(b"x")

        loop.call(begin, timeout_s=WAIT_S)
        assert ended.wait(WAIT_S)
        for end in (here, there):
            loop.call(loop.remove_reader, end, timeout_s=WAIT_S)


def test_timers_belong_to_the_loop_thread(loop: NodeLoop) -> None:
    with pytest.raises(AssertionError, match="use post"):
        loop.call_later(1.0, int)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_a_callback_raises_the_loop_goes_on(
    loop: NodeLoop, kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise kind("on purpose")

    def fail_as_a_reader(sock: socket.socket) -> None:
        loop.remove_reader(sock)
        fail()

    ours, theirs = socket.socketpair()
    with ours, theirs, caplog.at_level(logging.ERROR):
        loop.post(fail)
        loop.post(loop.call_soon, fail)
        loop.call(loop.call_later, 0.0, fail, timeout_s=WAIT_S)
        loop.call(loop.add_reader, ours, fail_as_a_reader, ours, timeout_s=WAIT_S)
        theirs.send(b"x")
        ended: queue.Queue[str] = queue.Queue()
        loop.call(loop.call_later, 0.05, ended.put, "goes on", timeout_s=WAIT_S)
        assert ended.get(timeout=WAIT_S) == "goes on"
        with pytest.raises(kind):
            loop.call(fail, timeout_s=WAIT_S)
    assert loop.call(pow, 2, 2, timeout_s=WAIT_S) == 4


def test_a_loop_that_fails_tells_its_owner_and_whoever_waits() -> None:
    told: list[BaseException] = []
    loop = NodeLoop("failing-loop", on_failed=told.append)
    loop.start()
    is_busy, may_fail = threading.Event(), threading.Event()

    def fail_soon() -> None:
        is_busy.set()
        may_fail.wait(WAIT_S)
        loop._selector._end_turn = fail  # as if its descriptors had been closed

    def fail() -> bool:
        raise OSError("Bad file descriptor")

    errors: list[Exception] = []

    def wait() -> None:
        try:
            loop.call(int, timeout_s=WAIT_S)
        except LoopClosed as error:
            errors.append(error)

    loop.post(fail_soon)
    assert is_busy.wait(WAIT_S)
    waiter = threading.Thread(target=wait)
    waiter.start()
    while not loop._inbox:
        waiter.join(0.001)
    may_fail.set()
    waiter.join(WAIT_S)
    assert len(errors) == 1
    assert [str(error) for error in told] == ["Bad file descriptor"]
    with pytest.raises(LoopClosed):
        loop.post(int)
    loop.stop()
