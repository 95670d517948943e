"""The client of the JSON API, against a real service and against servers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import pytest

from concurrent.core.errors import (
    CallTimeout,
    ConnectionLost,
    InvalidArguments,
    MalformedMessage,
    MessageTooLarge,
    RemoteError,
    TransportError,
    UnknownHost,
    UnknownMethod,
    WorkerDied,
    WrongServer,
)
from concurrent.transport import HTTPLimits, JSONClient, NodeLoop, TCPClient, TCPServer, jsonremote, tcpremote
from tests.integration.transport.http_peers import TIMEOUT_S, Peer


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer(HTTPLimits(threads=2, idle_timeout_s=0.2, call_timeout_s=0.3, body_bytes_max=100_000))
    made.start()
    yield made
    made.service.stop()


@pytest.fixture
def client(peer: Peer) -> Iterator[JSONClient]:
    made = JSONClient("127.0.0.1", peer.service.port)
    yield made
    made.close()


Answering = Callable[[bytes], JSONClient]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Makes clients of a server that answers anything with the same bytes and closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    clients: list[JSONClient] = []
    with ThreadPoolExecutor(1) as background, listener:

        def make(answer: bytes) -> JSONClient:
            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    asked = b""
                    while not asked.endswith(b"}"):  # what is left unread would reset the connection
                        asked += connection.recv(65536)
                    connection.sendall(answer)

            background.submit(serve)
            clients.append(JSONClient("127.0.0.1", listener.getsockname()[1]))
            return clients[-1]

        yield make
        for client in clients:
            client.close()


def test_calls_by_position_by_name_and_through_a_proxy(client: JSONClient) -> None:
    assert client.call("add", 1, 2).result(TIMEOUT_S) == 3
    assert client.call("add", a=1, b=3).result(TIMEOUT_S) == 4
    assert client.proxy(timeout_s=TIMEOUT_S).add(2, 3).result(TIMEOUT_S) == 5


def test_position_and_name_do_not_mix(client: JSONClient) -> None:
    with pytest.raises(InvalidArguments, match="not both"):
        client.call("add", 1, b=2).result(TIMEOUT_S)


def test_an_argument_without_json_form_is_refused(client: JSONClient) -> None:
    with pytest.raises(InvalidArguments, match="an argument of echo has no JSON form"):
        client.call("echo", b"bytes").result(TIMEOUT_S)


def test_a_view_is_got_as_a_value(client: JSONClient) -> None:
    assert client.get("/ping").result(TIMEOUT_S) == {"is_alive": True}
    assert client.get("/large").result(TIMEOUT_S) == "x" * 5000


def test_errors_come_back_as_their_own_classes(client: JSONClient) -> None:
    proxy = client.proxy()
    with pytest.raises(WorkerDied, match="Look at its output"):
        proxy.fail_ours().result(TIMEOUT_S)
    with pytest.raises(UnknownMethod, match="Did you mean 'add'"):
        proxy.ad().result(TIMEOUT_S)
    with pytest.raises(InvalidArguments, match="add"):
        proxy.add().result(TIMEOUT_S)
    with pytest.raises(UnknownMethod, match="/none"):
        client.get("/none").result(TIMEOUT_S)
    with pytest.raises(RemoteError) as caught:
        proxy.fail().result(TIMEOUT_S)
    assert caught.value.type_name == "KeyError"
    assert "in fail" in caught.value.traceback


def test_a_body_that_is_too_large_is_its_own_error(client: JSONClient) -> None:
    with pytest.raises(MessageTooLarge):
        client.call("echo", "x" * 100_000).result(TIMEOUT_S)
    assert client.call("add", 1).result(TIMEOUT_S) == 1


def test_a_connection_that_the_server_closed_is_opened_again(peer: Peer, client: JSONClient) -> None:
    assert client.call("add", 1).result(TIMEOUT_S) == 1
    port = peer.service.port
    peer.service.stop()
    again = Peer(port=port)
    again.start()
    assert client.call("add", 2).result(TIMEOUT_S) == 2
    again.service.stop()


def test_a_server_that_is_not_there_is_a_lost_connection(peer: Peer, client: JSONClient) -> None:
    peer.service.stop()
    with pytest.raises(ConnectionLost, match="cannot be reached"):
        client.call("add", 1).result(TIMEOUT_S)


def test_a_call_without_an_answer_times_out(client: JSONClient) -> None:
    with pytest.raises(CallTimeout, match=r"wait within 0\.1 s"):
        client.call("wait", timeout_s=0.1).result(TIMEOUT_S)
    assert client.call("add", 1).result(TIMEOUT_S) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", ConnectionLost),
        (b"nonsense\r\n\r\n", WrongServer),
        (b"Cc\x01\x00\x00", WrongServer),
        (b"SSH-2.0-OpenSSH_9\r\n", WrongServer),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", WrongServer),
        (b"HTTP/1.1 501 Unsupported\r\nContent-Length: 2\r\n\r\nno", WrongServer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", ConnectionLost),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{]", MalformedMessage),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", MalformedMessage),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", MalformedMessage),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"error":1}', RemoteError),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 2\r\n\r\nno", TransportError),
        (b'HTTP/1.1 200 OK\r\n\r\n{"error":{"code":-32601,"message":"no"}}', UnknownMethod),
    ],
)
def test_an_answer_that_is_none_is_an_error(answering: Answering, answer: bytes, error: type) -> None:
    with pytest.raises(error):
        answering(answer).call("add", 1).result(TIMEOUT_S)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "two..dots", "a" * 70 + ".com"])
def test_a_host_that_cannot_be_found_is_named(host: str) -> None:
    client = JSONClient(host, 8750)
    with pytest.raises(UnknownHost, match=host) as caught:
        client.get("/status").result(TIMEOUT_S)
    assert "\n" not in str(caught.value)
    client.close()


def test_close_ends_every_call_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    peer = Peer()
    has_begun, may_end = threading.Event(), threading.Event()

    @jsonremote(peer.service)
    def hold(request: Any) -> None:
        has_begun.set()
        assert may_end.wait(TIMEOUT_S)

    client = JSONClient("127.0.0.1", peer.start().port)
    begun = client.call("hold")
    waiting = client.call("add", 1)
    assert has_begun.wait(TIMEOUT_S)
    client.close()
    with pytest.raises(ConnectionLost):
        begun.result(0)
    with pytest.raises(CancelledError):
        waiting.result(0)
    with pytest.raises(ConnectionLost, match="closed"):
        client.call("add", 1).result(0)
    may_end.set()
    peer.service.stop()
    assert set(threading.enumerate()) <= before


def test_the_same_function_serves_json_and_tcp(peer: Peer) -> None:
    """The calling side looks the same too, whatever the carrier."""

    def register(request: Any, node_id: str, port: int = 0) -> list[Any]:
        return [request.method, request.peer_ip, node_id, port]

    def register_tcp(handler: Any, request: Any, node_id: str, port: int = 0) -> list[Any]:
        return register(request, node_id, port)

    loop = NodeLoop("loop")
    loop.start()
    server = TCPServer(loop, node_id="server")
    service = Peer().service
    jsonremote(service, name="register")(register)
    tcpremote(server, name="register")(register_tcp)
    service.start()
    server.start()
    json_client = JSONClient("127.0.0.1", service.port)
    tcp_client = TCPClient(loop, "127.0.0.1", server.port, node_id="client")
    tcp_client.start()
    proxies = [json_client.proxy(), tcp_client.wait_open().proxy()]
    answers = [proxy.register(node_id="slave", port=7) for proxy in proxies]
    expected = ["register", "127.0.0.1", "slave", 7]
    assert [answer.result(TIMEOUT_S) for answer in answers] == [expected, expected]
    for end in (tcp_client, server, service):
        end.stop()
    json_client.close()
    loop.stop()
