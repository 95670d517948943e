"""The server half of a connection: greets clients, and keeps and resumes their sessions."""

from __future__ import annotations

import hmac
import logging
import secrets
from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import NotAllowed, VersionMismatch
from concurrent.core.items import Host
from concurrent.core.rarely import RareLine
from concurrent.core.stats import IEventCounter
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.endpoint import Endpoint, log
from concurrent.transport.carriers.strangers import needs_key
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.hosts import check_host
from concurrent.transport.security.identity import Identity
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
    kind_name,
)

__all__ = ["NO_PORT", "SessionServer"]

START_TIMEOUT_S = 10.0
NO_PORT: Final = -1
"""The port of a server that listens at none."""


class SessionServer(Endpoint):
    """Listens for clients on one address; the base of the servers of both carriers.

    ``on_open(handler, is_new)`` is called on the loop thread when a client has greeted; ``is_new``
    is false if it resumed its session. ``on_cut(handler, is_silent)`` is called when the connection is
    lost: because nothing was heard, or else because the client's machine has closed it.
    ``on_lost(handler, reason)`` is called when the session has ended for good. ``on_refused(who, error)`` is
    called when somebody is not let in, once an hour for each who tries again. ``check_node(node_id,
    identity)`` raises NotAllowed for whoever may not have the session of a node. ``methods`` holds what clients
    may call.

    :param loop: the node's loop; must run before ``start``.
    :param host: the address to listen on.
    :param port: the port to listen on; 0 lets the system choose, see ``port``, and ``NO_PORT`` is none.
    :param node_id: who this node is.
    :param stats: where connections and failures are counted.
    :param limits: what is accepted and how long is waited.
    :param allow_insecure: listen on other addresses than loopback though nothing is encrypted; only without a
        protection, which has a say of its own.
    :param bind_timeout_s: seconds in which the node must have set the ``context`` of a handler, else its
        session is ended; None: a session may stay without one.
    :param protection: who is let in; None: anybody. Its place is there when the server starts.
    """

    def __init__(  # noqa: PLR0913  what a node says of its server, by name
        self,
        loop: NodeLoop,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        node_id: str,
        stats: IEventCounter | None = None,
        limits: Limits | None = None,
        allow_insecure: bool = False,
        bind_timeout_s: float | None = None,
        protection: Protection | None = None,
    ) -> None:
        super().__init__(loop, node_id, stats, limits or Limits())
        self.host = host
        self.port = port
        self._allow_insecure = allow_insecure
        self._bind_timeout_s = bind_timeout_s
        self._protection = protection
        self._crowded_line = RareLine()
        self._handler_by_node: dict[str, TCPHandler] = {}
        self.check_node: Callable[[str, Identity], object] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address}>"

    @property
    def address(self) -> str:
        """Where the server listens, as ``host:port``, or its place if it has no port."""
        place = self._protection.place if self._protection else None
        return str(place.folder) if place and self.port == NO_PORT else str(Host(self.host, self.port))

    @property
    def handlers(self) -> list[TCPHandler]:
        """The handlers of all sessions that have not ended. Any thread."""
        return list(self._handler_by_node.values())

    def start(self) -> None:
        """Listen. Any thread; call it once.

        :raises ConfigurationError: if the address is in use, unknown, or not safe to listen on.
        :raises NotAllowed: if the protection has no way to know a peer.
        """
        protection = self._protection
        if protection is None:
            check_host(self.host, allow_insecure=self._allow_insecure)
        elif protection.is_closed:
            raise needs_key(self.node_id)
        self._loop.call(self._begin, timeout_s=START_TIMEOUT_S)

    @abstractmethod
    def _listen(self) -> None:
        """Open the listening socket and set ``port``; raises ConfigurationError."""

    def _begin(self) -> None:
        self._listen()
        self._is_started = True
        if self._protection is not None:
            self._protection.trust.listen(self.dismiss_revoked)
        self._start_pulse()
        log.info("%s listens", self)

    def _all_handlers(self) -> list[TCPHandler]:
        return list(self._handler_by_node.values())

    def _make_room_for_greeting(self, peer_ip: str) -> None:
        """Close the connection that has greeted nobody for longest if there are too many of that sort.

        :param peer_ip: the address of one more; if it has others of that sort, it is one of these.
        """
        if len(self._greeting) < self._limits.greeting_max:
            return
        same = (one for one in self._greeting if one.peer_ip == peer_ip)
        oldest = next(same, None) or next(iter(self._greeting))
        suffix = self._crowded_line.suffix(self._loop.time())
        if suffix is not None:
            log.warning("%s: refused %s: too many connections greet%s", self, oldest.peer_ip, suffix)
        oldest.close()

    def _pulse(self) -> None:
        super()._pulse()
        timeout_s = self._bind_timeout_s
        if timeout_s is None:
            return
        now = self._loop.time()
        for handler in self._all_handlers():
            if handler.context is None and now - handler.opened_at > timeout_s:
                handler.dismiss(Bye("closed", f"the session was not registered within {timeout_s} s"))

    def _accepted(self, carrier: ICarrier) -> None:
        self._make_room_for_greeting(carrier.peer_ip)
        self._add_carrier(carrier)
        self.count("connections_accepted")

    def _greet(self, carrier: ICarrier, message: Message) -> None:
        if message.kind != Kind.HELLO:
            raise HelloExpected(
                f"a {kind_name(message.kind)} came before a HELLO",
                remedy="Say HELLO first, with the session to resume if there is one.",
            )
        hello = Hello.from_wire(message.fields[0])
        version_max = max(hello.version, hello.version_max)
        if not hello.version <= PROTOCOL_VERSION <= version_max:
            raise VersionMismatch(
                f"{hello.node_id} speaks version {hello.version} to {version_max}, this is {PROTOCOL_VERSION}",
                thing=hello.node_id,
                value=hello.version,
                remedy="Run the same version of the framework on all nodes.",
            )
        if self._protection is not None:
            self._protection.trust.check(carrier.identity)
        if self.check_node is not None:
            self.check_node(hello.node_id, carrier.identity)
        handler = self._handler_by_node.get(hello.node_id)
        if handler is not None and not handler.identity.is_same(carrier.identity):
            self._take_id(handler, carrier.identity)
            handler = None
        if handler is not None and hmac.compare_digest(handler.session_id.encode(), hello.session_id.encode()):
            self._resume(carrier, handler, hello)
        else:
            self._open(carrier, handler, hello)

    def _take_id(self, handler: TCPHandler, identity: Identity) -> None:
        """End the session of somebody whose node has the id of another one's; raise NodeInUse if it may stay.

        It ends if it was never bound, and ``check_node`` says that the id is not its.
        """
        if handler.context is None and self.check_node is not None:
            try:
                self.check_node(handler.node_id, handler.identity)
            except NotAllowed as error:
                return handler.dismiss(Bye.of(error))
        raise NodeInUse(
            f"{handler.node_id} has a session of {handler.identity}, and {identity} cannot have it",
            thing=handler.node_id,
            remedy="Give each node an id of its own, or wait until that one is gone.",
        )

    def _open(self, carrier: ICarrier, older: TCPHandler | None, hello: Hello) -> None:
        if older is not None:
            if older.was_heard_within(2 * self._limits.heartbeat_s):
                raise NodeInUse(
                    f"{hello.node_id} has a session and was heard of just now",
                    thing=hello.node_id,
                    remedy="Give each node an id of its own, or wait until that one is gone.",
                )
            older.dismiss(Bye("replaced", f"{hello.node_id} has connected anew"))
        self._make_room(carrier.peer_ip)
        handler = TCPHandler(self._loop, self, self._limits, self._protection)
        self._handler_by_node[hello.node_id] = handler
        handler.open(carrier, secrets.token_hex(16), hello.node_id, hello.max_bytes)
        self._welcome(carrier, handler, hello, is_new=True)

    def _make_room(self, peer_ip: str) -> None:
        """Make sure that there is room for a session of this address; the oldest that is unused may go for it.

        :raises ServerFull: if the address has, or all together have, as many in use as may be.
        """
        limits = self._limits
        handlers = self._all_handlers()
        crowd = [handler for handler in handlers if handler.peer_ip == peer_ip]
        unused = self._unused(crowd)
        is_crowded = len(crowd) >= limits.sessions_per_address_max
        if not is_crowded and len(unused) < limits.unbound_per_address_max:
            if len(handlers) < limits.sessions_max:
                return
            unused = unused or self._unused(handlers)
        if unused:
            unused[0].dismiss(Bye("full", f"others need the place, and {unused[0].node_id} has not registered"))
        elif is_crowded:
            raise ServerFull(
                f"{peer_ip} has {len(crowd)} sessions, which is all that one address may have",
                thing="sessions_per_address_max",
                value=limits.sessions_per_address_max,
                remedy="Raise transport.sessions_per_address_max at the server.",
            )
        else:
            raise ServerFull(
                f"there are {len(handlers)} sessions, which is all that is allowed",
                thing="sessions_max",
                value=limits.sessions_max,
                remedy="Let more files be open at a time at the server.",
            )

    def _unused(self, handlers: list[TCPHandler]) -> list[TCPHandler]:
        """Return those that wait to be bound, the oldest first."""
        if self._bind_timeout_s is None:
            return []
        return [handler for handler in handlers if handler.context is None]

    def _resume(self, carrier: ICarrier, handler: TCPHandler, hello: Hello) -> None:
        replaced = handler.resume(carrier, hello.last_received)
        if replaced is not None:
            self._handler_by_carrier.pop(replaced, None)
            if replaced is not carrier:
                replaced.close()
        self._welcome(carrier, handler, hello, is_new=False)

    def _welcome(self, carrier: ICarrier, handler: TCPHandler, hello: Hello, *, is_new: bool) -> None:
        handler.peer_features = frozenset(hello.features)
        self._has_greeted(carrier, handler)
        carrier.trust()
        welcome = Welcome(
            session_id=handler.session_id,
            node_id=self.node_id,
            last_received=handler.received_count,
            is_new=is_new,
            max_bytes=self._limits.message_bytes_max,
            heartbeat_s=self._limits.heartbeat_s,
            features=self.features,
        )
        carrier.send([control_message(Kind.WELCOME, [welcome.to_wire()])])
        log.log(
            logging.DEBUG if is_new else logging.INFO,
            "%s: %s at %s %s a session",
            self,
            handler.node_id,
            carrier.peer_ip,
            "opened" if is_new else "resumed",
        )
        self.count("sessions_opened" if is_new else "sessions_resumed")
        if self.on_open is not None:
            self._tell(self.on_open, handler, is_new)

    def ended(self, handler: TCPHandler, carrier: ICarrier | None, reason: str) -> None:
        """Forget a session that has ended for good."""
        if self._handler_by_node.get(handler.node_id) is handler:
            del self._handler_by_node[handler.node_id]
        super().ended(handler, carrier, reason)
