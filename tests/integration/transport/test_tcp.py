"""What only TCP peers can do wrong costs only their own connection."""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from concurrent.core.errors import ConfigurationError, ProtocolError, VersionMismatch, WrongServer
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.frames.frames import Buffer, Frame, as_payload
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import control_message, make_header, make_prefix
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from concurrent.transport.web.jsonclient import JSONClient
from tests.integration.transport.raw_peer import HELLO, RawPeer
from tests.integration.transport.transport_nodes import WAIT_S

Loops = tuple[NodeLoop, NodeLoop]


@pytest.fixture
def server(loops: Loops) -> Iterator[TCPServer]:
    server = TCPServer(loops[0], node_id="server")
    server.methods.register(lambda handler, request, value: value, "echo", None)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def peer(server: TCPServer) -> Iterator[RawPeer]:
    peer = RawPeer(server.port)
    yield peer
    peer.sock.close()


@pytest.fixture
def bystander(loops: Loops, server: TCPServer) -> Iterator[TCPClient]:
    """A well-behaved client that must not notice anything."""
    client = TCPClient(loops[1], "127.0.0.1", server.port, node_id="bystander")
    client.start()
    session_id = client.wait_open(WAIT_S).session_id
    yield client
    assert client.handler.call("echo", "fine").result(WAIT_S) == "fine"
    assert client.handler.session_id == session_id
    client.stop()


