"""What sockets need besides: pairs for children, an end that no fork's copy delays, one deadline for waits."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

__all__ = ["child_sockets", "hang_up", "time_left"]


def child_sockets() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets: one to keep, and one for a process that is started.

    Whoever asks for them owns both. They need no limits and no greeting, for nobody else can reach them.

    :raises OSError: if there are no descriptors for them.
    """
    return socket.socketpair()


def hang_up(sock: socket.socket) -> None:
    """Close a socket, and end its connection or its listening too.

    Closing alone leaves that to the last copy: a process that was forked meanwhile, and knows nothing of it,
    would keep the peer waiting for the end, or the port in use.
    """
    with suppress(OSError):  # it was not connected, or its peer has gone
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def time_left(deadline: float) -> float:
    """Return how many seconds are left, for the timeout of a socket.

    :param deadline: in seconds of the monotonic clock.
    :raises TimeoutError: if there are none, as the socket would.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")  # the text by which cheroot knows it
    return left
