"""The client half of a connection: connects, greets, and connects again whenever that is lost."""

from __future__ import annotations

import logging
import threading
from abc import abstractmethod
from asyncio import TimerHandle
from typing import Final

from concurrent.core.backoff import Backoff
from concurrent.core.errors import (
    CallTimeout,
    ConnectionLost,
    NotAllowed,
    ProtocolError,
    VersionMismatch,
)
from concurrent.core.items import Host
from concurrent.core.stats import IEventCounter
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.endpoint import Endpoint, log
from concurrent.transport.carriers.strangers import needs_key
from concurrent.transport.frames.blocks import NewBlock, new_block_of
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.envelope import Message, control_message
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import (
    PROTOCOL_VERSION,
    Bye,
    Hello,
    HelloExpected,
    Kind,
    NodeInUse,
    ServerFull,
    Welcome,
    error_from_bye,
    kind_name,
)
from concurrent.transport.session.states import SessionState

__all__ = ["SessionClient"]

NO_ANSWER = "no answer yet"

CUT_RETRY_S: Final = 0.5
"""A client whose session waits to be resumed tries again at least as often."""


class SessionClient(Endpoint):
    """Keeps one session with a server; the base of the clients of both carriers.

    ``on_open(handler, is_new)`` is called on the loop thread whenever the server has welcomed this
    node; ``is_new`` is false if the session was resumed. ``on_cut(handler, is_silent)`` is called when
    the connection is lost, see :class:`.SessionServer`, and ``on_lost(handler, reason)`` when the session
    has ended for good; a new one is opened as soon as the server can be reached.
    ``methods`` holds what the server may call.

    :param loop: the node's loop; must run before ``start``.
    :param host: the server's address.
    :param port: the server's port.
    :param node_id: who this node is; no two clients of a server may have the same.
    :param stats: where connections and failures are counted.
    :param limits: what is accepted and how long is waited.
    :param protection: how the server is known, and this node to it; its place is that of the server. None: the
        server may be anybody.
    """

    def __init__(
        self,
        loop: NodeLoop,
        host: str,
        port: int,
        *,
        node_id: str,
        stats: IEventCounter | None = None,
        limits: Limits | None = None,
        protection: Protection | None = None,
    ) -> None:
        super().__init__(loop, node_id, stats, limits or Limits())
        self.host = host
        self.port = port
        self.handler = TCPHandler(loop, self, self._limits, protection)
        self._protection = protection
        self._new_block: NewBlock = new_block_of
        self._carrier: ICarrier | None = None
        self._timer: TimerHandle | None = None
        self._backoff = Backoff(initial_s=0.05, maximum_s=5.0)
        self._settled = threading.Event()
        self._refusal: ProtocolError | None = None
        self._last_problem = NO_ANSWER

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.address}>"

    @property
    def address(self) -> str:
        """Where the server listens, as ``host:port``."""
        return str(Host(self.host, self.port))

    def receive_into(self, new_block: NewBlock) -> None:
        """Have large payload frames received into memory that ``new_block`` returns. Call it before ``start``.

        It is called on the loop thread. A channel that cannot choose where it receives does not call it.
        """
        self._new_block = new_block

    def start(self) -> None:
        """Begin to connect, and do so again for ever. Any thread; call it once, returns at once.

        :raises NotAllowed: if the protection has no way to know a server.
        """
        if self._protection is not None and self._protection.is_closed:
            raise needs_key(self.node_id)
        self._is_started = True
        self._loop.post(self._begin)

    def wait_open(self, timeout_s: float = 10.0) -> TCPHandler:
        """Return the handler as soon as the server has welcomed this node. Not the loop thread.

        :raises ProtocolError: if the server refuses this node, for example for its version.
        :raises CallTimeout: if that takes more than ``timeout_s`` seconds; says what went wrong.
        """
        assert not self._loop.is_current(), "waiting would block the loop; use on_open"
        is_settled = self._settled.wait(timeout_s)
        refusal = self._refusal
        if refusal is not None:
            raise type(refusal)(refusal.message, thing=refusal.thing, remedy=refusal.remedy) from refusal
        if not is_settled:
            raise CallTimeout(
                f"no connection to {self.address} within {timeout_s} s: {self._last_problem}",
                thing=self.address,
                value=timeout_s,
                remedy="Check that the server runs and that the address is right.",
            )
        return self.handler

    def note_problem(self, reason: str) -> None:
        """Remember, and log once, why there is no connection yet. Loop thread only."""
        if reason != self._last_problem:
            log.warning("%s: %s; trying again", self, reason)
        self._last_problem = reason

    @abstractmethod
    def _dial(self) -> None:
        """Begin to connect; ends in ``_dialled`` or ``_dial_failed``."""

    def _begin(self) -> None:
        if self._protection is not None:
            self._protection.trust.listen(self.dismiss_revoked)
        self._start_pulse()
        self._connect()

    def _connect(self) -> None:
        self._timer = None
        if not self._is_stopping and self._carrier is None:
            self._dial()

    def _connect_later(self) -> None:
        if self._is_stopping or self._timer is not None or self._carrier is not None:
            return
        delay_s = self._backoff.next_delay()
        if self.handler.state is SessionState.CUT:
            delay_s = min(delay_s, CUT_RETRY_S)
        self._timer = self._loop.call_later(delay_s, self._connect)

    def _dial_failed(self, reason: str) -> None:
        self.note_problem(reason)
        self._connect_later()

    def _dial_refused(self, error: NotAllowed) -> None:
        """There is a server, or could be, but none that this node and its keys fit to."""
        self.note_problem(str(error))
        self._refuse(error)
        self._connect_later()

    @property
    def _resumes_in_place(self) -> bool:
        """Whether only a connection in the place can resume the session: by a port this is somebody else."""
        return self.handler.state is SessionState.CUT and self.handler.identity is THIS_USER

    @property
    def _resumes_by_port(self) -> bool:
        """Whether only a connection to the port can resume the session."""
        return self.handler.state is SessionState.CUT and self.handler.identity is not THIS_USER

    def _dialled(self, carrier: ICarrier) -> None:
        if self._is_stopping:
            carrier.close()
            return
        self._carrier = carrier
        self._add_carrier(carrier)
        is_cut = self.handler.state is SessionState.CUT
        hello = Hello(
            version=PROTOCOL_VERSION,
            session_id=self.handler.session_id if is_cut else "",
            node_id=self.node_id,
            last_received=self.handler.received_count if is_cut else 0,
            max_bytes=self._limits.message_bytes_max,
            version_max=PROTOCOL_VERSION,
            features=self.features,
        )
        carrier.send([control_message(Kind.HELLO, [hello.to_wire()])])

    def _greet(self, carrier: ICarrier, message: Message) -> None:
        if message.kind == Kind.BYE:
            bye = Bye(*message.fields)
            carrier.close()
            self._refused(bye)
            return
        if message.kind != Kind.WELCOME:
            raise HelloExpected(f"a {kind_name(message.kind)} came before a WELCOME")
        welcome = Welcome.from_wire(message.fields[0])
        if welcome.version != PROTOCOL_VERSION:
            raise VersionMismatch(
                f"{welcome.node_id} chose version {welcome.version}, this is {PROTOCOL_VERSION}",
                thing=welcome.node_id,
                value=welcome.version,
                remedy="Run the same version of the framework on all nodes.",
            )
        if self._protection is not None:
            self._protection.trust.check(carrier.identity)
        handler = self.handler
        is_resumed = (
            handler.state is SessionState.CUT
            and not welcome.is_new
            and welcome.session_id == handler.session_id
            and handler.identity.is_same(carrier.identity)
        )
        if is_resumed:
            handler.resume(carrier, welcome.last_received)
            self._backoff.reset()
        else:
            if handler.state is SessionState.CUT:
                reason = "the server does not know the session any more"
                handler.end(reason, ConnectionLost(f"{handler.node_id}: {reason}"))
            handler.open(carrier, welcome.session_id, welcome.node_id, welcome.max_bytes)
        handler.peer_features = frozenset(welcome.features)
        self._heartbeat_s = min(welcome.heartbeat_s, self._limits.heartbeat_s)
        handler.set_heartbeat(self._heartbeat_s)
        self._start_pulse()
        carrier.trust()
        self._has_greeted(carrier, handler)
        self._refusal = None
        self._settled.set()
        level = logging.INFO if is_resumed else logging.DEBUG
        log.log(level, "%s: session %s", self, "resumed" if is_resumed else "opened")
        if self.on_open is not None:
            self._tell(self.on_open, handler, not is_resumed)

    def _refused(self, bye: Bye) -> None:
        """The server answers, but not with a WELCOME: the session is gone, and the reason known."""
        error = error_from_bye(bye)
        self.note_problem(str(error))
        if isinstance(error, ProtocolError) and not isinstance(error, NodeInUse | ServerFull):
            self._refuse(error)
        if self.handler.state is SessionState.CUT:
            self.handler.end(bye.text, error)

    def _refuse(self, error: ProtocolError) -> None:
        self._last_problem = str(error)
        self._refusal = error
        self._settled.set()

    def broken(self, carrier: ICarrier, error: ProtocolError) -> None:
        """What the server sent is no message, or may not be read: say so and try again later."""
        if carrier in self._handler_by_carrier:
            super().broken(carrier, error)
        elif isinstance(error, NotAllowed):
            self.note_problem(str(error))
            self._refuse(error)
            carrier.close()
        else:
            self._refuse(error)
            super().broken(carrier, error)

    def lost(self, carrier: ICarrier, reason: str, *, is_silent: bool = False) -> None:
        """The connection is gone: connect again and resume."""
        super().lost(carrier, reason, is_silent=is_silent)
        self._settled.clear()
        self._last_problem = reason

    def ended(self, handler: TCPHandler, carrier: ICarrier | None, reason: str) -> None:
        """The session has ended for good: connect again and open a new one."""
        if self._refusal is None:
            self._settled.clear()
        super().ended(handler, carrier, reason)

    def released(self, carrier: ICarrier) -> None:
        """The last connection is closed: time for the next one."""
        super().released(carrier)
        if carrier is self._carrier:
            self._carrier = None
            self._connect_later()

    def _pulse(self) -> None:
        super()._pulse()
        if self.handler.is_open:  # for half a heartbeat at least: not one that is closed at once
            self._backoff.reset()

    def _greeting_missed(self, carrier: ICarrier) -> None:
        if self._last_problem == NO_ANSWER:
            self.note_problem(f"no WELCOME within {self._limits.hello_timeout_s} s")
        carrier.close()

    def _all_handlers(self) -> list[TCPHandler]:
        state = self.handler.state
        return [self.handler] if state in (SessionState.OPEN, SessionState.CUT) else []

    def _stop_opening(self) -> None:
        if self._protection is not None:
            self._protection.trust.ignore(self.dismiss_revoked)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
