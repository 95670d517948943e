"""The handler of a peer: calls and casts in both directions, whatever the carrier.

Its parts are cut by the state they own: ``Line`` has the session and its carrier, ``Caller`` the calls that
wait for answers, ``Answerer`` the failures of the peer's casts, ``Acknowledger`` the timer of acknowledgements.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Protocol, overload

from concurrent.core.errors import ConnectionLost, ProtocolError, TransportError
from concurrent.transport.calls.acknowledger import Acknowledger
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.answerer import Answerer, IMethodOwner
from concurrent.transport.calls.caller import Caller
from concurrent.transport.calls.declaration import Call, Cast, Hint, P, R
from concurrent.transport.calls.line import Line
from concurrent.transport.calls.proxy import RemoteProxy
from concurrent.transport.calls.pushback import PushBack
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.envelope import decode, encode_body
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Bye, HelloExpected, Kind, error_from_bye
from concurrent.transport.session.states import SessionState

__all__ = ["Request", "TCPHandler"]

CAST, OPEN = Kind.CAST, SessionState.OPEN  # looked up for each message, which costs more at the class


class IHandlerOwner(IMethodOwner, Protocol):
    """The server or client of a handler. Loop thread only."""

    def lost(self, carrier: ICarrier, reason: str, *, is_silent: bool = False) -> None:
        """The handler's carrier is useless and must be replaced."""

    def ended(self, handler: TCPHandler, carrier: ICarrier | None, reason: str) -> None:
        """The handler's session has ended; ``carrier`` was its last one."""


