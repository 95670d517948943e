"""What sockets need besides: an end that no fork's copy delays, and one deadline for several waits."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

__all__ = ["hang_up", "time_left"]


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
