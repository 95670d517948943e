"""Decoders of what a peer can send over ZeroMQ: what libzmq asks about it, and the parts of its messages.

Inputs have one part after the other, each behind its length.
"""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any, Final

import zmq
from zmq.utils import z85

from benchmarks.fuzz.decoder import Decoder
from concurrent.core.errors import ProtocolError
from concurrent.transport.carriers.curve import ZapHandler, new_curve_keys
from concurrent.transport.carriers.framing import GREETING_LIMITS
from concurrent.transport.carriers.zmqsockets import accept_parts, sender_address, sender_key
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.envelope import control_message, decode
from concurrent.transport.session.messages import Hello, Kind

__all__ = ["decoders"]

HELLO: Final = Hello(1, "", "slave-1", 0, 1 << 20, 1, ("extensions", "jobs"))
RACK: Final = Identity(Role.SLAVE, "rack", "office-4kd2", "a1b2")
LET_IN: Final = b"200"
PARTS_MAX: Final = 100


def decoders() -> list[Decoder]:
    """Return them."""
    return [_zap(), _first_messages()]


def _packed(parts: Any) -> bytes:
    return b"".join(struct.pack("!H", len(part)) + part for part in parts)


def _parts(data: bytes) -> list[bytes]:
    """Return the parts of an input; what is damaged has others."""
    found: list[bytes] = []
    while len(data) > 1 and len(found) < PARTS_MAX:
        size = 2 + int.from_bytes(data[:2], "big")
        found.append(data[2:size])
        data = data[size:]
    return found


class _Asking:
    """A socket on which libzmq asks once."""

    closed = False

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.answers: list[list[bytes]] = []

    def recv_multipart(self, _flags: int) -> list[bytes]:
        if not self.asked:
            raise zmq.Again
        return self.asked.pop()

    def send_multipart(self, parts: list[bytes]) -> None:
        self.answers.append(parts)

    def setsockopt(self, _option: int, _value: int) -> None:
        """There is nothing to set."""

    bind = getsockopt = close = lambda _self, *_arguments: 0


def _zap() -> Decoder:
    """Questions of libzmq; of all parts a stranger chooses the routing id and the key."""
    keys = new_curve_keys()
    protection = Protection(curve=new_curve_keys())
    protection.allowed.admit(keys.public, RACK)
    asking = _Asking()
    loop: Any = SimpleNamespace(add_reader=_nothing, call_soon=_nothing)
    context: Any = SimpleNamespace(socket=lambda _kind: asking)
    handler = ZapHandler(loop, context, protection, _nothing)
    known = z85.decode(keys.public)

    def read(data: bytes) -> None:
        what = _parts(data)
        asking.asked.append([b"peer", b"", b"1.0", b"1", *what])
        handler.answer()
        (answer,) = asking.answers
        asking.answers.clear()
        may = len(what) == 5 and [what[0], *what[3:]] == [b"concurrent", b"CURVE", known]
        assert (answer[4] == LET_IN) == may, answer

    value = [b"concurrent", b"192.0.2.1", b"routing id", b"CURVE", known]
    stranger = [*value[:4], bytes(32)]
    plain = [*value[:3], b"PLAIN", b"user", b"password"]
    values = (value, stranger, plain)
    return Decoder("questions of ZeroMQ", read, (), tuple(map(_packed, values)), values, _packed)


def _first_messages() -> Decoder:
    """What a connection says first, behind the routing id."""

    def read(data: bytes) -> None:
        parts = [zmq.Frame(part) for part in _parts(data)]
        if parts:
            sender_address(parts[-1])
            sender_key(parts[-1])
        message = decode(accept_parts(parts, GREETING_LIMITS))
        if message.kind == Kind.HELLO:
            Hello.from_wire(message.fields[0])

    values = ([bytes(control_message(Kind.HELLO, [HELLO.to_wire()])[0])],)
    return Decoder("messages of ZeroMQ", read, (ProtocolError,), tuple(map(_packed, values)), values, _packed)


def _nothing(*_arguments: Any) -> None:
    """Take notice of nothing."""
