"""What strangers send reaches no decoder: all functions that a server's threads call meanwhile are recorded."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import pytest

from concurrent.transport import HTTPLimits
from concurrent.transport.carriers.tcp import TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.envelope import control_message, make_prefix
from concurrent.transport.session.messages import Kind
from tests.integration.transport.protected_peers import Cluster, ProtectedPeer
from tests.integration.transport.raw_peer import HELLO, RawPeer
from tests.integration.transport.transport_nodes import WAIT_S

DECODERS = frozenset(
    ("advance", "decode", "from_wire", "dispatch", "read_body", "decode_json", "answer", "loads", "join")
)
"""The names of what looks at more than the head of a request, or at anything on the compute channel."""

FILES = (
    "framing.py", "envelope.py", "messages.py", "methods.py", "httpstream.py", "jsonrpc.py", "registrar.py",
    "json/__init__.py",
)  # fmt: skip

CALL = b'{"jsonrpc":"2.0","id":1,"method":"whoami"}'
JSON = {"Content-Type": "application/json"}
HELLO_FRAMES = control_message(Kind.HELLO, [HELLO.to_wire()])
HELLO_BYTES = make_prefix(HELLO_FRAMES) + b"".join(map(bytes, HELLO_FRAMES))


class Recorder:
    """Notes the names of decoders that are called in threads that start while it watches."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        threading.setprofile(self._note)
        try:
            yield
        finally:
            threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _what: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_name in DECODERS and code.co_filename.endswith(FILES):
            self.seen.add(code.co_name)


@pytest.fixture(scope="module")
def office() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        yield Cluster(Path(folder), "office-4kd2")


@pytest.fixture(scope="module")
def other() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory() as folder:
        yield Cluster(Path(folder), "other-7xy2")


def strangers(office: Cluster, other: Cluster) -> list[Callable[[], ssl.SSLContext]]:
    """Return what makes the contexts of those who have no key of the cluster."""

    def of_other() -> ssl.SSLContext:
        context = office.client_with(other.keys.read("master.key"), other.keys.read("master.crt"))
        context.check_hostname = False
        return context

    return [office.client_without_key, office.expired_client, of_other]


def test_nothing_that_strangers_send_to_the_compute_channel_is_decoded(office: Cluster, other: Cluster) -> None:
    recorder = Recorder()
    with recorder.watching():
        loop = NodeLoop("server-loop")
        loop.start()
    server = TCPServer(loop, node_id="server", protection=Protection(tls=office.master))
    server.start()
    try:
        for make in (None, *strangers(office, other)):
            with suppress(OSError), connected(server.port, make) as sock:
                sock.sendall(HELLO_BYTES)
                while sock.recv(65536):
                    pass
        assert recorder.seen == set()
        with connected(server.port, lambda: office.tls_by_role[Role.ADMIN].client) as sock:
            RawPeer(sock).greet()
        assert recorder.seen >= {"advance", "decode", "from_wire"}
    finally:
        server.stop()
        loop.stop()


def test_no_body_of_a_request_of_a_stranger_is_decoded(office: Cluster, other: Cluster) -> None:
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder, recorder.watching():
        place = Place(Path(folder, "place"))
        place.make()
        peer = ProtectedPeer(office, place, HTTPLimits(threads=2))
        peer.start()
    try:
        wrong: list[dict[str, str]] = [
            {},
            {"Authorization": "Bearer ct1.e30.AAAA"},
            {"Authorization": f"Bearer {other.tokens.make(Role.ADMIN, ttl_s=60.0)}"},
            {"Authorization": "Join guessed"},
            {"Cookie": f"{peer.cookie}=guessed"},
        ]
        for headers in wrong:
            assert peer.ask("POST", "/api/1", CALL, {**JSON, **headers}).status == 401
            assert peer.ask("POST", "/join", CALL, {**JSON, **headers}).status == 401
            for make in strangers(office, other):
                with suppress(OSError):
                    assert peer.ask_tls(make(), "POST", "/api/1", CALL, {**JSON, **headers}).status == 401
        recorder.seen.discard("loads")  # of the body of a token, whose form is checked before its signature
        assert recorder.seen == set()
        reply = peer.ask_tls(office.tls_by_role[Role.ADMIN].client, "POST", "/api/1", CALL, JSON)
        assert reply.json["result"] == "admin the-admin"
        assert recorder.seen >= {"read_body", "decode_json", "dispatch"}
    finally:
        peer.service.stop()


@contextmanager
def connected(port: int, make: Callable[[], ssl.SSLContext] | None) -> Iterator[socket.socket]:
    """Connect, with TLS if there is what makes its context. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as plain:
        if make is None:
            yield plain
            return
        with make().wrap_socket(plain, server_hostname="master.office-4kd2") as sock:
            yield sock
