"""Methods run when a peer calls them, and their outcome goes to whoever asked, and to nobody else."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, ProtocolError
from concurrent.transport.calls.answerer import Answerer
from concurrent.transport.calls.castlog import FAILURES_MAX
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from tests.unit.transport.parts import PEER_BYTES_MAX, Owner, Peer, StillLoop, Wire, new_line


class Made:
    """An answerer with what is around it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.loop, self.owner, self.peer = StillLoop(), Owner(), Peer()
        self.line, _, self.wire = new_line(self.loop, limits)
        self.answerer = Answerer(self.loop, self.line, self.owner, self.peer)

    @property
    def methods(self) -> MethodRegistry:
        """Where methods are registered."""
        return self.owner.methods

    def answers(self) -> list[tuple[Kind, Any]]:
        """Return what was answered, each with its kind."""
        self.loop.turn()
        return [(Kind(message.kind), message.fields) for message in self.wire.messages]


def test_a_call_is_answered_with_what_the_method_returns() -> None:
    made = Made()
    made.methods.register(lambda peer, request, value: [peer.node_id, request.call_id, value], "echo", "")
    made.answerer.handle_call([7, "echo", ["hello"], {}])
    assert made.answers() == [(Kind.RESULT, [7, ["peer", 7, "hello"]])]


def test_a_call_is_answered_with_what_the_method_raises() -> None:
    made = Made()
    made.answerer.handle_call([7, "nothing", [], {}])
    ((kind, (call_id, wire)),) = made.answers()
    assert (kind, call_id, wire["message"]) == (Kind.ERROR, 7, "there is no method 'nothing'")


def test_a_future_is_answered_when_it_is_done_in_whatever_thread() -> None:
    made = Made()
    future: Future[str] = Future()
    made.methods.register(lambda peer, request: future, "later", "")
    made.answerer.handle_call([7, "later", [], {}])
    assert not made.answers()
    made.loop.is_other = True
    future.set_result("done")
    assert not made.wire.messages
    assert made.answers() == [(Kind.RESULT, [7, "done"])]


def test_the_answer_for_an_earlier_session_goes_to_nobody() -> None:
    made = Made()
    future: Future[str] = Future()
    made.methods.register(lambda peer, request: future, "later", "")
    made.answerer.handle_call([7, "later", [], {}])
    made.line.open(another := Wire(), "another", PEER_BYTES_MAX)
    future.set_result("too late")
    assert not made.answers()
    assert not another.messages


def test_a_cast_is_not_answered_and_its_failure_counted() -> None:
    made = Made()
    got: list[int] = []
    made.methods.register(lambda peer, request, value: got.append(value), "put", "")
    made.answerer.handle_cast(["put", [1], {}])
    made.answerer.handle_cast(["put", [], {}])
    assert got == [1]
    assert made.owner.counted == ["casts_failed"]
    assert not made.answers()


def refusing(peer: Any, request: Any) -> None:
    raise InvalidArguments("not like that")


def test_a_vital_cast_that_fails_breaks_the_session() -> None:
    made = Made()
    made.methods.register(refusing, "vital", "", is_vital=True)
    with pytest.raises(ProtocolError, match="vital cannot be taken: not like that"):
        made.answerer.handle_cast(["vital", [], {}])


def test_failures_are_counted_anew_in_another_session() -> None:
    made = Made()
    made.methods.register(refusing, "bad", "")
    for _ in range(FAILURES_MAX - 1):
        made.answerer.handle_cast(["bad", [], {}])
    made.answerer.forget_failures()
    made.answerer.handle_cast(["bad", [], {}])
    assert len(made.owner.counted) == FAILURES_MAX


def test_a_peer_that_takes_no_answers_is_dismissed() -> None:
    made = Made(Limits(session_bytes_max=100, answers_bytes_max=10**6))
    made.methods.register(lambda peer, request: bytes(200), "much", "")
    for call_id in (1, 2):
        made.answerer.handle_call([call_id, "much", [], {}])
    assert [bye.code for bye in made.peer.dismissals] == ["closed"]
