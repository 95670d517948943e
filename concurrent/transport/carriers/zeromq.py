"""The ZeroMQ carrier: a ROUTER serves many peers, a DEALER is the client's end.

ZeroMQ chooses the routing ids (a duplicate one would be ignored in silence) and its own heartbeats
stay off, for a session notices a broken connection and resumes it without loss. A socket is watched
by the file descriptor that it offers, which signals *changes* only: so it is drained whenever that
signals, and looked at again after every sending.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import MessageTooLarge, ProtocolError
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.endpoint import cannot_listen
from concurrent.transport.carriers.framing import GREETING_LIMITS
from concurrent.transport.carriers.server import NO_PORT, SessionServer
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.carrier import ICarrierOwner
from concurrent.transport.session.envelope import check_sizes
from concurrent.transport.session.limits import Limits

with installed_first("zmq"):
    import zmq

__all__ = ["TCPServerZMQ", "ZMQClient", "accept_parts", "endpoint_of", "make_socket", "receive_parts"]

MESSAGES_PER_TURN: Final = 512
FINISHED_MAX: Final = 4096
"""How many routing ids of finished connections are remembered, to ignore what they still send."""

LOCAL: Final = "ipc://"
"""How ZeroMQ writes a socket in the file system."""

_MONITOR_EVENT: Final = struct.Struct("=hi")
_LOST_EVENTS: Final = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)

_Socket = Any  # zmq.Socket is generic over what recv returns, which is no help here


def make_socket(context: zmq.Context[_Socket], kind: int, host: str, limits: Limits) -> _Socket:
    """Return a socket with every option set that must be set before it binds or connects."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, 0)  # sessions bound what is under way, in bytes
    socket.setsockopt(zmq.MAXMSGSIZE, limits.message_bytes_max)
    if ":" in host:
        socket.setsockopt(zmq.IPV6, 1)
    return socket


def receive_parts(socket: _Socket) -> list[zmq.Frame]:
    """Return the parts of the next message, all of which have arrived; raises zmq.Again."""
    part = socket.recv(zmq.NOBLOCK, copy=False)
    parts = [part]
    while part.more:
        part = socket.recv(zmq.NOBLOCK, copy=False)
        parts.append(part)
    return parts


def accept_parts(parts: list[zmq.Frame], limits: Limits) -> list[Buffer]:
    """Return the frames of a message, the large ones without a copy; raises ProtocolError."""
    if not parts:
        raise MessageTooLarge("a message must have at least one frame", thing="frames", value=0)
    check_sizes([len(part) for part in parts], limits)
    return [part.buffer if len(part) >= FRAME_BYTES_MIN else part.bytes for part in parts]


def as_parts(buffers: Sequence[Buffer | Frame]) -> list[Buffer]:
    """Return the parts of a message: each frame is one, in one piece."""
    return [buffer.buffer if isinstance(buffer, Frame) else buffer for buffer in buffers]


