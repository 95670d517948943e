"""The handler of a peer: calls and casts in both directions, whatever the carrier."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

from concurrent.core.errors import (
    ConnectionLost,
    LimitExceeded,
    LoopClosed,
    ProtocolError,
    QueueFull,
    TransportError,
)
from concurrent.core.loggers import get_log
from concurrent.transport.calls.answer import Request, encode_error, encode_future, encode_result, new_request
from concurrent.transport.calls.calls import PendingCalls, fail
from concurrent.transport.calls.castlog import FailedCasts
from concurrent.transport.calls.methods import MethodRegistry, error_from_wire
from concurrent.transport.calls.outbox import Outbox
from concurrent.transport.calls.proxy import RemoteProxy
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.envelope import Body, decode, encode_body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Bye, HelloExpected, Kind, error_from_bye
from concurrent.transport.session.session import Session
from concurrent.transport.session.states import SessionEvent, SessionState

__all__ = ["Request", "TCPHandler"]

FLUSH_BYTES: Final = 256 * 1024
"""With so much waiting a flush does not wait for the end of the turn."""

CAST, OPEN = Kind.CAST, SessionState.OPEN  # looked up for each message, which costs more at the class
BATCH_BYTES: Final = 1024 * 1024
ACK_DELAY_S: Final = 0.5
"""How long an acknowledgement waits for a message to travel with; its sender only keeps memory meanwhile."""

log = get_log("concurrent.transport")


class IHandlerOwner(Protocol):
    """The server or client of a handler. Loop thread only."""

    methods: MethodRegistry

    def lost(self, carrier: ICarrier, reason: str) -> None:
        """The handler's carrier is useless and must be replaced."""

    def ended(self, handler: TCPHandler, carrier: ICarrier | None, reason: str) -> None:
        """The handler's session has ended; ``carrier`` was its last one."""

    def count(self, name: str) -> None:
        """Count an event in the statistics of the node."""


