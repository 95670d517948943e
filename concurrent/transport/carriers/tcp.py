"""The server and client of connected sockets: at a port, plain or in TLS, and in the place of a node."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.carriers.bytechannel import IByteChannel, MakeChannel, SocketChannel
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.framing import SCRATCH_BYTES
from concurrent.transport.carriers.listener import Listener, describe, listen_at
from concurrent.transport.carriers.server import NO_PORT, SessionServer
from concurrent.transport.carriers.strangers import needs_key
from concurrent.transport.carriers.tcpsocket import TCPSocket
from concurrent.transport.carriers.tlschannel import TLSChannel, TLSEnd
from concurrent.transport.frames.blocks import NewBlock, new_block_of
from concurrent.transport.frames.memory import ReceiveMemory
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.place import Place, check_peer
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.carrier import ICarrier
from concurrent.transport.session.limits import Limits

__all__ = ["TCPClient", "TCPHandler", "TCPServer"]

CONNECT_TIMEOUT_S: Final = 5.0
SOCKET_NAME: Final = "compute"
"""What the socket for sessions is called in a place."""


class TCPServer(SessionServer):
    """Serves clients over TCP; see :class:`SessionServer` for everything but the carrier.

    :param make_channel: makes what the bytes of each connection pass through, below TLS where there is TLS.
    """

    _scratch: memoryview
    _memory: ReceiveMemory

    def __init__(self, *args: Any, make_channel: MakeChannel = SocketChannel, **options: Any) -> None:
        super().__init__(*args, **options)
        self._make_channel = make_channel
        self._listeners: list[Listener] = []

    def _listen(self) -> None:
        self._scratch = memoryview(bytearray(SCRATCH_BYTES))
        self._memory = _receive_memory(self._loop, self._limits, new_block_of)
        protection = self._protection or Protection(is_open=True)
        try:
            if protection.place is not None:
                self._listen_in(protection.place)
            if self.port != NO_PORT:
                self._listen_at_port(protection)
        except ConfigurationError:
            self._stop_opening()
            raise

    def _listen_in(self, place: Place) -> None:
        """Listen for processes of this user."""
        listener = place.listen(SOCKET_NAME)
        take = partial(self._take, identity=THIS_USER, check=check_peer)
        self._listeners.append(Listener(self._loop, listener, take, partial(place.forget, SOCKET_NAME)))

    def _listen_at_port(self, protection: Protection) -> None:
        """Listen for members of the cluster, or for everybody if nothing protects this node."""
        if protection.tls is not None:
            end = TLSEnd(protection.tls, protection.trust, is_server=True)
            take = partial(self._take, identity=None, wrap=partial(_in_tls, end))
        elif protection.is_open:
            take = partial(self._take, identity=ANYBODY)
        else:
            self.port = NO_PORT
            return
        listener = listen_at(self.host, self.port)
        self.port = listener.getsockname()[1]
        self._listeners.append(Listener(self._loop, listener, take))

    def _take(
        self,
        sock: socket.socket,
        *,
        identity: Identity | None,
        check: Callable[[socket.socket], None] | None = None,
        wrap: Callable[[NodeLoop, IByteChannel], IByteChannel] | None = None,
    ) -> None:
        """Carry what comes in on a connection; the peer may only be told why it is refused."""
        problem: NotAllowed | None = None
        try:
            if check is not None:
                check(sock)
        except NotAllowed as error:
            problem = error
        try:
            channel = self._make_channel(self._loop, sock)
            if wrap is not None:
                channel = wrap(self._loop, channel)
        except OSError:  # it is gone already
            sock.close()
            return
        carrier = _carrier(self, channel, identity)
        self._accepted(carrier)
        if problem is not None:
            self.broken(carrier, problem)

    def _stop_opening(self) -> None:
        while self._listeners:
            self._listeners.pop().close()

    def _free(self) -> None:
        """Sockets are all there is."""


class TCPClient(SessionClient):
    """Keeps a session over TCP; see :class:`SessionClient` for everything but the carrier.

    :param make_channel: makes what the bytes of each connection pass through, below TLS where there is TLS.
    """

    _dialling: asyncio.Task[None] | None = None
    _scratch: memoryview | None = None
    _memory: ReceiveMemory
    _end: TLSEnd | None = None

    def __init__(self, *args: Any, make_channel: MakeChannel = SocketChannel, **options: Any) -> None:
        super().__init__(*args, **options)
        self._make_channel = make_channel

    def _dial(self) -> None:
        self._dialling = self._loop.aio.create_task(self._connect_any())

    async def _connect_any(self) -> None:
        """Try the place of the server, then the addresses of its host one after the other."""
        carrier: ICarrier | None = None
        reason = ""
        refusal: NotAllowed | None = None
        try:
            carrier = await self._connect_in_place() or await self._connect_to_port()
        except (OSError, asyncio.TimeoutError) as error:
            reason = f"cannot connect to {self.address}: {_describe(error)}"
        except NotAllowed as error:
            refusal = error
        self._dialling = None
        if carrier is not None:
            self._dialled(carrier)
        elif refusal is not None:
            self._dial_refused(refusal)
        else:
            self._dial_failed(reason)

    async def _connect_in_place(self) -> ICarrier | None:
        """Connect to a server of this user on this machine; None if none listens there."""
        place = self._protection.place if self._protection else None
        if place is None or self._resumes_by_port or not place.has(SOCKET_NAME):
            return None
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with suppress(ConnectionRefusedError, FileNotFoundError):
            return await self._open(sock, place.path(SOCKET_NAME), THIS_USER)
        return None

    async def _connect_to_port(self) -> ICarrier:
        """Connect to the server's port; raises OSError with the reason of the address tried last."""
        identity = self._identity_at_port()
        problem: Exception = OSError("the host has no address")
        aio = self._loop.aio
        for family, kind, protocol, address in await asyncio.wait_for(
            _resolve(aio, self.host, self.port), CONNECT_TIMEOUT_S
        ):
            try:
                return await self._open(socket.socket(family, kind, protocol), address, identity)
            except (OSError, asyncio.TimeoutError) as error:
                problem = error
        raise problem

    def _identity_at_port(self) -> Identity | None:
        """Return who the server at the port is, None if TLS finds out; raises if nobody there can be known."""
        protection = self._protection or Protection(is_open=True)
        if protection.tls is not None and not self._resumes_in_place:
            if self._end is None:
                self._end = TLSEnd(protection.tls, protection.trust, is_server=False)
            return None
        if protection.is_open and not self._resumes_in_place:
            return ANYBODY
        if protection.place is None:
            raise needs_key(f"{self.node_id}, which wants to connect to {self.address},")
        raise ConnectionRefusedError(f"no process of this user listens in {protection.place.folder}")

    async def _open(self, sock: socket.socket, address: Any, identity: Identity | None) -> ICarrier:
        """Connect a socket, which is closed unless that succeeds."""
        carrier: ICarrier | None = None
        try:
            sock.setblocking(False)
            await asyncio.wait_for(self._loop.aio.sock_connect(sock, address), CONNECT_TIMEOUT_S)
            carrier = self._carry(sock, identity)
        finally:
            if carrier is None:
                sock.close()
        return carrier

    def _carry(self, sock: socket.socket, identity: Identity | None) -> ICarrier:
        if identity is THIS_USER:
            sock.getpeername()  # raises if the server had no room for one more, which connecting does not tell
            check_peer(sock)
        elif sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError("nobody listens; the connection was to itself")
        if self._scratch is None:
            self._scratch = memoryview(bytearray(SCRATCH_BYTES))
            self._memory = _receive_memory(self._loop, self._limits, self._new_block)
        channel = self._make_channel(self._loop, sock)
        if identity is None:
            assert self._end is not None
            channel = _in_tls(self._end, self._loop, channel)
        return _carrier(self, channel, identity)

    def _stop_opening(self) -> None:
        super()._stop_opening()
        if self._dialling is not None and not self._loop.aio.is_closed():
            self._dialling.cancel()
            self._dialling = None

    def _free(self) -> None:
        """Sockets are all there is."""


