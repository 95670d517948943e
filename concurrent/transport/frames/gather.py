"""Sending what lies in many pieces of memory with few system calls."""

from __future__ import annotations

import socket
from collections import deque
from itertools import islice
from typing import Final

from concurrent.transport.frames.frames import Buffer

__all__ = ["send_some"]

PIECES_PER_SEND: Final = 64
CAN_GATHER: Final = hasattr(socket.socket, "sendmsg")


def send_some(sock: socket.socket, pieces: deque[Buffer]) -> int:
    """Send as much as goes with one call, and take it out of the pieces; returns how many bytes that was.

    The thread that owns both. A receiver wakes up once for what goes with one call.

    :param pieces: at least one.
    :raises OSError: as the socket says, BlockingIOError if nothing can be sent now.
    """
    if len(pieces) > 1 and CAN_GATHER:
        count = sock.sendmsg(list(islice(pieces, PIECES_PER_SEND)))
    else:
        count = sock.send(pieces[0])
    rest = count
    while pieces and len(pieces[0]) <= rest:
        rest -= len(pieces.popleft())
    if rest:
        pieces[0] = memoryview(pieces[0])[rest:]
    return count