class TCPHandler:
    """One peer: what it may be asked, what it is still to be sent, what it still has to answer.

    The public members may be used from any thread, unless they say otherwise. A server has one per
    session; a client has one, which survives the end of a session and serves the next one.

    ``identity`` says who the peer is, from the first session on. ``context`` is free for the node.
    ``has_said_goodbye`` tells whether the peer has ended the session because it stops, not for a mistake.
    """

    identity: Identity

    def __init__(
        self, loop: NodeLoop, owner: IHandlerOwner, limits: Limits, protection: Protection | None = None
    ) -> None:
        self.protection = protection
        """What its connections pass through; also what else is opened for this peer."""
        self.node_id = ""
        self.peer_ip = ""
        self.peer_features: frozenset[str] = frozenset()
        self.context: Any = None
        self.has_said_goodbye = False
        self._loop = loop
        self._owner = owner
        self._limits = limits
        self._push_back = PushBack(limits.outbox_bytes_max, limits.room_timeout_s)
        self._line = line = Line(loop, limits, self._push_back)
        self._acknowledger = Acknowledger(loop, line)
        self._answerer = Answerer(loop, line, owner, self)
        self._caller = Caller(
            loop,
            line,
            self._push_back,
            describe=self._describe,
            on_dropped=partial(owner.count, "casts_dropped"),
        )
        self._actions: dict[int, Callable[[list[Any]], None]] = {
            Kind.CALL: self._answerer.handle_call,
            Kind.CAST: self._answerer.handle_cast,
            Kind.RESULT: self._caller.take_result,
            Kind.ERROR: self._caller.take_error,
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
        return self._line.session.state

    @property
    def is_open(self) -> bool:
        """Whether the peer is connected right now."""
        return self._line.session.state is SessionState.OPEN

    @property
    def session_id(self) -> str:
        """The present session; empty before the first one."""
        return self._line.session.session_id

    @property
    def queued_bytes(self) -> int:
        """How many bytes are queued or under way and not acknowledged by the peer."""
        return self._line.session.queued_bytes

    @property
    def message_counts(self) -> tuple[int, int]:
        """How many messages were queued in this session, and how many of them the peer has acknowledged."""
        return self._line.session.message_counts

    @property
    def peer_bytes_max(self) -> int:
        """The largest message that the peer accepts, in bytes."""
        return self._line.session.peer_bytes_max

    @property
    def limits(self) -> Limits:
        """What this end accepts."""
        return self._limits

    @property
    def has_room(self) -> bool:
        """Whether the queue is below its bound; if not, hold back until ``on_room``."""
        return self._line.session.queued_bytes < self._limits.outbox_bytes_max

    @property
    def on_room(self) -> Callable[[], None] | None:
        """What is called on the loop thread when the queue, after it was full, is below half of its bound."""
        return self._push_back.on_room

    @on_room.setter
    def on_room(self, fn: Callable[[], None] | None) -> None:
        self._push_back.on_room = fn

    def peer_has(self, feature: str) -> bool:
        """Whether the peer said in its greeting that it knows ``feature``; what it lacks it is not sent."""
        return feature in self.peer_features

    @overload
    def cast(self, message: Cast[P], /, *args: P.args, **kwargs: P.kwargs) -> None: ...
    @overload
    def cast(self, message: str, /, *args: Any, **kwargs: Any) -> None: ...

    def cast(self, message: Any, /, *args: Any, **kwargs: Any) -> None:
        """Send the peer a message, or call its method of that name, and expect no answer.

        Never blocks on the loop thread. In another thread it waits while the queue is over its
        bound. While the peer is cut off the message is kept for it. A hint with a feature that the peer
        did not list in its greeting is not sent.

        :raises ConnectionLost: if there is no session.
        :raises InvalidArguments: if an argument cannot travel.
        :raises MessageTooLarge: if the peer would refuse the message.
        :raises QueueFull: if there is no room within ``room_timeout_s``.
        :raises LoopClosed: if the node's loop has ended.
        """
        if type(message) is Cast:
            message = message.name
        elif isinstance(message, Hint):
            if message.feature is not None and not self.peer_has(message.feature):
                return
            message = message.name
        body = encode_body((message, args, kwargs), message)
        line = self._line
        line.session.check(body, message)
        if self._loop.is_current():
            if line.session.state is not OPEN:
                line.check_alive()
            line.push(CAST, body)
        else:
            self._caller.post_cast(message, body, self.node_id)

    @overload
    def call(self, message: Call[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]: ...
    @overload
    def call(self, message: str, /, *args: Any, timeout_s: float = ..., **kwargs: Any) -> Future[Any]: ...

    def call(self, message: Any, /, *args: Any, timeout_s: Any = 30.0, **kwargs: Any) -> Future[Any]:
        """Send the peer a message, or call its method of that name; the future gets the result, or the error.

        Waits as ``cast`` does. Callbacks of the future run on the loop thread.

        :param timeout_s: seconds after which the future fails with CallTimeout; a message has its own.
        """
        if isinstance(message, Call):
            message, timeout_s = message.name, message.timeout_s
        future: Future[Any] = Future()
        caller = self._caller
        call_id = caller.new_id()
        try:
            body = encode_body((call_id, message, args, kwargs), message)
            self._line.session.check(body, message)
            if self._loop.is_current():
                caller.begin(call_id, message, body, future, timeout_s)
            else:
                caller.post_call((call_id, message, body, future, timeout_s), self.node_id)
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
        self.node_id = node_id
        self.identity = carrier.identity
        self.peer_ip = carrier.peer_ip
        self.has_said_goodbye = False
        self._answerer.forget_failures()
        self._line.open(carrier, session_id, peer_bytes_max)

    def resume(self, carrier: ICarrier, last_received: int) -> ICarrier | None:
        """Go on with the session on ``carrier``; returns the carrier that it replaces, if any.

        :raises ProtocolError: if the peer's count does not fit.
        """
        replaced = self._line.resume(carrier, last_received)
        self.identity = carrier.identity
        self.peer_ip = carrier.peer_ip
        return replaced

    def set_heartbeat(self, heartbeat_s: float) -> None:
        """Send a sign of life after that many seconds without another message."""
        self._line.session.heartbeat_s = heartbeat_s

    @property
    def received_count(self) -> int:
        """The number of the last message received in order."""
        return self._line.session.received

    @property
    def opened_at(self) -> float:
        """When the session was opened, in seconds of the loop's time."""
        return self._line.session.opened_at

    def was_heard_within(self, seconds: float) -> bool:
        """Whether the peer is connected and sent something in so many seconds."""
        return self.is_open and self._loop.time() - self._line.session.heard_at <= seconds

    def lose_carrier(self, *, is_silent: bool = False) -> None:
        """Wait to be resumed on another carrier.

        :param is_silent: whether nothing was heard on it; else it was closed, and not here.
        """
        self._line.lose_carrier(is_silent=is_silent)

    def receive(self, carrier: ICarrier, batch: list[list[Buffer]]) -> None:
        """Act upon messages that came in on ``carrier``; raises ProtocolError."""
        line = self._line
        session = line.session
        session.heard_at = self._loop.time()
        try:
            for buffers in batch:
                message = decode(buffers)
                action = self._actions.get(message.kind) or self._ignore
                if session.receive(message):
                    action(message.fields)
                    if line.carrier is not carrier:
                        return
                elif (missing := session.missing_from(message)) is not None:
                    line.send_control(Kind.RESEND, [missing])
        except ProtocolError:
            line.flush()  # what came before it is answered
            raise
        if session.waiting_bytes or session.owes_ack_now:
            line.arm()
        if session.unacknowledged_count and not self._acknowledger.is_armed:
            self._acknowledger.arm()
        if self._push_back.is_full or line.on_drained is not None:
            line.settle()

    def flush(self) -> None:
        """Hand to the carrier what it has room for."""
        self._line.flush()

    def tick(self, now: float, *, has_stalled: bool) -> None:
        """Give a sign of life, miss one, or give up waiting; call it every half heartbeat.

        :param has_stalled: whether this loop itself was held up, so that silence proves nothing.
        """
        session = self._line.session
        carrier = self._line.carrier
        if has_stalled or (carrier is not None and carrier.is_held_up):
            session.excuse(now)
        if carrier is not None:
            if session.is_silent(now):
                self._owner.lost(carrier, f"silent for {self._limits.silence_s} s", is_silent=True)
                carrier.close()
            elif session.wants_ping(now):
                self._line.send_control(Kind.PING, [False])
        elif session.is_expired(now):
            limits = self._limits
            reason = f"the session was not resumed within {limits.resume_s} s"
            if session.was_silent:
                reason = f"nothing was heard for {max(limits.return_s, limits.silence_s + limits.resume_s)} s"
            self.end(reason, ConnectionLost(f"{self.node_id} is gone: {reason}"))

    def when_drained(self, fn: Callable[[], None]) -> None:
        """Call ``fn`` once when the peer has acknowledged everything, or the session has ended."""
        self._line.when_drained(fn)

    def dismiss(self, bye: Bye) -> None:
        """Say BYE and end the session; does nothing if there is none."""
        if self._line.session.state in (SessionState.CLOSED, SessionState.CONNECTING):
            return
        self._line.send_control(Kind.BYE, bye.to_fields())
        self.end(bye.text, ConnectionLost(f"the session was ended here: {bye.text}"))

    def end(self, reason: str, error: TransportError) -> None:
        """End the session: open calls fail with ``error``, and the owner is told."""
        if self._line.session.state is SessionState.CLOSED:
            return
        carrier = self._line.end(error)
        self._caller.fail_all(error)
        self._owner.ended(self, carrier, reason)
        self._line.settle()

    def _describe(self) -> str:
        return self.node_id if self.is_open else f"{self.node_id}, whose session is {self.state.value},"

    def _refuse_greeting(self, kind: Kind, _fields: list[Any]) -> None:
        raise ProtocolError(f"a {kind.name} came in an open session")

    def _ignore(self, _fields: list[Any]) -> None:
        """A message of a later form of the protocol: it was counted as received, and that is all."""
        self._owner.count("messages_ignored")

    def _handle_ping(self, fields: list[Any]) -> None:
        """A PING has done its work by arriving, unless it wants an acknowledgement at once."""
        if fields[0]:
            self._line.send_control(Kind.PING, [False])

    def _handle_resend(self, fields: list[Any]) -> None:
        self._line.session.resend(fields[0])
        self._line.flush()

    def _handle_bye(self, fields: list[Any]) -> None:
        bye = Bye(*fields)
        carrier = self._line.carrier
        if bye.code == HelloExpected.code and carrier is not None:
            self._owner.lost(carrier, bye.text)
            carrier.close()
            return
        self.has_said_goodbye = bye.code == "closed"
        self.end(bye.text, error_from_bye(bye))
