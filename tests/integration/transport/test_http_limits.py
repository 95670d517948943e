"""Clients that send too much, too slowly or in the wrong way, and the end of the service."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from concurrent.core.errors import ConfigurationError
from concurrent.transport import HTTPLimits, jsonremote
from tests.integration.transport.http_peers import TIMEOUT_S, Peer
from tests.openfiles import open_files

HEAD = b"POST /api/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LIMITS = HTTPLimits(
    threads=2, connections_max=8, queue_max=8, request_timeout_s=1.0, idle_timeout_s=0.5, body_bytes_max=200_000
)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(LIMITS)
    made.start()
    yield made
    made.service.stop()


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_clients_that_send_headers_for_ever_do_not_block_others(peer: Peer) -> None:
    with ExitStack() as stack:
        for _ in range(30):  # many more than threads and than connections
            slow = stack.enter_context(peer.connect())
            slow.sendall(b"GET /ping HTTP/1.1\r\nX: ")
        assert peer.ask("GET", "/ping").status == 200


def test_a_client_that_sends_nothing_is_cut_off(peer: Peer) -> None:
    with peer.connect() as client:
        assert read_all(client) == b""


def test_a_client_that_does_not_finish_its_head_is_cut_off(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\n")
        assert read_all(client) == b""


def test_a_client_that_does_not_finish_a_large_body_gets_408(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(HEAD + b"Content-Length: 150000\r\n\r\n" + b" " * 100_000)
        assert read_all(client).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_clients_that_hold_back_large_bodies_do_not_keep_others_from_an_answer(expect: bytes) -> None:
    peer = Peer(HTTPLimits(threads=3, queue_max=8, request_timeout_s=TIMEOUT_S))
    peer.start()
    with ExitStack() as stack:
        for _ in range(40):  # many more than threads and places
            slow = stack.enter_context(peer.connect())
            slow.sendall(HEAD + b"Content-Length: 150000\r\n" + expect + b"\r\n" + b" " * 100_000)
        assert peer.ask("GET", "/ping").status == 200
        assert peer.call("add", [1, 2])["result"] == 3
    peer.service.stop()


def test_a_server_without_files_for_more_connections_waits_and_says_so_once(
    peer: Peer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = ShortListener(failures=3)
    monkeypatch.setattr(socket.socket, "accept", lambda sock: listener.accept(sock))
    with caplog.at_level(logging.ERROR, logger="concurrent.transport.web"):
        assert peer.ask("GET", "/ping").status == 200
    assert listener.failures_left == 0
    assert len(caplog.records) == 1


class ShortListener:
    """Takes the place of ``socket.accept`` and finds no file for a while."""

    def __init__(self, failures: int) -> None:
        self.failures_left = failures
        self._accept = socket.socket.accept

    def accept(self, sock: socket.socket) -> tuple[socket.socket, object]:
        if self.failures_left:
            self.failures_left -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self._accept(sock)


def test_a_kept_connection_is_closed_when_it_is_idle(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_all(client).count(b"HTTP/1.1 200") == 1


def test_requests_may_follow_one_another_at_once(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5)
        assert read_all(client).count(b"HTTP/1.1 200") == 5


def test_a_body_that_is_too_large_is_refused_before_it_is_read(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(HEAD + b"Content-Length: 200001\r\n\r\n")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code": "too-large"' in answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (HEAD + b"Content-Length: -5\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: x\r\n\r\n", b"400"),
        (HEAD + b"Content-Length: 2\r\ncontent-length : 2\r\n\r\n{}", b"400"),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}", b"400"),
        (b"GET /ping HTTP/1.1\r\nX: " + b"x" * 20_000, b"413"),
        (b"GET /ping HTTP/1.1\r\n " + b"x" * 20_000, b"413"),
        (b"GET /" + b"x" * 20_000, b"414"),
        (b"GET http://]a/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET /ping HTTP/3.0\r\n\r\n", b"505"),
        (HEAD + b"Content-Length : 2\r\n\r\n{}", b"400"),
        (HEAD + b"X: a\0b\r\n\r\n", b"400"),
        (HEAD + b"X: a\r b\r\n\r\n", b"400"),
        (HEAD + b"X: a\r\n and more\r\n\r\n", b"400"),
        (HEAD + b"X Y: a\r\n\r\n", b"400"),
        (HEAD + b": a\r\n\r\n", b"400"),
        (HEAD + b"no colon\r\n\r\n", b"400"),
        (HEAD + b"Host: localhost\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nHOST: evil.example\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nX: y\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\nHost: localhost\n\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nHost: localhost\n\n", b"400"),
        (b"GET /pi\0ng HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", b"400"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET /ping HTTP/1.1\r\n", b"400"),
    ],
)
def test_a_request_in_the_wrong_form_is_refused(peer: Peer, request_bytes: bytes, status: bytes) -> None:
    for _ in range(3):  # more often than there are threads
        with peer.connect() as client:
            client.sendall(request_bytes)
            answer = read_all(client)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"application/json" in answer
    assert peer.ask("GET", "/ping").status == 200


@pytest.mark.parametrize(
    ("first", "protocol"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "TLS"),
        (b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f", "ZeroMQ"),
        (b"Cc\x01\x01\x00\x00\x00\x10", "the compute channel"),
        (b"\x00\x00\x00\x00", "another protocol"),
    ],
)
def test_who_speaks_no_http_is_told_so_at_once_and_named_in_the_log(
    first: bytes, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    peer = Peer()  # with its timeouts of many seconds
    peer.start()
    with peer.connect() as client, caplog.at_level("WARNING", "concurrent.transport.web"):
        client.settimeout(5)
        client.sendall(first)
        assert read_all(client).startswith(b"HTTP/1.1 400")
    peer.service.stop()
    assert f"127.0.0.1, which speaks {protocol}" in caplog.text


def test_a_request_of_http_1_0_needs_no_host(peer: Peer) -> None:
    with peer.connect() as client:
        client.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
        assert read_all(client).startswith(b"HTTP/1.1 200")


def test_a_batch_has_a_limit(peer: Peer) -> None:
    answer = peer.post("[" + ",".join("1" * 1001) + "]").json
    assert answer["error"]["code"] == -32600
    assert len(peer.post("[" + ",".join("1" * 1000) + "]").json) == 1000


def test_more_requests_than_threads_and_places_are_answered_with_503() -> None:
    peer = Peer(HTTPLimits(threads=1, queue_max=1))
    has_begun, may_end = threading.Event(), threading.Event()

    @jsonremote(peer.service)
    def hold(request: object) -> None:
        has_begun.set()
        assert may_end.wait(TIMEOUT_S)

    peer.start()
    with ThreadPoolExecutor(1) as background, ExitStack() as stack:
        held = background.submit(peer.call, "hold")
        assert has_begun.wait(TIMEOUT_S)
        clients = [stack.enter_context(peer.connect()) for _ in range(2)]
        for client in clients:
            client.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read_all(clients[1]).startswith(b"HTTP/1.1 503")
        may_end.set()
        assert read_all(clients[0]).startswith(b"HTTP/1.1 200")
        assert held.result(TIMEOUT_S)["result"] is None
    peer.service.stop()


def test_a_stop_lets_running_methods_finish_and_leaves_nothing() -> None:
    threads, sockets = set(threading.enumerate()), open_sockets()
    peer = Peer(HTTPLimits(threads=3))
    has_begun, may_end = threading.Event(), threading.Event()

    @jsonremote(peer.service)
    def hold(request: object) -> str:
        has_begun.set()
        assert may_end.wait(TIMEOUT_S)
        return "finished"

    service = peer.start()
    with ThreadPoolExecutor(2) as background, peer.connect() as idle:
        held = background.submit(peer.call, "hold")
        assert has_begun.wait(TIMEOUT_S)
        stopped = background.submit(service.stop, TIMEOUT_S)
        assert read_all(idle) == b""  # the stop has begun
        may_end.set()
        assert held.result(TIMEOUT_S)["result"] == "finished"
        stopped.result(TIMEOUT_S)
    with pytest.raises(ConnectionRefusedError):
        peer.connect()
    service.stop()
    assert set(threading.enumerate()) <= threads
    assert open_sockets() <= sockets


def test_a_stop_does_not_wait_for_a_method_longer_than_it_is_told() -> None:
    peer = Peer(HTTPLimits(threads=1))
    has_begun, may_end = threading.Event(), threading.Event()

    @jsonremote(peer.service)
    def hold(request: object) -> None:
        has_begun.set()
        may_end.wait(TIMEOUT_S)

    service = peer.start()
    with peer.connect() as client:
        body = b'{"jsonrpc":"2.0","id":1,"method":"hold"}'
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert has_begun.wait(TIMEOUT_S)
        (worker,) = (one for one in threading.enumerate() if one.name == "node-http-0")
        service.stop(timeout_s=0.05)
        assert read_all(client) == b""
    may_end.set()
    worker.join(TIMEOUT_S)
    assert not worker.is_alive()


def test_a_limit_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match="threads"):
        HTTPLimits(threads=0)


def open_sockets() -> set[str]:
    return {link for link in open_files().values() if "socket" in link}
