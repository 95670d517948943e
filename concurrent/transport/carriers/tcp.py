"""The TCP carrier: messages over one connected socket, and the server and client that use it."""

from __future__ import annotations

import asyncio
import os
import socket
from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from concurrent.core.errors import AddressError, ProtocolError, WrongServer
from concurrent.core.loggers import get_log
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import error_to_wire
from concurrent.transport.carriers.bytechannel import IByteChannel, MakeChannel, SocketChannel
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.endpoint import cannot_listen
from concurrent.transport.carriers.framing import GREETING_LIMITS, SCRATCH_BYTES, FrameReader
from concurrent.transport.carriers.server import SessionServer
from concurrent.transport.frames.blocks import NewBlock, new_block_of
from concurrent.transport.frames.frames import Buffer, Frame, gathered
from concurrent.transport.frames.memory import MemoryShare, ReceiveMemory
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import hang_up
from concurrent.transport.session.carrier import ICarrier, ICarrierOwner
from concurrent.transport.session.envelope import make_prefix
from concurrent.transport.session.foreign import http_refusal, is_http
from concurrent.transport.session.limits import Limits

__all__ = ["TCPClient", "TCPHandler", "TCPServer", "TCPSocket"]

READS_PER_TURN: Final = 16
SEND_ROOM_BYTES: Final = 1024 * 1024
"""More than this is not taken from the session while the socket is busy."""

BACKLOG: Final = 512
ACCEPTS_PER_TURN: Final = 64
ACCEPT_PAUSE_S: Final = 0.2
CONNECT_TIMEOUT_S: Final = 5.0

log = get_log(__name__)