class RouterPeer:
    """One client's connection to a ROUTER. Loop thread only."""

    has_room = True
    is_held_up = False

    def __init__(
        self, server: TCPServerZMQ, routing_id: bytes, peer_ip: str, identity: Identity, now: float
    ) -> None:
        self.identity = identity
        self.peer_ip = peer_ip
        self.opened_at = now
        self.routing_id = routing_id
        self.limits = GREETING_LIMITS
        self._server = server
        self._is_closed = False

    def trust(self) -> None:
        """Accept messages up to the full limits."""
        self.limits = self._server.limits

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages; a peer that is gone is reported when the loop has its turn again."""
        if not self._is_closed:
            self._server.send_to(self, messages)

    def close(self, *, flush: bool = False) -> None:
        """Forget the peer; ZeroMQ sends what is left in any case."""
        if not self._is_closed:
            self._is_closed = True
            self._server.forget(self)


class TCPServerZMQ(SessionServer):
    """Serves clients over ZeroMQ; see :class:`SessionServer` for everything but the carrier."""

    _context: zmq.Context[_Socket] | None = None
    _socket: _Socket | None = None
    _is_armed = False

    @property
    def limits(self) -> Limits:
        """What is accepted from peers that have greeted."""
        return self._limits

    def _listen(self) -> None:
        self._peer_by_routing_id: dict[bytes, RouterPeer] = {}
        self._finished: OrderedDict[bytes, None] = OrderedDict()
        context: zmq.Context[_Socket] = zmq.Context()
        socket = make_socket(context, zmq.ROUTER, self.host, self._limits)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        try:
            self.port = bind_all(socket, self.host, self.port, self._protection, "compute")
        except zmq.ZMQError as error:
            socket.close(linger=0)
            context.term()
            raise cannot_listen(self.address, self.port, error.errno) from error
        is_open = self._protection is None or self._protection.is_open
        self._peer_identity = ANYBODY if is_open else THIS_USER
        self._context = context
        self._socket = socket
        self._loop.add_reader(socket.fileno(), self._on_ready)
        self._look_again()

    def send_to(self, peer: RouterPeer, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages to one peer."""
        if self._socket is None:
            return
        try:
            for buffers in messages:
                self._socket.send_multipart([peer.routing_id, *as_parts(buffers)], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            self._loop.call_soon(self._lose, peer, error.strerror)
        self._look_again()

    def forget(self, peer: RouterPeer) -> None:
        """Take no notice of a connection any more."""
        self._peer_by_routing_id.pop(peer.routing_id, None)
        self._finished[peer.routing_id] = None
        if len(self._finished) > FINISHED_MAX:
            self._finished.popitem(last=False)
        self.released(peer)

    def _lose(self, peer: RouterPeer, reason: str) -> None:
        if peer in self._carriers:
            self.lost(peer, reason)
            peer.close()

    def _look_again(self) -> None:
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_soon(self._on_ready)

    def _on_ready(self) -> None:
        self._is_armed = False
        batches: dict[RouterPeer, list[list[Buffer]]] = {}
        for _ in range(MESSAGES_PER_TURN):
            if self._socket is None:
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
                if peer in self._carriers:
                    self.broken(peer, error)
        else:
            self._look_again()
        for peer, batch in batches.items():
            self._deliver(peer, batch)

    def _deliver(self, peer: RouterPeer, batch: list[list[Buffer]]) -> None:
        if batch:
            self.received(peer, batch)

    def _peer_of(self, parts: list[zmq.Frame]) -> RouterPeer | None:
        routing_id = parts[0].bytes
        peer = self._peer_by_routing_id.get(routing_id)
        if peer is not None:
            return peer
        if routing_id in self._finished or self._is_stopping:
            return None
        peer_ip = _address_of(parts[-1])
        peer = RouterPeer(self, routing_id, peer_ip, self._peer_identity, self._loop.time())
        self._peer_by_routing_id[routing_id] = peer
        self._accepted(peer)
        return peer

    def _stop_opening(self) -> None:
        """Peers that are not known yet are ignored from now on."""

    def _close_all(self) -> None:
        super()._close_all()
        socket, self._socket = self._socket, None
        if socket is not None:
            self._loop.remove_reader(socket.fileno())
            socket.close(linger=int(self._limits.linger_s * 1000))

    def _free(self) -> None:
        if self._context is not None and self._socket is None:
            self._context.term()
            self._context = None


class DealerLink:
    """A client's connection through a DEALER. Loop thread only."""

    has_room = True
    is_held_up = False

    def __init__(
        self,
        loop: NodeLoop,
        context: zmq.Context[_Socket],
        owner: ZMQClient,
        limits: Limits,
        protection: Protection | None,
    ) -> None:
        endpoint = endpoint_to(owner.host, owner.port, protection, "compute")
        self.identity = THIS_USER if endpoint.startswith(LOCAL) else ANYBODY
        self.peer_ip = owner.host
        self.opened_at = loop.time()
        self._loop = loop
        self._owner: ICarrierOwner = owner
        self._note = owner.note_problem
        self._full_limits = limits
        self._limits = GREETING_LIMITS
        self._is_closed = False
        self._is_armed = False
        self._socket = make_socket(context, zmq.DEALER, owner.host, limits)
        self._monitor = self._socket.get_monitor_socket(_LOST_EVENTS | zmq.EVENT_CONNECT_RETRIED)
        self._socket.connect(endpoint)
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
                event = _MONITOR_EVENT.unpack(self._monitor.recv_multipart(zmq.NOBLOCK)[0])[0]
            except zmq.Again:
                return
            if event & _LOST_EVENTS:
                self._drain(MESSAGES_PER_TURN)
                self._lose("the peer closed the connection, or refused a message")
            else:
                self._note("nobody answers at the address")

    def _lose(self, reason: str) -> None:
        if not self._is_closed:
            self._owner.lost(self, reason)
            self.close()


class ZMQClient(SessionClient):
    """Keeps a session over ZeroMQ; see :class:`SessionClient` for everything but the carrier."""

    _context: zmq.Context[_Socket] | None = None

    def _dial(self) -> None:
        if self._context is None:
            self._context = zmq.Context()
        try:
            link = DealerLink(self._loop, self._context, self, self._limits, self._protection)
        except (zmq.ZMQError, ConnectionRefusedError) as error:
            self._dial_failed(f"cannot connect to {self.address}: {error.strerror or error}")
            return
        self._dialled(link)

    def _free(self) -> None:
        if self._context is not None and not self._carriers:
            self._context.term()
            self._context = None


def endpoint_of(host: str, port: int | str) -> str:
    """Return how ZeroMQ writes an address."""
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def bind_all(socket: _Socket, host: str, port: int, protection: Protection | None, name: str) -> int:
    """Bind a socket to its place, and to its port where anybody may come; returns the port.

    :raises zmq.ZMQError: if one of them cannot be had.
    """
    if protection is not None and protection.place is not None:
        socket.bind(f"{LOCAL}{protection.place.path(name)}")
    if protection is not None and not protection.is_open:
        return NO_PORT
    socket.bind(endpoint_of(host or "*", port or "*"))
    return int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2].rstrip(b"\0"))


def endpoint_to(host: str, port: int, protection: Protection | None, name: str) -> str:
    """Return how to reach a socket: in its place, or at its port where everything is open.

    :raises ConnectionRefusedError: if it has neither.
    """
    if protection is not None and protection.place is not None and protection.place.has(name):
        return f"{LOCAL}{protection.place.path(name)}"
    if protection is not None and not protection.is_open:
        raise ConnectionRefusedError("no process of this user listens there")
    return endpoint_of(host, port)


def _address_of(part: zmq.Frame) -> str:
    try:
        return str(part.get("Peer-Address"))
    except zmq.ZMQError:
        return "unknown"
