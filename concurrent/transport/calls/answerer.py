"""Runs the methods that a peer calls, and answers it."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from concurrent.core.errors import LimitExceeded, LoopClosed, QueueFull
from concurrent.core.loggers import get_log
from concurrent.transport.calls.answer import Request, encode_error, encode_future, encode_result, new_request
from concurrent.transport.calls.castlog import FailedCasts
from concurrent.transport.calls.line import Line
from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.session.envelope import Body
from concurrent.transport.session.messages import Bye
from concurrent.transport.session.session import Session
from concurrent.transport.session.states import SessionState

__all__ = ["Answerer", "IMethodOwner"]

log = get_log(__name__)


class IMethodOwner(Protocol):
    """Who has the methods. Loop thread only."""

    methods: MethodRegistry

    def count(self, name: str) -> None:
        """Count an event in the statistics of the node."""


class IPeer(Protocol):
    """Who is answered; methods get it as their first argument."""

    node_id: str
    peer_ip: str
    identity: Identity

    def dismiss(self, bye: Bye) -> None:
        """End the session."""


class Answerer:
    """Answers one peer. Loop thread only, but that futures may be finished in any thread.

    :param loop: the node's loop.
    :param line: what answers leave on.
    :param owner: who has the methods.
    :param peer: who asks.
    """

    def __init__(self, loop: NodeLoop, line: Line, owner: IMethodOwner, peer: IPeer) -> None:
        self._loop = loop
        self._line = line
        self._owner = owner
        self._peer = peer
        self._failed_casts = FailedCasts()

    def forget_failures(self) -> None:
        """Begin to count failed casts anew, for another session."""
        self._failed_casts = FailedCasts()

    def handle_cast(self, fields: list[Any]) -> None:
        """Run a method whose outcome nobody waits for.

        :raises ProtocolError: if the session cannot go on without it.
        """
        method, args, kwargs = fields
        peer = self._peer
        request = new_request((method, None, peer.peer_ip, peer.identity))
        try:
            self._owner.methods.dispatch(method, (peer, request), args, kwargs)
        except LimitExceeded:
            raise
        except BaseException as error:  # boundary: a method of the node failed, and nobody waits for it
            self._owner.count("casts_failed")
            is_vital = self._owner.methods.is_vital(method)
            self._failed_casts.note(method, peer.node_id, error, is_vital=is_vital)

    def handle_call(self, fields: list[Any]) -> None:
        """Run a method and answer with what it returns, or with what its future gets.

        :raises ProtocolError: if the peer goes on to call though it takes no answers.
        """
        call_id, method, args, kwargs = fields
        session = self._line.session
        request = Request(method, call_id, self._peer.peer_ip, self._peer.identity)
        refusal = session.refusal_of_call()
        if refusal is not None:
            self._reply(*encode_error(session, request, refusal))
            return
        try:
            value = self._owner.methods.dispatch(method, (self._peer, request), args, kwargs)
        except LimitExceeded:
            raise
        except BaseException as error:  # boundary: the failure of a method belongs to its caller
            self._reply(*encode_error(self._line.session, request, error))
            return
        if isinstance(value, Future):
            value.add_done_callback(partial(self._answered, self._line.session, request))
        else:
            self._reply(*encode_result(self._line.session, request, value))

    def _answered(self, session: Session, request: Request, future: Future[Any]) -> None:
        """A method's future is done; runs in whatever thread finished it."""
        if self._loop.is_current():
            self._reply_future(session, request, future)
            return
        with suppress(LoopClosed):
            self._loop.post(self._reply_future, session, request, future)

    def _reply_future(self, session: Session, request: Request, future: Future[Any]) -> None:
        if session is self._line.session:
            self._reply(*encode_future(session, request, future))

    def _reply(self, kind: int, body: Body) -> None:
        if self._line.session.state is SessionState.CLOSED:
            return
        try:
            self._line.push(kind, body)
        except QueueFull as error:
            log.error("%s takes no results: %s", self._peer.node_id, error)
            self._peer.dismiss(Bye("closed", str(error)))
