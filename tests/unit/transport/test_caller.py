"""Calls get their answers, or the reason why there is none; other threads have room claimed for them."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import CallTimeout, ConnectionLost, QueueFull, UnknownMethod
from concurrent.transport.calls.caller import Caller
from concurrent.transport.calls.line import Line
from concurrent.transport.calls.methods import error_to_wire
from concurrent.transport.session.envelope import encode_body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from tests.unit.transport.parts import StillLoop, Wire, new_line


class Made:
    """A caller with what is around it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.loop = StillLoop()
        self.dropped = 0
        self.line: Line
        self.wire: Wire
        self.line, self.push_back, self.wire = new_line(self.loop, limits)
        self.caller = Caller(
            self.loop, self.line, self.push_back, describe=lambda: "peer", on_dropped=self.count_dropped
        )

    def count_dropped(self) -> None:
        """Count."""
        self.dropped += 1

    def begin(self, timeout_s: float = 1.0) -> tuple[int, Future[Any]]:
        """Begin a call on the loop's thread."""
        call_id, future = self.caller.new_id(), Future[Any]()
        body = encode_body((call_id, "ask", (), {}), "ask")
        self.caller.begin(call_id, "ask", body, future, timeout_s)
        self.loop.turn()
        return call_id, future


def test_results_and_errors_go_to_the_future_of_their_call() -> None:
    made = Made()
    (first, good), (second, bad) = made.begin(), made.begin()
    assert first != second
    assert made.wire.kinds() == [Kind.CALL, Kind.CALL]
    made.caller.take_error([second, error_to_wire(UnknownMethod("there is none"))])
    made.caller.take_result([first, "answer"])
    assert good.result(0) == "answer"
    with pytest.raises(UnknownMethod, match="there is none"):
        bad.result(0)


def test_an_answer_after_the_timeout_is_ignored() -> None:
    made = Made()
    call_id, future = made.begin()
    made.loop.let_timers_run()
    made.caller.take_result([call_id, "late"])
    with pytest.raises(CallTimeout, match="peer did not answer ask"):
        future.result(0)


def test_calls_without_an_answer_fail_with_what_ended_the_session() -> None:
    made = Made()
    _, future = made.begin()
    made.caller.fail_all(ConnectionLost("the peer has gone"))
    with pytest.raises(ConnectionLost, match="the peer has gone"):
        future.result(0)


def test_a_call_of_another_thread_is_sent_by_the_loop() -> None:
    made = Made()
    future = Future[Any]()
    made.caller.post_call((1, "ask", encode_body((1, "ask", (), {}), "ask"), future, 1.0), "peer")
    assert not made.wire.messages
    made.loop.turn()
    assert made.wire.kinds() == [Kind.CALL]
    made.caller.take_result([1, "answer"])
    assert future.result(0) == "answer"


def test_a_call_that_finds_the_session_ended_fails() -> None:
    made = Made()
    future = Future[Any]()
    made.caller.post_call((1, "ask", encode_body((1, "ask", (), {}), "ask"), future, 1.0), "peer")
    made.line.end(ConnectionLost("gone meanwhile"))
    made.loop.turn()
    with pytest.raises(ConnectionLost, match="gone meanwhile"):
        future.result(0)


def test_a_cast_that_finds_the_session_ended_is_dropped_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Made()
    made.caller.post_cast("put", encode_body(("put", (), {}), "put"), "peer")
    made.line.end(ConnectionLost("gone meanwhile"))
    with caplog.at_level(logging.WARNING):
        made.loop.turn()
    assert made.dropped == 1
    assert "a cast of put to peer is dropped: gone meanwhile" in caplog.text


def test_another_thread_waits_for_room_no_longer_than_it_may() -> None:
    made = Made(Limits(outbox_bytes_max=100, room_timeout_s=0.01))
    body = encode_body(("put", (bytes(200),), {}), "put")
    made.caller.post_cast("put", body, "peer")
    with pytest.raises(QueueFull, match="the queue for peer had no room"):
        made.caller.post_cast("put", body, "peer")


def test_nothing_is_claimed_once_the_session_has_ended() -> None:
    made = Made()
    made.line.end(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost, match="gone"):
        made.caller.post_cast("put", encode_body(("put", (), {}), "put"), "peer")
    assert not made.loop.ready
