"""What strangers do at a port. Each attack is a function that goes on until it is told to end.

They run in a process of their own, which has a thread for each. Where a port speaks ZeroMQ their handshakes are
those of ZeroMQ.
"""

from __future__ import annotations

import os
import random
import selectors
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

__all__ = ["ATTACKS", "Attack", "Port"]

HOST: Final = "127.0.0.1"
CROWD: Final = 200
TIMEOUT_S: Final = 2.0
DRIP_S: Final = 0.05
RESET: Final = struct.pack("ii", 1, 0)
"""Closes with a reset, so that no port is used up by connections that linger."""

MIB: Final = 1 << 20

ZMTP_GREETING: Final = b"\xff" + bytes(8) + b"\x7f\3\0" + b"CURVE".ljust(52, b"\0")
"""How ZeroMQ begins: version, mechanism, and that this is no server."""


class Port(NamedTuple):
    """Where they connect, and whether it speaks ZeroMQ."""

    number: int
    is_zeromq: bool = False


Attack = Callable[[Port, threading.Event], int]
"""Takes a port and what ends it; returns how many connections it made."""


def silent(port: Port, end: threading.Event) -> int:
    """Keep many connections that say nothing; open those again that are closed."""
    return _crowd(port, end, lambda _: b"")


def dripping(port: Port, end: threading.Event) -> int:
    """Keep many connections that send a handshake byte by byte."""
    hello = first_words(port)
    return _crowd(port, end, lambda sent: hello[sent : sent + 1])


def dropped(port: Port, end: threading.Event) -> int:
    """Connect and go, as often as possible."""
    count = 0
    while not end.is_set():
        with suppress(OSError), _connected(port):
            count += 1
    return count


def garbage(port: Port, end: threading.Event) -> int:
    """Send noise of all sizes."""
    chance = random.Random(1)
    return _sending(port, end, lambda: chance.randbytes(chance.choice((1, 5, 100, 70_000))))


def huge_hellos(port: Port, end: threading.Event) -> int:
    """Begin with handshakes that are as large as they say, and much larger than any is."""
    sizes = random.Random(1)

    def hello() -> bytes:
        body = os.urandom(16_000)
        record = (
            b"\x16\x03\x01" + struct.pack("!H", 4 + len(body)) + b"\x01" + struct.pack("!I", 1 << 23)[1:] + body
        )
        return record * sizes.randint(1, 20)

    def command() -> bytes:
        announced = b"\6" + struct.pack("!Q", 200 * MIB)
        return ZMTP_GREETING + announced + bytes(sizes.randint(1, 20) * MIB)

    return _sending(port, end, command if port.is_zeromq else hello)


def half_handshakes(port: Port, end: threading.Event) -> int:
    """Have the server answer a handshake, the dearest part of it, and go."""
    hello = first_words(port)
    return _sending(port, end, lambda: hello, reads=True)


def requests(port: Port, end: threading.Event) -> int:
    """Ask for pages and methods without a token, over plain HTTP."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"status"}'
    post = b"POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    page = b"GET /status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ct1.eyJ9.abc\r\n\r\n"
    return _sending(port, end, lambda: page + post, reads=True)


def joins(port: Port, end: threading.Event) -> int:
    """Ask to join with wrong secrets, through TLS."""
    context = _unchecked()
    count = 0
    while not end.is_set():
        with suppress(OSError), _connected(port) as plain, context.wrap_socket(plain) as sock:
            secret = os.urandom(16).hex().encode()
            sock.sendall(
                b"POST /join HTTP/1.1\r\nHost: a\r\nAuthorization: Join %s\r\nContent-Length: 3\r\n\r\nabc"
                % secret
            )
            sock.recv(4096)
            count += 1
    return count


def first_words(port: Port) -> bytes:
    """Return how a client begins, up to where the server has to compute something."""
    return ZMTP_GREETING + curve_hello() if port.is_zeromq else client_hello()


def curve_hello() -> bytes:
    """Return how a client of CURVE begins that does not know the key of the server."""
    body = b"\x05HELLO\x01\x00" + bytes(72) + os.urandom(32) + bytes(8) + os.urandom(80)
    return b"\4" + bytes([len(body)]) + body


def client_hello() -> bytes:
    """Return how a client of TLS begins."""
    outgoing = ssl.MemoryBIO()
    engine = _unchecked().wrap_bio(ssl.MemoryBIO(), outgoing)
    with suppress(ssl.SSLWantReadError):
        engine.do_handshake()
    return outgoing.read()


ATTACKS: Final[dict[str, Attack]] = {
    "silent": silent,
    "dripping": dripping,
    "dropped": dropped,
    "garbage": garbage,
    "huge": huge_hellos,
    "half": half_handshakes,
    "requests": requests,
    "joins": joins,
}


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _connected(port: Port) -> socket.socket:
    sock = socket.create_connection((HOST, port.number), TIMEOUT_S)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return sock


def _sending(port: Port, end: threading.Event, content: Callable[[], bytes], *, reads: bool = False) -> int:
    count = 0
    while not end.is_set():
        with suppress(OSError), _connected(port) as sock:
            sock.sendall(content())
            if reads:
                sock.recv(65536)
            count += 1
    return count


def _crowd(port: Port, end: threading.Event, part: Callable[[int], bytes]) -> int:
    """Keep a crowd of connections; ``part`` returns what one sends next, by how much it has sent."""
    count = 0
    sent_by_socket: dict[socket.socket, int] = {}
    with selectors.DefaultSelector() as selector:
        while not end.wait(DRIP_S):
            for key, _ in selector.select(0):
                _forget(selector, key.fileobj, sent_by_socket)  # type: ignore[arg-type]
            while len(sent_by_socket) < CROWD and not end.is_set():
                with suppress(OSError):
                    sock = _connected(port)
                    selector.register(sock, selectors.EVENT_READ)
                    sent_by_socket[sock] = 0
                    count += 1
            for sock, sent in tuple(sent_by_socket.items()):
                try:
                    sent_by_socket[sock] = sent + sock.send(part(sent)) if part(sent) else sent
                except OSError:
                    _forget(selector, sock, sent_by_socket)
        for sock in sent_by_socket:
            sock.close()
    return count


def _forget(selector: selectors.BaseSelector, sock: socket.socket, crowd: dict[socket.socket, int]) -> None:
    selector.unregister(sock)
    crowd.pop(sock, None)
    sock.close()
