"""A peer that speaks the wire format by hand, well or badly, as either end of a TCP connection."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterator
from typing import Any

from concurrent.transport.carriers.framing import SCRATCH_BYTES, FrameReader
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.session.envelope import (
    Message,
    control_message,
    decode,
    encode_body,
    make_header,
    make_prefix,
)
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Hello, Kind
from tests.integration.transport.transport_nodes import WAIT_S

HELLO = Hello(version=1, session_id="", node_id="raw", last_received=0, max_bytes=10**6)


class RawPeer:
    """See the module.

    :param place: the port to connect to, or a connection that was accepted.
    """

    def __init__(self, place: int | socket.socket, node_id: str = "raw") -> None:
        self.hello = {**HELLO.to_wire(), "node_id": node_id}
        self.sock = place if isinstance(place, socket.socket) else _connect(place)
        self.sock.settimeout(WAIT_S)
        self.reader = FrameReader(Limits(), memoryview(bytearray(SCRATCH_BYTES)))
        self.number = 0
        self.arrived: deque[list[Buffer]] = deque()

    def send(self, buffers: list[Buffer]) -> None:
        self.sock.sendall(make_prefix(buffers) + b"".join(buffers))

    def send_next(self, kind: int, fields: list[Any]) -> None:
        """Send the next message that has a number."""
        self.number += 1
        self.send([make_header(kind, self.number, 0, encode_body(fields, "a test").data)])

    def messages(self) -> Iterator[Message]:
        """Yield messages until the peer closes."""
        while True:
            while self.arrived:
                yield decode(self.arrived.popleft())
            count = self.sock.recv_into(self.reader.space())
            if not count:
                return
            self.arrived.extend(self.reader.advance(count))

    def next_of(self, kind: Kind) -> Message:
        """Return the next message of a kind; others are passed over."""
        return next(message for message in self.messages() if message.kind == kind)

    def greet(self) -> dict[str, Any]:
        """Say HELLO; return the map of the WELCOME."""
        self.send(control_message(Kind.HELLO, [self.hello]))
        message = next(self.messages())
        assert message.kind == Kind.WELCOME
        welcome: dict[str, Any] = message.fields[0]
        return welcome

    def end(self) -> list[Any]:
        """Return the fields of the BYE that the connection must end with."""
        *_, last = self.messages()
        assert last.kind == Kind.BYE
        return last.fields


def _connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), WAIT_S)
