"""The ZeroMQ carrier: a ROUTER serves many peers, a DEALER is the client's end.

ZeroMQ chooses the routing ids (a duplicate one would be ignored in silence) and its own heartbeats
stay off, for a session notices a broken connection and resumes it without loss. A socket is watched
by the file descriptor that it offers, which signals *changes* only: so it is drained whenever that
signals, and looked at again after every sending.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import NotAllowed, ProtocolError
from concurrent.transport.carriers.bytechannel import LOCAL_IP
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.curve import identity_of_key
from concurrent.transport.carriers.framing import GREETING_LIMITS
from concurrent.transport.carriers.server import SessionServer
from concurrent.transport.carriers.strangers import unknown_key
from concurrent.transport.carriers.zmqdoors import Door, Doors, Listening, Route, route_in_place, route_to_port
from concurrent.transport.carriers.zmqsockets import (
    MONITOR_EVENT,
    Context,
    accept_parts,
    as_parts,
    make_socket,
    receive_parts,
    sender_address,
    sender_key,
)
from concurrent.transport.frames.frames import Buffer, Frame
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.states import SessionState

with installed_first("zmq"):
    import zmq

__all__ = ["TCPServerZMQ", "ZMQClient"]

MESSAGES_PER_TURN: Final = 512
FINISHED_MAX: Final = 4096
"""How many routing ids of finished connections are remembered, to ignore what they still send."""

SOCKET_NAME: Final = "compute"
"""What the socket for sessions is called in a place."""

_LOST_EVENTS: Final = (
    zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)
_REFUSED_EVENTS: Final = zmq.EVENT_HANDSHAKE_FAILED_AUTH


class RouterPeer:
    """One client's connection to a ROUTER. Loop thread only."""

    has_room = True
    is_held_up = False

    def __init__(self, router: Router, routing_id: bytes, peer_ip: str, identity: Identity, now: float) -> None:
        self.peer_ip = peer_ip
        self.identity = identity
        self.opened_at = now
        self.routing_id = routing_id
        self.limits = GREETING_LIMITS
        self._router = router
        self._is_closed = False

    def trust(self) -> None:
        """Accept messages up to the full limits."""
        self.limits = self._router.limits

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages; a peer that is gone is reported when the loop has its turn again."""
        if not self._is_closed:
            self._router.send_to(self, messages)

    def close(self, *, flush: bool = False) -> None:
        """Forget the peer; ZeroMQ sends what is left in any case."""
        if not self._is_closed:
            self._is_closed = True
            self._router.forget(self)


class Router:
    """The peers that come in by one door, which it owns. Loop thread only.

    :param server: owns the peers.
    """

    def __init__(self, loop: NodeLoop, server: TCPServerZMQ, door: Door, limits: Limits) -> None:
        self.limits = limits
        self._loop = loop
        self._server = server
        self._door = door
        self.is_at_port = door.identity is not THIS_USER
        self._peer_by_routing_id: dict[bytes, RouterPeer] = {}
        self._finished: OrderedDict[bytes, None] = OrderedDict()
        self._is_armed = False
        self._is_closed = False
        self._socket = door.socket
        self._watch()

    def send_to(self, peer: RouterPeer, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages to one peer."""
        if self._is_closed:
            return
        try:
            for buffers in messages:
                self._socket.send_multipart([peer.routing_id, *as_parts(buffers)], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            self._loop.call_soon(self._server.lose, peer, error.strerror)
        self._look_again()

    def forget(self, peer: RouterPeer) -> None:
        """Take no notice of a connection any more."""
        self._peer_by_routing_id.pop(peer.routing_id, None)
        self._finished[peer.routing_id] = None
        if len(self._finished) > FINISHED_MAX:
            self._finished.popitem(last=False)
        self._server.released(peer)

    def open_anew(self) -> None:
        """Close all connections at the port; who may come back does so, and goes on with its session."""
        self._loop.remove_reader(self._socket.fileno())
        self._socket = self._door.open_anew(int(self.limits.linger_s * 1000))
        for peer in list(self._peer_by_routing_id.values()):
            self._server.lose(peer, "the port was opened anew")
        self._finished.clear()
        self._watch()

    def close(self) -> None:
        """Take in nothing more, and send what is left."""
        self._is_closed = True
        self._loop.remove_reader(self._socket.fileno())
        self._door.close(int(self.limits.linger_s * 1000))

    def _watch(self) -> None:
        self._loop.add_reader(self._socket.fileno(), self._on_ready)
        self._look_again()

    def _look_again(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._on_ready)

    def _on_ready(self) -> None:
        self._is_armed = False
        batches: dict[RouterPeer, list[list[Buffer]]] = {}
        for _ in range(MESSAGES_PER_TURN):
            if self._is_closed:
                return
            try:
                parts = receive_parts(self._socket)
            except zmq.Again:
                break
            peer = self._peer_of(parts)
            if peer is None:
                continue
            try:
                batches.setdefault(peer, []).append(accept_parts(parts[1:], peer.limits))
            except ProtocolError as error:
                self._deliver(peer, batches.pop(peer, []))
                self._server.refuse(peer, error)
        else:
            self._look_again()
        for peer, batch in batches.items():
            self._deliver(peer, batch)

    def _deliver(self, peer: RouterPeer, batch: list[list[Buffer]]) -> None:
        if batch:
            self._server.received(peer, batch)

    def _peer_of(self, parts: list[zmq.Frame]) -> RouterPeer | None:
        """Return who has sent a message; None if nobody from whom something is taken."""
        routing_id = parts[0].bytes
        peer = self._peer_by_routing_id.get(routing_id)
        if peer is not None:
            return peer
        if routing_id in self._finished or not self._server.takes_peers:
            return None
        identity = self._door.identity
        if identity is None:
            try:
                identity = self._server.identity_of(sender_key(parts[-1]))
            except NotAllowed:  # it was let in, and its key was taken back before it has said something
                return None
        peer_ip = LOCAL_IP if identity is THIS_USER else sender_address(parts[-1])
        peer = RouterPeer(self, routing_id, peer_ip, identity, self._loop.time())
        self._peer_by_routing_id[routing_id] = peer
        self._server.take(peer)
        return peer


class TCPServerZMQ(SessionServer):
    """Serves clients over ZeroMQ; see :class:`SessionServer` for everything but the carrier.

    In its place it serves processes of its user, at its port, in CURVE, those whose keys its protection allows.
    """

    _doors: Doors | None = None

    @property
    def takes_peers(self) -> bool:
        """Whether somebody new may come."""
        return not self._is_stopping

    def identity_of(self, key: bytes) -> Identity:
        """Return who has a key of CURVE; raises NotAllowed if it may not come in."""
        assert self._protection is not None, "without one nobody needs a key"
        return identity_of_key(self._protection, key)

    def take(self, peer: RouterPeer) -> None:
        """Own a peer that has sent something for the first time."""
        self._accepted(peer)

    def refuse(self, peer: RouterPeer, error: ProtocolError) -> None:
        """Refuse a peer that broke the protocol, unless it is refused already."""
        if peer in self._carriers:
            self.broken(peer, error)

    def lose(self, peer: RouterPeer, reason: str) -> None:
        """A peer is gone."""
        if peer in self._carriers:
            self.lost(peer, reason)
            peer.close()

    def dismiss_revoked(self, serials: Iterable[str]) -> None:
        """See the base. ZeroMQ closes no single connection, so the port is opened anew if one had come in."""
        revoked = frozenset(serials)
        super().dismiss_revoked(revoked)
        if self._doors is not None and self._doors.zap is not None and self._doors.zap.has_let_in(revoked):
            for router in self._routers:
                if router.is_at_port:
                    router.open_anew()

    def _listen(self) -> None:
        options: dict[int, int] = {zmq.ROUTER_MANDATORY: 1}
        listening = Listening(zmq.ROUTER, SOCKET_NAME, self.host, self.port, self._limits, options)
        self._doors = Doors(self._loop, listening, self._protection, self.say_refused)
        self.port = self._doors.port
        self._routers = [Router(self._loop, self, door, self._limits) for door in self._doors]

    def _stop_opening(self) -> None:
        """Peers that are not known yet are ignored from now on."""

    def _close_all(self) -> None:
        super()._close_all()
        if self._doors is not None:
            while self._routers:
                self._routers.pop().close()
            self._doors.close()

    def _free(self) -> None:
        if self._doors is not None and not self._routers:
            self._doors.context.term()
            self._doors = None


class DealerLink:
    """A client's connection through a DEALER. Loop thread only.

    :param route: how the server is reached.
    """

    has_room = True
    is_held_up = False

    def __init__(
        self, loop: NodeLoop, context: Context, owner: ZMQClient, route: Route, limits: Limits
    ) -> None:
        self.identity = route.identity
        self.peer_ip = owner.host
        self.opened_at = loop.time()
        self._loop = loop
        self._owner = owner
        self._full_limits = limits
        self._limits = GREETING_LIMITS
        self._is_closed = False
        self._is_armed = False
        self._socket = make_socket(context, zmq.DEALER, owner.host, limits)
        self._monitor = self._socket.get_monitor_socket(
            _LOST_EVENTS | _REFUSED_EVENTS | zmq.EVENT_CONNECT_RETRIED
        )
        route.connect(self._socket)
        loop.add_reader(self._socket.fileno(), self._on_ready)
        loop.add_reader(self._monitor.fileno(), self._on_event)
        self._look_again()
        loop.call_soon(self._on_event)

    def trust(self) -> None:
        """Accept messages up to the full limits."""
        self._limits = self._full_limits

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages, or let ZeroMQ keep them until it is connected."""
        if self._is_closed:
            return
        try:
            for buffers in messages:
                self._socket.send_multipart(as_parts(buffers), zmq.NOBLOCK)
        except zmq.ZMQError as error:
            self._loop.call_soon(self._lose, error.strerror)
        self._look_again()

    def close(self, *, flush: bool = False) -> None:
        """Close; with ``flush`` ZeroMQ goes on for a while to send what is left."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_reader(self._monitor.fileno())
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close(linger=int(self._full_limits.linger_s * 1000) if flush else 0)
        self._owner.released(self)

    def _look_again(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._on_ready)

    def _on_ready(self) -> None:
        self._is_armed = False
        self._drain(MESSAGES_PER_TURN)

    def _drain(self, count: int) -> None:
        if self._is_closed:
            return
        batch: list[list[Buffer]] = []
        broken: ProtocolError | None = None
        for _ in range(count):
            try:
                batch.append(accept_parts(receive_parts(self._socket), self._limits))
            except zmq.Again:
                break
            except ProtocolError as error:
                broken = error
                break
            if self._limits is GREETING_LIMITS:  # its answer decides what the next may be
                self._look_again()
                break
        else:
            self._look_again()
        if batch:
            self._owner.received(self, batch)
        if broken is not None and not self._is_closed:
            self._owner.broken(self, broken)

    def _on_event(self) -> None:
        while not self._is_closed:
            try:
                event = MONITOR_EVENT.unpack(self._monitor.recv_multipart(zmq.NOBLOCK)[0])[0]
            except zmq.Again:
                return
            if event & _REFUSED_EVENTS:
                self._owner.unknown_there(self)
            elif event & _LOST_EVENTS:
                self._drain(MESSAGES_PER_TURN)
                self._lose("the peer closed the connection, or refused a message")
            else:
                self._owner.note_problem("nobody answers at the address")

    def _lose(self, reason: str) -> None:
        if not self._is_closed:
            self._owner.lost(self, reason)
            self.close()


class ZMQClient(SessionClient):
    """Keeps a session over ZeroMQ; see :class:`SessionClient` for everything but the carrier.

    ``on_lost`` is called too when the server does not know the key of this node: it has to register again.
    """

    _context: Context | None = None

    def unknown_there(self, carrier: DealerLink) -> None:
        """The server does not let in the key of this node. Loop thread only."""
        error = unknown_key(self.address)
        self.broken(carrier, error)
        if self.handler.state is SessionState.CUT:
            self.handler.end(error.message, error)
        elif self.on_lost is not None:
            self._tell(self.on_lost, self.handler, error.message)

    def _dial(self) -> None:
        if self._context is None:
            self._context = zmq.Context()
        try:
            link = DealerLink(self._loop, self._context, self, self._route(), self._limits)
        except NotAllowed as error:
            self._dial_refused(error)
            return
        except (zmq.ZMQError, ConnectionRefusedError) as error:
            self._dial_failed(f"cannot connect to {self.address}: {error}")
            return
        self._dialled(link)

    def _route(self) -> Route:
        """Return how to reach the server: in its place if it has one, as far as the session allows."""
        near = None if self._resumes_by_port else route_in_place(self._protection, SOCKET_NAME)
        if near is not None:
            return near
        if self._resumes_in_place:
            raise ConnectionRefusedError("no process of this user listens there")
        return route_to_port(self.host, self.port, self._protection)

    def _free(self) -> None:
        if self._context is not None and not self._carriers:
            self._context.term()
            self._context = None