class TCPSocket:
    """One TCP connection that carries messages; both ends use it. Loop thread only.

    :param loop: the node's loop.
    :param channel: what the bytes pass through; closed with this.
    :param owner: who is told what happens on it.
    :param limits: what is accepted once the peer is trusted.
    :param scratch: ``SCRATCH_BYTES`` of memory to receive into, shared by all sockets of an endpoint.
    :param memory: bounds what all sockets of the endpoint keep of incomplete messages.
    """

    def __init__(
        self,
        loop: NodeLoop,
        channel: IByteChannel,
        owner: ICarrierOwner,
        limits: Limits,
        *,
        scratch: memoryview,
        memory: ReceiveMemory,
    ) -> None:
        self.peer_ip = channel.peer_ip
        self.opened_at = loop.time()
        self._loop = loop
        self._channel = channel
        self._receive_into = channel.receive_into
        self._send_some = channel.send
        self._owner = owner
        self._limits = limits
        self._share = MemoryShare(memory, self._on_memory)
        self._reader = FrameReader(GREETING_LIMITS, scratch, self._share)
        self._out: deque[Buffer] = deque()
        self._out_bytes = 0
        self._is_blocked = False
        self._is_closed = False
        self._is_trusted = False
        self._linger: TimerHandle | None = None
        channel.want_read(self._on_readable)

    @property
    def has_room(self) -> bool:
        """Whether the socket keeps up with what it was given."""
        return self._out_bytes < SEND_ROOM_BYTES

    @property
    def is_held_up(self) -> bool:
        """Whether what the peer sent waits here for memory."""
        return self._reader.is_held_up

    def trust(self) -> None:
        """Accept messages up to the full limits."""
        self._is_trusted = True
        self._reader.limits = self._limits

    def send(self, messages: Sequence[Sequence[Buffer | Frame]]) -> None:
        """Send messages: small buffers joined, large ones as they are."""
        if self._is_closed or self._linger is not None:
            return
        buffers: list[Buffer | Frame] = []
        for message in messages:
            buffers.append(make_prefix(message))
            buffers += message
        pieces = gathered(buffers)
        self._out += pieces
        self._out_bytes += sum(map(len, pieces))
        if not self._is_blocked:
            self._write()

    def close(self, *, flush: bool = False) -> None:
        """Close now, or after sending what is left and hearing the peer's end, if ``flush``."""
        if self._is_closed:
            return
        if not flush:
            self._release()
        elif self._linger is None:
            self._linger = self._loop.call_later(self._limits.linger_s, self._release)
            if not self._out:
                self._finish_sending()

    def _write(self) -> None:
        out = self._out
        try:
            while out:
                self._out_bytes -= self._send_some(out)
        except (BlockingIOError, InterruptedError):
            if not self._is_blocked:
                self._is_blocked = True
                self._channel.want_write(self._on_writable)
        except OSError as error:
            self._loop.call_soon(self._lose, error.strerror or str(error))

    def _on_writable(self) -> None:
        had_room = self.has_room
        self._write()
        if self._out or self._is_closed:
            if not had_room and self.has_room:
                self._owner.writable(self)
            return
        self._is_blocked = False
        self._channel.want_write(None)
        if self._linger is not None:
            self._finish_sending()
        else:
            self._owner.writable(self)

    def _on_readable(self) -> None:  # noqa: C901  one loop, as each call costs
        batch: list[list[Buffer]] = []
        reason: str | None = None
        broken: ProtocolError | None = None
        for _ in range(READS_PER_TURN):
            space = self._reader.space()
            try:
                count = self._receive_into(space)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                reason = error.strerror or str(error)
                break
            if count == 0:
                reason = self._describe_end()
                break
            if self._linger is not None:
                continue
            try:
                batch.extend(self._reader.advance(count))
            except ProtocolError as error:
                broken = error
                break
            if count < len(space) or not self._is_trusted or self._reader.is_held_up:
                break
        if batch:
            is_trusted = self._is_trusted
            self._owner.received(self, batch)
            if self._is_trusted and not is_trusted:
                self._read_on()
        if self._is_closed:
            return
        if broken is not None and self._linger is None:
            if not self._is_trusted and type(broken.value) is bytes and is_http(broken.value):
                self._refuse_http()
            self._owner.broken(self, broken)
        elif reason is not None:
            self._lose(reason)
        elif self._reader.is_held_up:
            self._channel.want_read(None)

    def _refuse_http(self) -> None:
        """Say what this port is in words that a client of the JSON API understands, before the BYE."""
        problem = WrongServer(
            "this is the compute channel of a node, and HTTP was sent to it",
            thing="port",
            remedy="Use the port of the node's JSON API, which it logs when it starts",
        )
        self._out.append(answer := http_refusal(error_to_wire(problem)))
        self._out_bytes += len(answer)

    def _on_memory(self) -> None:
        """There may be memory for the message that waits."""
        if self._is_closed or self._linger is not None:
            self._share.release()
            return
        self._read_on()
        if not self._is_closed and not self._reader.is_held_up:
            self._channel.want_read(self._on_readable)

    def _read_on(self) -> None:
        """Go on with what has arrived already."""
        try:
            batch = self._reader.go_on()
        except ProtocolError as error:
            self._owner.broken(self, error)
            return
        if batch:
            self._owner.received(self, batch)

    def _describe_end(self) -> str:
        if self._reader.is_amid_message:
            return "the peer closed the connection in the middle of a message"
        return "the peer closed the connection"

    def _finish_sending(self) -> None:
        try:
            self._channel.finish_sending()
        except OSError:
            self._release()

    def _lose(self, reason: str) -> None:
        if self._is_closed:
            return
        if self._linger is None:
            self._owner.lost(self, reason)
        self._release()

    def _release(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._linger is not None:
            self._linger.cancel()
        self._channel.close()
        self._share.release()
        self._reader.close()
        self._out.clear()
        self._owner.released(self)


class TCPServer(SessionServer):
    """Serves clients over TCP; see :class:`SessionServer` for everything but the carrier.

    :param make_channel: makes what the bytes of each connection pass through.
    """

    _listener: socket.socket | None = None
    _is_short_of_files = False
    _scratch: memoryview
    _memory: ReceiveMemory

    def __init__(self, *args: Any, make_channel: MakeChannel = SocketChannel, **options: Any) -> None:
        super().__init__(*args, **options)
        self._make_channel = make_channel

    def _listen(self) -> None:
        try:
            infos = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            family, kind, protocol, _name, address = infos[0]
            listener = socket.socket(family, kind, protocol)
        except (OSError, ValueError) as error:  # a ValueError if the name cannot be one
            raise AddressError(
                f"cannot listen on {self.address}: {_describe(error)}",
                thing="host",
                value=self.host,
                remedy="Use an address of this machine.",
            ) from error
        try:
            if os.name == "posix":  # elsewhere it would let two servers share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as error:
            listener.close()
            raise cannot_listen(self.address, self.port, error.errno) from error
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._scratch = memoryview(bytearray(SCRATCH_BYTES))
        self._memory = _receive_memory(self._loop, self._limits, new_block_of)
        self._loop.add_reader(listener, self._on_connection)

    def _on_connection(self) -> None:
        listener = self._listener
        if listener is None:
            return
        for _ in range(ACCEPTS_PER_TURN):
            try:
                sock, _address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of file descriptors, most likely
                if not self._is_short_of_files:
                    log.error("%s: cannot accept connections for now: %s", self, error)
                self._is_short_of_files = True
                self._loop.remove_reader(listener)
                self._loop.call_later(ACCEPT_PAUSE_S, self._accept_again)
                return
            self._is_short_of_files = False
            try:
                channel = self._make_channel(self._loop, sock)
            except OSError:  # it is gone already
                sock.close()
                continue
            carrier = TCPSocket(
                self._loop, channel, self, self._limits, scratch=self._scratch, memory=self._memory
            )
            self._accepted(carrier)

    def _accept_again(self) -> None:
        if self._listener is not None:
            self._loop.add_reader(self._listener, self._on_connection)

    def _stop_opening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self._loop.remove_reader(listener)
            hang_up(listener)

    def _free(self) -> None:
        """Sockets are all there is."""


class TCPClient(SessionClient):
    """Keeps a session over TCP; see :class:`SessionClient` for everything but the carrier.

    :param make_channel: makes what the bytes of each connection pass through.
    """

    _dialling: asyncio.Task[None] | None = None
    _scratch: memoryview | None = None
    _memory: ReceiveMemory

    def __init__(self, *args: Any, make_channel: MakeChannel = SocketChannel, **options: Any) -> None:
        super().__init__(*args, **options)
        self._make_channel = make_channel

    def _dial(self) -> None:
        self._dialling = self._loop.aio.create_task(self._connect_any())

    async def _connect_any(self) -> None:
        """Try the addresses of the host one after the other."""
        aio = self._loop.aio
        reason = "the host has no address"
        try:
            infos = await asyncio.wait_for(_resolve(aio, self.host, self.port), CONNECT_TIMEOUT_S)
            for family, kind, protocol, address in infos:
                sock = socket.socket(family, kind, protocol)
                sock.setblocking(False)
                carrier: ICarrier | None = None
                try:
                    await asyncio.wait_for(aio.sock_connect(sock, address), CONNECT_TIMEOUT_S)
                    carrier = self._carry(sock)
                except (OSError, asyncio.TimeoutError) as error:
                    reason = _describe(error)
                finally:
                    if carrier is None:
                        sock.close()
                if carrier is not None:
                    self._dialling = None
                    self._dialled(carrier)
                    return
        except (OSError, asyncio.TimeoutError) as error:
            reason = _describe(error)
        self._dialling = None
        self._dial_failed(f"cannot connect to {self.address}: {reason}")

    def _carry(self, sock: socket.socket) -> ICarrier:
        if sock.getsockname() == sock.getpeername():
            raise ConnectionRefusedError("nobody listens; the connection was to itself")
        if self._scratch is None:
            self._scratch = memoryview(bytearray(SCRATCH_BYTES))
            self._memory = _receive_memory(self._loop, self._limits, self._new_block)
        channel = self._make_channel(self._loop, sock)
        return TCPSocket(self._loop, channel, self, self._limits, scratch=self._scratch, memory=self._memory)

    def _stop_opening(self) -> None:
        super()._stop_opening()
        if self._dialling is not None and not self._loop.aio.is_closed():
            self._dialling.cancel()
            self._dialling = None

    def _free(self) -> None:
        """Sockets are all there is."""


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
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or f"no answer within {CONNECT_TIMEOUT_S} s"
