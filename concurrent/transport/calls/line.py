"""The way out to one peer: its session, the carrier that has it now, and when what is queued leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.core.errors import ConnectionLost, TransportError
from concurrent.transport.calls.pushback import PushBack
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.envelope import Body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from concurrent.transport.session.session import Session
from concurrent.transport.session.states import SessionEvent, SessionState

__all__ = ["Line"]

FLUSH_BYTES: Final = 256 * 1024
"""With so much waiting a flush does not wait for the end of the turn."""

BATCH_BYTES: Final = 1024 * 1024


class Line:
    """What was pushed leaves at the end of the turn, as one batch, while there is a carrier with room.

    Loop thread only, but for ``check_alive``. ``session`` is the present one, or the last one; ``carrier`` is
    None while it is cut; ``on_drained`` is called once when nothing is queued any more.

    :param loop: the node's loop.
    :param limits: the bounds of this end.
    :param push_back: is told what the queue holds, and says when it has room again.
    """

    def __init__(self, loop: NodeLoop, limits: Limits, push_back: PushBack) -> None:
        self.session = Session(limits, loop.time())
        self.carrier: ICarrier | None = None
        self._loop = loop
        self._limits = limits
        self._push_back = push_back
        self._is_flush_armed = False
        self._end_error: TransportError | None = None
        self.on_drained: Callable[[], None] | None = None

    def open(self, carrier: ICarrier, session_id: str, peer_bytes_max: int) -> None:
        """Begin a new session on ``carrier``."""
        session = Session(self._limits, self._loop.time())
        session.session_id = session_id
        session.peer_bytes_max = peer_bytes_max
        session.change(SessionEvent.OPENED, self._loop.time())
        self.session = session
        self._end_error = None
        self.carrier = carrier
        self.arm()

    def resume(self, carrier: ICarrier, last_received: int) -> ICarrier | None:
        """Go on with the session on ``carrier``; returns the carrier that it replaces, if any.

        :raises ProtocolError: if the peer's count does not fit.
        """
        self.session.resume(last_received)
        self.session.change(SessionEvent.RESUMED, self._loop.time())
        replaced, self.carrier = self.carrier, carrier
        self.arm()
        return replaced

    def lose_carrier(self, *, is_silent: bool = False) -> None:
        """Wait to be resumed on another carrier."""
        self.carrier = None
        self.session.cut(self._loop.time(), is_silent=is_silent)

    def end(self, error: TransportError) -> ICarrier | None:
        """End the session; whoever uses it from now on gets ``error``. Returns the last carrier."""
        self.session.change(SessionEvent.ENDED, self._loop.time())
        self._end_error = error
        carrier, self.carrier = self.carrier, None
        return carrier

    def check_alive(self) -> None:
        """Raise what ended the session, or ConnectionLost before the first one. Any thread."""
        state = self.session.state
        if state is SessionState.OPEN or state is SessionState.CUT:
            return
        error = self._end_error
        if error is not None:
            raise type(error)(error.message, thing=error.thing) from error
        raise ConnectionLost(
            "there is no session with the peer yet", remedy="Use wait_open() or on_open first."
        )

    def push(self, kind: int, body: Body) -> None:
        """Queue a message; raises QueueFull if the peer takes nothing any more."""
        session = self.session
        session.push(kind, body)
        if session.queued_bytes >= self._limits.outbox_bytes_max:
            self._push_back.grew(session.queued_bytes)
        if self.carrier is not None and session.waiting_bytes >= FLUSH_BYTES:
            self.flush()
        else:
            self.arm()

    def send_control(self, kind: int, fields: list[object]) -> None:
        """Send a message without a number at once, if there is a carrier."""
        if self.carrier is not None:
            self.carrier.send([self.session.control(kind, fields, self._loop.time())])

    def arm(self) -> None:
        """Have what is queued leave at the end of this turn."""
        if not self._is_flush_armed:
            self._is_flush_armed = True
            self._loop.defer(self.flush)

    def flush(self) -> None:
        """Hand to the carrier what it has room for."""
        self._is_flush_armed = False
        carrier = self.carrier
        if carrier is None:
            return
        session = self.session
        while session.waiting_bytes and carrier.has_room:
            messages = session.take(BATCH_BYTES, self._loop.time())
            if not messages:
                break
            carrier.send(messages)
        if session.unacknowledged_count and session.owes_ack_now:
            self.send_control(Kind.PING, [False])

    def when_drained(self, fn: Callable[[], None]) -> None:
        """Call ``fn`` once when the peer has acknowledged everything, or the session has ended."""
        self.on_drained = fn
        self.flush()
        if self.session.queued_bytes:
            self.send_control(Kind.PING, [True])
        self.settle()

    def settle(self) -> None:
        """After acknowledgements and at the end: tell those who wait for room, or until nothing is queued."""
        session = self.session
        is_closed = session.state is SessionState.CLOSED
        has_room = self._push_back.shrank(0 if is_closed else session.queued_bytes)
        if has_room and self._push_back.on_room is not None:
            self._loop.call_soon(self._push_back.on_room)
        if self.on_drained is not None and (is_closed or session.queued_bytes == 0):
            on_drained, self.on_drained = self.on_drained, None
            self._loop.call_soon(on_drained)
