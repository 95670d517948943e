"""Sockets of ZeroMQ and their messages, as all carriers of this kind use them. Loop thread only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import MessageTooLarge
from concurrent.transport.carriers.listener import BACKLOG
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame
from concurrent.transport.session.envelope import check_sizes
from concurrent.transport.session.limits import Limits

with installed_first("zmq"):
    import zmq

__all__ = [
    "LOCAL",
    "MONITOR_EVENT",
    "Context",
    "Socket",
    "accept_parts",
    "as_parts",
    "endpoint_of",
    "make_socket",
    "new_context",
    "receive_parts",
    "sender_address",
    "sender_key",
]

Socket = Any  # zmq.Socket is generic over what recv returns, which is no help here
Context = zmq.Context[Any]

MONITOR_EVENT: Final = struct.Struct("=hi")
"""What happened to a connection, and a number that depends on that."""

LOCAL: Final = "ipc://"
"""How ZeroMQ writes the address of a Unix socket."""


def new_context() -> Context:
    """Return what sockets are made of; it has threads of its own."""
    return zmq.Context()


def make_socket(context: Context, kind: int, host: str, limits: Limits) -> Socket:
    """Return a socket with every option set that must be set before it binds or connects."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.SNDHWM, 0)  # sessions bound what is under way, in bytes
    socket.setsockopt(zmq.MAXMSGSIZE, limits.message_bytes_max)
    socket.setsockopt(zmq.BACKLOG, BACKLOG)
    if ":" in host:
        socket.setsockopt(zmq.IPV6, 1)
    return socket


def receive_parts(socket: Socket) -> list[zmq.Frame]:
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


def endpoint_of(host: str, port: int | str) -> str:
    """Return how ZeroMQ writes an address."""
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def sender_address(part: zmq.Frame) -> str:
    """Return the address from which a part of a message has come."""
    try:
        return str(part.get("Peer-Address"))
    except zmq.ZMQError:
        return "unknown"


def sender_key(part: zmq.Frame) -> bytes:
    """Return the key of CURVE of who has sent a part of a message; nothing if there is none."""
    try:
        return str(part.get("User-Id")).encode()
    except zmq.ZMQError:
        return b""