class TCPHandler:
    """One peer: what it may be asked, what it is still to be sent, what it still has to answer.

    The public members may be used from any thread, unless they say otherwise. A server has one per
    session; a client has one, which survives the end of a session and serves the next one.

    ``context`` is free for the node. ``on_room`` is called on the loop thread when the queue, after
    it was full, has fallen below half of its bound.
    """

    def __init__(self, loop: NodeLoop, owner: IHandlerOwner, limits: Limits) -> None:
        self.node_id = ""
        self.peer_ip = ""
        self.peer_features: frozenset[str] = frozenset()
        self.context: Any = None
        self.on_room: Callable[[], None] | None = None
        self._loop = loop
        self._owner = owner
        self._limits = limits
        self._session = Session(limits, loop.time())
        self._carrier: ICarrier | None = None
        self._end_error: TransportError | None = None
        self._call_ids = itertools.count(1)
        self._calls = PendingCalls(loop, self._describe)
        self._failed_casts = FailedCasts()
        self._outbox = Outbox(limits.outbox_bytes_max, limits.room_timeout_s)
        self._is_flush_armed = False
        self._is_ack_armed = False
        self._on_drained: Callable[[], None] | None = None
        self._actions: dict[int, Callable[[list[Any]], None]] = {
            Kind.CALL: self._handle_call,
            Kind.CAST: self._handle_cast,
            Kind.RESULT: self._handle_result,
            Kind.ERROR: self._handle_error,
            Kind.PING: self._handle_ping,
            Kind.RESEND: self._handle_resend,
            Kind.BYE: self._handle_bye,
            Kind.HELLO: partial(self._refuse_greeting, Kind.HELLO),
            Kind.WELCOME: partial(self._refuse_greeting, Kind.WELCOME),
        }

    def __repr__(self) -> str:
        return f"<TCPHandler {self.node_id or '?'} at {self.peer_ip or '?'}: {self.state.value}>"

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._session.state

    @property
    def is_open(self) -> bool:
        """Whether the peer is connected right now."""
        return self._session.state is SessionState.OPEN

    @property
    def session_id(self) -> str:
        """The present session; empty before the first one."""
        return self._session.session_id

    @property
    def queued_bytes(self) -> int:
        """How many bytes are queued or under way and not acknowledged by the peer."""
        return self._session.queued_bytes

    @property
    def message_counts(self) -> tuple[int, int]:
        """How many messages were queued in this session, and how many of them the peer has acknowledged."""
        return self._session.message_counts

    @property
    def peer_bytes_max(self) -> int:
        """The largest message that the peer accepts, in bytes."""
        return self._session.peer_bytes_max

    @property
    def has_room(self) -> bool:
        """Whether the queue is below its bound; if not, hold back until ``on_room``."""
        return self._session.queued_bytes < self._limits.outbox_bytes_max

    def peer_has(self, feature: str) -> bool:
        """Whether the peer said in its greeting that it knows ``feature``; what it lacks it is not sent."""
        return feature in self.peer_features

    def cast(self, method: str, /, *args: Any, **kwargs: Any) -> None:
        """Call a method of the peer and expect no answer.

        Never blocks on the loop thread. In another thread it waits while the queue is over its
        bound. While the peer is cut off the message is kept for it.

        :raises ConnectionLost: if there is no session.
        :raises InvalidArguments: if an argument cannot travel.
        :raises MessageTooLarge: if the peer would refuse the message.
        :raises QueueFull: if there is no room within ``room_timeout_s``.
        :raises LoopClosed: if the node's loop has ended.
        """
        body = encode_body((method, args, kwargs), method)
        self._session.check(body, method)
        if self._loop.is_current():
            if self._session.state is not OPEN:
                self._check_alive()
            self._push(CAST, body)
            return
        self._claim_room(body)
        self._loop.post(self._push_posted, method, body)

    def call(self, method: str, /, *args: Any, timeout_s: float = 30.0, **kwargs: Any) -> Future[Any]:
        """Call a method of the peer; the future gets its result, or any error that was met.

        Waits as ``cast`` does. Callbacks of the future run on the loop thread.

        :param timeout_s: seconds after which the future fails with CallTimeout.
        """
        future: Future[Any] = Future()
        call_id = next(self._call_ids)
        try:
            body = encode_body((call_id, method, args, kwargs), method)
            self._session.check(body, method)
            if self._loop.is_current():
                self._begin_call(call_id, method, body, future, timeout_s)
            else:
                self._claim_room(body)
                self._loop.post(self._call_posted, call_id, method, body, future, timeout_s)
        except TransportError as error:
            future.set_exception(error)
        return future

    def proxy(self, timeout_s: float = 30.0) -> RemoteProxy:
        """Return an object whose methods are those of the peer and return futures."""
        return RemoteProxy(self, timeout_s)

    def close(self, reason: str) -> None:
        """End the session for good and say so to the peer; what is not sent yet is dropped."""
        if self._loop.is_current():
            self.dismiss(Bye("closed", reason))
        else:
            self._loop.post(self.dismiss, Bye("closed", reason))

    # What follows belongs to the server or client that owns the handler. Loop thread only.

    def open(self, carrier: ICarrier, session_id: str, node_id: str, peer_bytes_max: int) -> None:
        """Begin a new session on ``carrier``."""
        session = Session(self._limits, self._loop.time())
        session.session_id = session_id
        session.peer_bytes_max = peer_bytes_max
        session.change(SessionEvent.OPENED, self._loop.time())
        self.node_id = node_id
        self._session = session
        self._failed_casts = FailedCasts()
        self._end_error = None
        self._attach(carrier)

    def resume(self, carrier: ICarrier, last_received: int) -> ICarrier | None:
        """Go on with the session on ``carrier``; returns the carrier that it replaces, if any.

        :raises ProtocolError: if the peer's count does not fit.
        """
        self._session.resume(last_received)
        self._session.change(SessionEvent.RESUMED, self._loop.time())
        replaced = self._carrier
        self._attach(carrier)
        return replaced

    def set_heartbeat(self, heartbeat_s: float) -> None:
        """Send a sign of life after that many seconds without another message."""
        self._session.heartbeat_s = heartbeat_s

    @property
    def received_count(self) -> int:
        """The number of the last message received in order."""
        return self._session.received

    @property
    def opened_at(self) -> float:
        """When the session was opened, in seconds of the loop's time."""
        return self._session.opened_at

    def was_heard_within(self, seconds: float) -> bool:
        """Whether the peer is connected and sent something in so many seconds."""
        return self.is_open and self._loop.time() - self._session.heard_at <= seconds

    def lose_carrier(self) -> None:
        """Wait to be resumed on another carrier."""
        self._carrier = None
        self._session.change(SessionEvent.CARRIER_LOST, self._loop.time())

    def receive(self, carrier: ICarrier, batch: list[list[Buffer]]) -> None:
        """Act upon messages that came in on ``carrier``; raises ProtocolError."""
        session = self._session
        session.heard_at = self._loop.time()
        try:
            for buffers in batch:
                message = decode(buffers)
                action = self._actions.get(message.kind) or self._ignore
                if session.receive(message):
                    action(message.fields)
                    if self._carrier is not carrier:
                        return
                elif (missing := session.missing_from(message)) is not None:
                    self._send_control(Kind.RESEND, [missing])
        except ProtocolError:
            self.flush()  # what came before it is answered
            raise
        if session.waiting_bytes or session.owes_ack_now:
            self._arm_flush()
        if session.unacknowledged_count and not self._is_ack_armed:
            self._is_ack_armed = True
            self._loop.call_later(ACK_DELAY_S, self._acknowledge)
        if self._outbox.is_full or self._on_drained is not None:
            self._settle()

    def flush(self) -> None:
        """Hand to the carrier what it has room for."""
        self._is_flush_armed = False
        carrier = self._carrier
        if carrier is None:
            return
        session = self._session
        while session.waiting_bytes and carrier.has_room:
            messages = session.take(BATCH_BYTES, self._loop.time())
            if not messages:
                break
            carrier.send(messages)
        if session.unacknowledged_count and session.owes_ack_now:
            self._send_control(Kind.PING, [False])

    def tick(self, now: float, *, has_stalled: bool) -> None:
        """Give a sign of life, miss one, or give up waiting; call it every half heartbeat.

        :param has_stalled: whether this loop itself was held up, so that silence proves nothing.
        """
        session = self._session
        carrier = self._carrier
        if has_stalled or (carrier is not None and carrier.is_held_up):
            session.heard_at = now
        if carrier is not None:
            if session.is_silent(now):
                self._owner.lost(carrier, f"silent for {self._limits.silence_s} s")
                carrier.close()
            elif session.wants_ping(now):
                self._send_control(Kind.PING, [False])
        elif session.is_expired(now):
            reason = f"the session was not resumed within {self._limits.resume_s} s"
            self.end(reason, ConnectionLost(f"{self.node_id} is gone: {reason}"))

    def when_drained(self, fn: Callable[[], None]) -> None:
        """Call ``fn`` once when the peer has acknowledged everything, or the session has ended."""
        self._on_drained = fn
        self.flush()
        if self.queued_bytes:
            self._send_control(Kind.PING, [True])
        self._settle()

    def dismiss(self, bye: Bye) -> None:
        """Say BYE and end the session; does nothing if there is none."""
        if self._session.state in (SessionState.CLOSED, SessionState.CONNECTING):
            return
        if self._carrier is not None:
            self._send_control(Kind.BYE, bye.to_fields())
        self.end(bye.text, ConnectionLost(f"the session was ended here: {bye.text}"))

    def end(self, reason: str, error: TransportError) -> None:
        """End the session: open calls fail with ``error``, and the owner is told."""
        if self._session.state is SessionState.CLOSED:
            return
        self._session.change(SessionEvent.ENDED, self._loop.time())
        self._end_error = error
        carrier, self._carrier = self._carrier, None
        self._calls.fail_all(error)
        self._owner.ended(self, carrier, reason)
        self._settle()

    def _attach(self, carrier: ICarrier) -> None:
        self._carrier = carrier
        self.peer_ip = carrier.peer_ip
        self._arm_flush()

    def _describe(self) -> str:
        return self.node_id if self.is_open else f"{self.node_id}, whose session is {self.state.value},"

    def _check_alive(self) -> None:
        state = self._session.state
        if state is SessionState.OPEN or state is SessionState.CUT:
            return
        error = self._end_error
        if error is not None:
            raise type(error)(error.message, thing=error.thing) from error
        raise ConnectionLost(
            "there is no session with the peer yet", remedy="Use wait_open() or on_open first."
        )

    def _push(self, kind: int, body: Body) -> None:
        session = self._session
        session.push(kind, body)
        if session.queued_bytes >= self._limits.outbox_bytes_max:
            self._outbox.grew(session.queued_bytes)
        if self._carrier is not None and session.waiting_bytes >= FLUSH_BYTES:
            self.flush()
        else:
            self._arm_flush()

    def _arm_flush(self) -> None:
        """Have what is queued leave at the end of this turn."""
        if not self._is_flush_armed:
            self._is_flush_armed = True
            self._loop.defer(self.flush)

    def _claim_room(self, body: Body) -> None:
        self._check_alive()
        self._outbox.claim(body.nbytes, self.queued_bytes, self.node_id)

    def _push_posted(self, method: str, body: Body) -> None:
        try:
            self._check_alive()
            self._push(Kind.CAST, body)
        except TransportError as error:
            self._owner.count("casts_dropped")
            log.warning("a cast of %s to %s is dropped: %s", method, self.node_id, error)
        finally:
            self._outbox.settle_claim()

    def _call_posted(
        self, call_id: int, method: str, body: Body, future: Future[Any], timeout_s: float
    ) -> None:
        try:
            self._begin_call(call_id, method, body, future, timeout_s)
        except TransportError as error:
            fail(future, error)
        finally:
            self._outbox.settle_claim()

    def _begin_call(self, call_id: int, method: str, body: Body, future: Future[Any], timeout_s: float) -> None:
        self._check_alive()
        self._push(Kind.CALL, body)
        self._calls.begin(call_id, method, future, timeout_s)

    def _send_control(self, kind: int, fields: list[object]) -> None:
        if self._carrier is not None:
            self._carrier.send([self._session.control(kind, fields, self._loop.time())])

    def _settle(self) -> None:
        """After acknowledgements: tell who waits for room or for the end."""
        session = self._session
        is_closed = session.state is SessionState.CLOSED
        if self._outbox.shrank(0 if is_closed else session.queued_bytes) and self.on_room is not None:
            self._loop.call_soon(self.on_room)
        if self._on_drained is not None and (is_closed or session.queued_bytes == 0):
            on_drained, self._on_drained = self._on_drained, None
            self._loop.call_soon(on_drained)

    def _acknowledge(self) -> None:
        self._is_ack_armed = False
        if self._session.unacknowledged_count:
            self._send_control(Kind.PING, [False])

    def _refuse_greeting(self, kind: Kind, _fields: list[Any]) -> None:
        raise ProtocolError(f"a {kind.name} came in an open session")

    def _ignore(self, _fields: list[Any]) -> None:
        """A message of a later form of the protocol: it was counted as received, and that is all."""
        self._owner.count("messages_ignored")

    def _handle_ping(self, fields: list[Any]) -> None:
        """A PING has done its work by arriving, unless it wants an acknowledgement at once."""
        if fields[0]:
            self._send_control(Kind.PING, [False])

    def _handle_resend(self, fields: list[Any]) -> None:
        self._session.resend(fields[0])
        self.flush()

    def _handle_bye(self, fields: list[Any]) -> None:
        bye = Bye(*fields)
        carrier = self._carrier
        if bye.code == HelloExpected.code and carrier is not None:
            self._owner.lost(carrier, bye.text)
            carrier.close()
            return
        self.end(bye.text, error_from_bye(bye))

    def _handle_cast(self, fields: list[Any]) -> None:
        method, args, kwargs = fields
        request = new_request((method, None, self.peer_ip))
        try:
            self._owner.methods.dispatch(method, (self, request), args, kwargs)
        except LimitExceeded:
            raise
        except BaseException as error:  # boundary: a method of the node failed, and nobody waits for it
            self._owner.count("casts_failed")
            is_vital = self._owner.methods.is_vital(method)
            self._failed_casts.note(method, self.node_id, error, is_vital=is_vital)

    def _handle_call(self, fields: list[Any]) -> None:
        call_id, method, args, kwargs = fields
        request = Request(method, call_id, self.peer_ip)
        refusal = self._session.refusal_of_call()
        if refusal is not None:
            self._reply(*encode_error(self._session, request, refusal))
            return
        try:
            value = self._owner.methods.dispatch(method, (self, request), args, kwargs)
        except LimitExceeded:
            raise
        except BaseException as error:  # boundary: the failure of a method belongs to its caller
            self._reply(*encode_error(self._session, request, error))
            return
        if isinstance(value, Future):
            value.add_done_callback(partial(self._answered, self._session, request))
        else:
            self._reply(*encode_result(self._session, request, value))

    def _answered(self, session: Session, request: Request, future: Future[Any]) -> None:
        """A method's future is done; runs in whatever thread finished it."""
        if self._loop.is_current():
            self._reply_future(session, request, future)
            return
        with suppress(LoopClosed):
            self._loop.post(self._reply_future, session, request, future)

    def _reply_future(self, session: Session, request: Request, future: Future[Any]) -> None:
        if session is self._session:
            self._reply(*encode_future(session, request, future))

    def _reply(self, kind: int, body: Body) -> None:
        if self._session.state is SessionState.CLOSED:
            return
        try:
            self._push(kind, body)
        except QueueFull as error:
            log.error("%s takes no results: %s", self.node_id, error)
            self.dismiss(Bye("closed", str(error)))

    def _handle_result(self, fields: list[Any]) -> None:
        self._calls.succeed(*fields)

    def _handle_error(self, fields: list[Any]) -> None:
        call_id, wire = fields
        self._calls.fail(call_id, error_from_wire(wire))
