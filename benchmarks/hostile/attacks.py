"""What strangers do at a port. Each attack is a function that goes on until it is told to end.

They run in a process of their own, which has a thread for each.
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
from typing import Final

__all__ = ["ATTACKS", "Attack"]

HOST: Final = "127.0.0.1"
CROWD: Final = 200
TIMEOUT_S: Final = 2.0
DRIP_S: Final = 0.05
RESET: Final = struct.pack("ii", 1, 0)
"""Closes with a reset, so that no port is used up by connections that linger."""

Attack = Callable[[int, threading.Event], int]
"""Takes a port and what ends it; returns how many connections it made."""


def silent(port: int, end: threading.Event) -> int:
    """Keep many connections that say nothing; open those again that are closed."""
    return _crowd(port, end, lambda _: b"")


def dripping(port: int, end: threading.Event) -> int:
    """Keep many connections that send a handshake byte by byte."""
    hello = client_hello()
    return _crowd(port, end, lambda sent: hello[sent : sent + 1])


def dropped(port: int, end: threading.Event) -> int:
    """Connect and go, as often as possible."""
    count = 0
    while not end.is_set():
        with suppress(OSError), _connected(port):
            count += 1
    return count


def garbage(port: int, end: threading.Event) -> int:
    """Send noise of all sizes."""
    chance = random.Random(1)
    return _sending(port, end, lambda: chance.randbytes(chance.choice((1, 5, 100, 70_000))))


def huge_hellos(port: int, end: threading.Event) -> int:
    """Begin with handshakes that are as large as they say, and much larger than any is."""
    sizes = random.Random(1)

    def hello() -> bytes:
        body = os.urandom(16_000)
        record = (
            b"\x16\x03\x01" + struct.pack("!H", 4 + len(body)) + b"\x01" + struct.pack("!I", 1 << 23)[1:] + body
        )
        return record * sizes.randint(1, 20)

    return _sending(port, end, hello)


def half_handshakes(port: int, end: threading.Event) -> int:
    """Have the server answer a handshake, the dearest part of it, and go."""
    hello = client_hello()
    return _sending(port, end, lambda: hello, reads=True)


def requests(port: int, end: threading.Event) -> int:
    """Ask for pages and methods without a token, over plain HTTP."""
    body = b'{"jsonrpc":"2.0","id":1,"method":"status"}'
    post = b"POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    page = b"GET /status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ct1.eyJ9.abc\r\n\r\n"
    return _sending(port, end, lambda: page + post, reads=True)


def joins(port: int, end: threading.Event) -> int:
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


def _connected(port: int) -> socket.socket:
    sock = socket.create_connection((HOST, port), TIMEOUT_S)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return sock


def _sending(port: int, end: threading.Event, content: Callable[[], bytes], *, reads: bool = False) -> int:
    count = 0
    while not end.is_set():
        with suppress(OSError), _connected(port) as sock:
            sock.sendall(content())
            if reads:
                sock.recv(65536)
            count += 1
    return count


def _crowd(port: int, end: threading.Event, part: Callable[[int], bytes]) -> int:
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