def _carrier(end: TCPServer | TCPClient, channel: IByteChannel, identity: Identity | None) -> TCPSocket:
    """Carry the messages of one end over a channel.

    :param identity: who the peer is; None: the channel finds out.
    """
    assert end._scratch is not None, "made before the first connection"
    return TCPSocket(
        end._loop,
        channel,
        end,
        end._limits,
        identity=identity,
        scratch=end._scratch,
        memory=end._memory,
    )


def _in_tls(end: TLSEnd, loop: NodeLoop, channel: IByteChannel) -> IByteChannel:
    """Return TLS over a channel, which is closed if its peer has gone already; raises OSError then."""
    try:
        return TLSChannel(loop, channel, end)
    except OSError:
        channel.close()
        raise


def _receive_memory(loop: NodeLoop, limits: Limits, new_block: NewBlock) -> ReceiveMemory:
    def call_soon(fn: Callable[[], object]) -> None:
        if not loop.aio.is_closed():  # else sockets are being closed after the end of the loop
            loop.call_soon(fn)

    return ReceiveMemory(limits.incomplete_bytes_max, call_soon, new_block)


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, tuple[Any, ...]]


async def _resolve(aio: asyncio.AbstractEventLoop, host: str, port: int) -> list[_Address]:
    """Look up a host; a literal address needs no thread for that."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        try:
            infos = await aio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except RuntimeError:  # the program is ending, and the threads of the standard library have ended
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, kind, protocol, address) for family, kind, protocol, _name, address in infos]


def _describe(error: BaseException) -> str:
    is_late = isinstance(error, asyncio.TimeoutError) and not str(error)
    return f"no answer within {CONNECT_TIMEOUT_S} s" if is_late else describe(error)
