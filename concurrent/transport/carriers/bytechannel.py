"""The stream of bytes under the messages of a TCP connection: what a carrier asks of it, and the plain socket.

Messages, sessions and handlers do not know what their bytes pass through. A channel that encrypts is another
class of this form: it holds back what a carrier sends until its greeting is over, watches the socket as it has
to, and calls the carrier again while it still has something that the carrier has not received.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from concurrent.transport.frames.frames import Buffer
from concurrent.transport.frames.gather import send_some
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import hang_up
from concurrent.transport.security.identity import Identity

__all__ = ["IByteChannel", "MakeChannel", "SocketChannel"]


class IByteChannel(Protocol):
    """One stream of bytes in each direction between two ends. Loop thread only; nothing waits."""

    @property
    def peer_ip(self) -> str:
        """The address of the other end."""

    @property
    def identity(self) -> Identity | None:
        """Who is at the other end, if the channel has a way to know, as soon as it has received something."""

    @property
    def receive_into(self) -> Callable[[memoryview], int]:
        """Receive into memory and return how many bytes came; 0 says that the peer sends nothing more.

        It raises BlockingIOError if there is nothing now, another OSError if the connection is lost, and
        ProtocolError, once, if nothing that this peer sends may be read.
        """

    @property
    def send(self) -> Callable[[deque[Buffer]], int]:
        """Send as much of the pieces as goes now, take it out of them, and return how many bytes that was.

        What it has taken leaves by itself. It raises BlockingIOError if nothing goes now, and another OSError
        if the connection is lost.
        """

    def want_read(self, fn: Callable[[], object] | None) -> None:
        """Call ``fn()`` as long as there may be something to receive, the end included; None: no more."""

    def want_write(self, fn: Callable[[], object] | None) -> None:
        """Call ``fn()`` as long as something can be sent; None: no more."""

    def finish_sending(self) -> None:
        """Have the peer see the end after all that was taken; raises OSError if the connection is lost."""

    def close(self) -> None:
        """Give up the connection and free it at once."""


LOCAL_IP: Final = "127.0.0.1"
"""What the peer of a Unix socket has for an address."""

MakeChannel = Callable[[NodeLoop, socket.socket], IByteChannel]
"""Makes the channel over a connected socket, which it owns from then on; OSError if the peer has gone."""


class SocketChannel:
    """The bytes as they are. Receiving and sending go to the socket with no call between.

    :param loop: the node's loop.
    :param sock: a connected socket, owned by this channel unless making it fails.
    :raises OSError: if the peer has gone already.
    """

    identity: Identity | None = None

    def __init__(self, loop: NodeLoop, sock: socket.socket) -> None:
        sock.setblocking(False)
        address = sock.getpeername()
        if isinstance(address, tuple):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer_ip: str = address[0] if isinstance(address, tuple) else LOCAL_IP
        self.receive_into: Callable[[memoryview], int] = sock.recv_into
        self.send: Callable[[deque[Buffer]], int] = partial(send_some, sock)
        self._loop = loop
        self._sock = sock

    def want_read(self, fn: Callable[[], object] | None) -> None:
        """Watch the socket for reading."""
        if fn is None:
            self._loop.remove_reader(self._sock)
        else:
            self._loop.add_reader(self._sock, fn)

    def want_write(self, fn: Callable[[], object] | None) -> None:
        """Watch the socket for writing."""
        if fn is None:
            self._loop.remove_writer(self._sock)
        else:
            self._loop.add_writer(self._sock, fn)

    def finish_sending(self) -> None:
        """Close this direction."""
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket; a fork's copy of it keeps nobody waiting."""
        self.want_read(None)
        self.want_write(None)
        hang_up(self._sock)