GARBAGE = {
    "zeros": (bytes(1000), "malformed"),
    "other version": (struct.pack("!2sBBI", b"Cc", 9, 0, 1), "version"),
    "too many frames": (struct.pack("!2sBBI", b"Cc", 1, 0, 2**32 - 1), "too-large"),
    "too long a frame": (struct.pack("!2sBBIQ", b"Cc", 1, 0, 1, 2**63), "too-large"),
    "no frame": (struct.pack("!2sBBI", b"Cc", 1, 0, 0), "malformed"),
    "short header": (make_prefix([b"Cc"]) + b"Cc", "malformed"),
    "unreadable body": (
        make_prefix([make_header(Kind.HELLO, 0, 0, b"\xc1")]) + make_header(Kind.HELLO, 0, 0, b"\xc1"),
        "malformed",
    ),
    "no hello": (
        make_prefix(control_message(Kind.PING, [False])) + control_message(Kind.PING, [False])[0],
        "hello-expected",
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_instead_of_a_greeting_is_answered_with_the_reason(
    name: str, peer: RawPeer, bystander: TCPClient, caplog: pytest.LogCaptureFixture
) -> None:
    data, code = GARBAGE[name]
    with caplog.at_level(logging.WARNING, logger="concurrent.transport"):
        peer.sock.sendall(data)
        assert peer.end()[0] == code
    assert any("refused 127.0.0.1" in record.getMessage() for record in caplog.records)


def test_a_client_of_the_json_api_that_took_the_wrong_port_is_told_so(
    server: TCPServer, bystander: TCPClient, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(JSONClient("127.0.0.1", server.port)) as client:
        for answer in (
            client.get("/status", timeout_s=WAIT_S),
            client.call("register_slave", timeout_s=WAIT_S),
        ):
            error = answer.exception(WAIT_S)
            assert isinstance(error, WrongServer)
            assert str(error).startswith("this is the compute channel of a node, and HTTP was sent to it")
    assert "the peer speaks HTTP" in caplog.text


@pytest.mark.parametrize("name", sorted(set(GARBAGE) - {"no hello"}))
def test_garbage_in_a_session_ends_that_session(
    name: str, server: TCPServer, peer: RawPeer, bystander: TCPClient
) -> None:
    peer.greet()
    data, code = GARBAGE[name]
    peer.sock.sendall(data)
    assert peer.end()[0] == code
    bystander.handler.call("echo", 1).result(WAIT_S)  # the server's turn is over
    assert [handler.node_id for handler in server.handlers] == ["bystander"]


def test_random_noise_is_refused(server: TCPServer, bystander: TCPClient) -> None:
    for _ in range(20):
        noisy = RawPeer(server.port)
        noisy.sock.sendall(os.urandom(2000))
        assert noisy.end()[0] in ("malformed", "version", "too-large")
        noisy.sock.close()


@pytest.mark.parametrize(
    ("kind", "number", "fields"),
    [(Kind.HELLO, 0, [HELLO.to_wire()]), (Kind.RESEND, 0, [99])],
    ids=["second hello", "resend of nothing"],
)
def test_a_message_out_of_place_ends_the_session(
    kind: Kind, number: int, fields: list[Any], peer: RawPeer, bystander: TCPClient
) -> None:
    peer.greet()
    peer.send(control_message(kind, fields))
    assert peer.end()[0] == "protocol"


def test_a_greeting_of_another_version_is_refused(peer: RawPeer) -> None:
    peer.send(control_message(Kind.HELLO, [{**HELLO.to_wire(), "version": 7}]))
    code, text, data = peer.end()
    assert code == "version"
    assert data == {"versions": [1, 1]}
    assert "raw speaks version 7" in text


def test_a_greeting_that_is_too_large_is_refused(peer: RawPeer) -> None:
    peer.send(control_message(Kind.HELLO, [{**HELLO.to_wire(), "padding": "x" * 5000}]))
    assert peer.end()[0] == "too-large"


@pytest.mark.parametrize("size", [100_000, 20_000_000])
def test_a_peer_that_vanishes_in_the_middle_of_a_message_is_only_lost(
    size: int, peer: RawPeer, bystander: TCPClient, caplog: pytest.LogCaptureFixture
) -> None:
    peer.greet()
    buffers: list[Buffer] = [make_header(Kind.CAST, 1, 0, b"\x93\xa4echo"), b"x" * size]
    with caplog.at_level(logging.INFO, logger="concurrent.transport"):
        peer.sock.sendall((make_prefix(buffers) + b"".join(buffers))[:-10])
        peer.sock.shutdown(socket.SHUT_WR)
        assert list(peer.messages()) == []
    assert any("in the middle of a message" in record.getMessage() for record in caplog.records)


def test_a_connection_that_never_greets_is_closed(loops: Loops, quick_limits: Limits) -> None:
    server = TCPServer(loops[0], node_id="server", limits=quick_limits)
    server.start()
    peer = RawPeer(server.port)
    assert list(peer.messages()) == []
    peer.sock.close()
    server.stop()


def test_when_too_many_connections_greet_the_one_that_waits_longest_is_closed(loops: Loops) -> None:
    server = TCPServer(loops[0], node_id="server", limits=Limits(greeting_max=2))
    server.start()
    peers = [RawPeer(server.port) for _ in range(3)]
    assert list(peers[0].messages()) == []
    peers[2].greet()
    for peer in peers:
        peer.sock.close()
    server.stop()


def test_a_session_cannot_be_resumed_or_ended_without_its_id(
    server: TCPServer, peer: RawPeer, bystander: TCPClient
) -> None:
    peer.greet()
    thief = RawPeer(server.port)
    thief.send(control_message(Kind.HELLO, [{**HELLO.to_wire(), "session_id": "f" * 32}]))
    assert thief.end()[0] == "in-use"
    thief.sock.close()
    assert sorted(handler.node_id for handler in server.handlers) == ["bystander", "raw"]


def test_a_flood_of_bad_connections_is_logged_in_few_lines(
    server: TCPServer, bystander: TCPClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="concurrent.transport"):
        for _ in range(50):
            noisy = RawPeer(server.port)
            noisy.sock.sendall(bytes(1000))
            assert noisy.end()[0] == "malformed"
            noisy.sock.close()
    assert 0 < len(caplog.records) < 25


def test_incomplete_messages_of_all_peers_share_one_bound(loops: Loops) -> None:
    limits = Limits(incomplete_bytes_max=1_000_000, heartbeat_s=0.1, silence_s=1.0, resume_s=0.1)
    server = TCPServer(loops[0], node_id="server", limits=limits)
    server.methods.register(lambda handler, request, value: len(value), "size")
    server.start()
    holders = [RawPeer(server.port, node_id) for node_id in ("first", "second")]
    for holder in holders:  # the first one has the memory, the second one the next place, and both are silent
        holder.greet()
        buffers: list[Buffer] = [make_header(Kind.CAST, 1, 0, b""), bytes(900_000)]
        holder.sock.sendall((make_prefix(buffers) + b"".join(buffers))[:100_000])
    client = TCPClient(loops[1], "127.0.0.1", server.port, node_id="client")
    client.start()
    handler = client.wait_open(WAIT_S)
    session_id = handler.session_id
    sizes = (10, 800_000, 2_000_000)
    futures = [handler.call("size", as_payload(bytes(size)), timeout_s=WAIT_S) for size in sizes]
    assert tuple(future.result(WAIT_S) for future in futures) == sizes
    assert handler.session_id == session_id
    client.stop()
    server.stop()
    for holder in holders:
        holder.sock.close()


def test_a_client_receives_large_frames_where_it_was_told_to(loops: Loops, server: TCPServer) -> None:
    blocks: list[memoryview] = []

    def new_block(size_bytes: int, _header: Buffer) -> memoryview:
        blocks.append(memoryview(bytearray(size_bytes)))
        return blocks[-1]

    client = TCPClient(loops[1], "127.0.0.1", server.port, node_id="client")
    client.receive_into(new_block)
    client.start()
    client.wait_open(WAIT_S)
    try:
        for size in (3_000_000, 100_000):
            data = bytes([size % 251]) * size
            echoed = client.handler.call("echo", Frame(data)).result(WAIT_S)
            assert echoed == data
            assert echoed.buffer.obj is blocks[-1].obj
        assert client.handler.call("echo", b"small").result(WAIT_S) == b"small"
        assert len(blocks) == 2
    finally:
        client.stop()


def test_a_silent_peer_is_lost(loops: Loops, quick_limits: Limits) -> None:
    server = TCPServer(loops[0], node_id="server", limits=quick_limits)
    server.start()
    peer = RawPeer(server.port)
    peer.greet()
    assert all(message.kind == Kind.PING for message in peer.messages())
    peer.sock.close()
    server.stop()


class FakeServer:
    """Accepts one connection and answers it with what it is told to."""

    def __init__(self, answer: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.answer = answer

    def serve(self) -> None:
        self.listener.settimeout(WAIT_S)
        sock, _ = self.listener.accept()
        sock.settimeout(WAIT_S)
        sock.recv(1000)
        sock.sendall(self.answer)
        sock.recv(1000)
        sock.close()
        self.listener.close()


def framed(buffers: list[Buffer]) -> bytes:
    return make_prefix(buffers) + b"".join(buffers)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", None),
        (framed(control_message(Kind.BYE, ["version", "too old"])), VersionMismatch),
        (framed(control_message(Kind.BYE, ["protocol", "no"])), ProtocolError),
    ],
    ids=["another protocol", "version refused", "refused"],
)
def test_a_client_is_told_why_it_does_not_get_in(
    loops: Loops, answer: bytes, expected: type[Exception] | None
) -> None:
    server = FakeServer(answer)
    client = TCPClient(loops[1], "127.0.0.1", server.port, node_id="client")
    client.start()
    server.serve()
    with pytest.raises(expected or ProtocolError):
        client.wait_open(WAIT_S)
    client.stop()


def test_stopping_does_not_wait_for_a_peer_that_does_not_react(loops: Loops) -> None:
    server = TCPServer(loops[0], node_id="server", limits=Limits(linger_s=0.1))
    server.start()
    peer = RawPeer(server.port)
    peer.greet()
    server.handlers[0].cast("ignored", b"x" * 1000)
    server.stop(timeout_s=0.5)
    assert server.handlers == []
    peer.sock.close()


def test_a_server_can_be_stopped_after_its_loop() -> None:
    loop = NodeLoop("short-lived")
    loop.start()
    server = TCPServer(loop, node_id="server")
    server.start()
    peer = RawPeer(server.port)
    peer.greet()
    loop.stop()
    server.stop()
    assert list(peer.messages()) == []
    peer.sock.close()


def test_a_host_that_does_not_exist_is_a_clear_error(loops: Loops) -> None:
    server = TCPServer(loops[0], "203.0.113.1", node_id="server", allow_insecure=True)
    with pytest.raises(ConfigurationError, match=r"203\.0\.113\.1.*address of this machine"):
        server.start()
