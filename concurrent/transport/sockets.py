"""Ends connections whose sockets a fork of this process may have a copy of."""

from __future__ import annotations

import socket
from contextlib import suppress

__all__ = ["hang_up"]


def hang_up(sock: socket.socket) -> None:
    """Close a socket, and end its connection or its listening too.

    Closing alone leaves that to the last copy: a process that was forked meanwhile, and knows nothing of it,
    would keep the peer waiting for the end, or the port in use.
    """
    with suppress(OSError):  # it was not connected, or its peer has gone
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
