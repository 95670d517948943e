"""Casts and calls on their way to a peer, from the loop's thread and from others, and the answers to calls."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from concurrent.core.errors import TransportError
from concurrent.core.loggers import get_log
from concurrent.transport.calls.calls import PendingCalls, fail
from concurrent.transport.calls.line import Line
from concurrent.transport.calls.methods import error_from_wire
from concurrent.transport.calls.pushback import PushBack
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import Body
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.states import SessionState

__all__ = ["Caller"]

CALL, OPEN = Kind.CALL, SessionState.OPEN  # looked up for each call, which costs more at the class

log = get_log(__name__)


class Caller:
    """Another thread than the loop's first claims room, where it may have to wait; then the loop pushes.

    ``new_id`` returns the id of another call; any thread.

    :param loop: the node's loop.
    :param line: what messages leave on.
    :param push_back: the bound of its queue.
    :param describe: names the peer and where it stands, for errors. Loop thread.
    :param on_dropped: told of each cast that found no session any more. Loop thread.
    """

    def __init__(
        self,
        loop: NodeLoop,
        line: Line,
        push_back: PushBack,
        *,
        describe: Callable[[], str],
        on_dropped: Callable[[], object],
    ) -> None:
        self.new_id = itertools.count(1).__next__
        self._loop = loop
        self._line = line
        self._push_back = push_back
        self._describe = describe
        self._on_dropped = on_dropped
        self._pending = PendingCalls(loop, describe)

    def post_cast(self, method: str, body: Body, peer: str) -> None:
        """Send a cast from another thread than the loop's; waits for room.

        :param peer: the name of the peer.
        :raises TransportError: as :meth:`TCPHandler.cast` does.
        """
        self._claim_room(body, peer)
        self._loop.post(self._push_cast, method, body)

    def post_call(self, call: tuple[int, str, Body, Future[Any], float], peer: str) -> None:
        """Send a call from another thread than the loop's; waits for room.

        :param call: the arguments of :meth:`begin`.
        :param peer: the name of the peer.
        :raises TransportError: as :meth:`TCPHandler.cast` does.
        """
        self._claim_room(call[2], peer)
        self._loop.post(self._begin_posted, call)

    def begin(self, call_id: int, method: str, body: Body, future: Future[Any], timeout_s: float) -> None:
        """Send a call and have the future wait for its answer. Loop thread only; raises TransportError."""
        line = self._line
        if line.session.state is not OPEN:
            line.check_alive()
        line.push(CALL, body)
        self._pending.begin(call_id, method, future, timeout_s)

    def take_result(self, fields: list[Any]) -> None:
        """Hand a RESULT to its caller. Loop thread only."""
        self._pending.succeed(*fields)

    def take_error(self, fields: list[Any]) -> None:
        """Hand an ERROR to its caller. Loop thread only."""
        call_id, wire = fields
        self._pending.fail(call_id, error_from_wire(wire))

    def fail_all(self, error: TransportError) -> None:
        """Fail all calls that have no answer yet. Loop thread only."""
        self._pending.fail_all(error)

    def _claim_room(self, body: Body, peer: str) -> None:
        self._line.check_alive()
        self._push_back.claim(body.nbytes, self._line.session.queued_bytes, peer)

    def _push_cast(self, method: str, body: Body) -> None:
        try:
            self._line.check_alive()
            self._line.push(Kind.CAST, body)
        except TransportError as error:
            self._on_dropped()
            log.warning("a cast of %s to %s is dropped: %s", method, self._describe(), error)
        finally:
            self._push_back.settle_claim()

    def _begin_posted(self, call: tuple[int, str, Body, Future[Any], float]) -> None:
        try:
            self.begin(*call)
        except TransportError as error:
            fail(call[3], error)
        finally:
            self._push_back.settle_claim()
