"""What only ZeroMQ peers can do wrong costs only their own connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import zmq

from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import control_message, decode, encode_body, make_header
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Hello, Kind, Welcome
from tests.integration.transport.transport_nodes import WAIT_S

HELLO = Hello(version=1, session_id="", node_id="raw", last_received=0, max_bytes=10**6)
Loops = tuple[NodeLoop, NodeLoop]


class RawPeer:
    """A DEALER that speaks the wire format by hand, well or badly."""

    def __init__(self, port: int) -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.connect(f"tcp://127.0.0.1:{port}")

    def send(self, buffers: list[Buffer]) -> None:
        self.socket.send_multipart(buffers)

    def receive(self, timeout_s: float = WAIT_S) -> Any:
        assert self.socket.poll(int(timeout_s * 1000)), "nothing came"
        return decode(self.socket.recv_multipart())

    def receive_other_than_ping(self) -> Any:
        while (message := self.receive()).kind == Kind.PING:
            pass
        return message

    def greet(self) -> None:
        self.send(control_message(Kind.HELLO, [HELLO.to_wire()]))
        assert self.receive().kind == Kind.WELCOME

    def close(self) -> None:
        self.socket.close(linger=0)
        self.context.term()


@pytest.fixture
def server(loops: Loops) -> Iterator[TCPServerZMQ]:
    server = TCPServerZMQ(loops[0], node_id="server", limits=Limits(message_bytes_max=10**6))
    server.methods.register(lambda handler, request, value: value, "echo", None)
    server.start()
    yield server
    server.stop(timeout_s=0.5)


@pytest.fixture
def peer(server: TCPServerZMQ) -> Iterator[RawPeer]:
    peer = RawPeer(server.port)
    yield peer
    peer.close()


@pytest.fixture
def bystander(loops: Loops, server: TCPServerZMQ) -> Iterator[ZMQClient]:
    """A well-behaved client that must not notice anything."""
    client = ZMQClient(loops[1], "127.0.0.1", server.port, node_id="bystander")
    client.start()
    session_id = client.wait_open(WAIT_S).session_id
    yield client
    assert client.handler.call("echo", "fine").result(WAIT_S) == "fine"
    assert client.handler.session_id == session_id
    client.stop()


GARBAGE: dict[str, tuple[list[Buffer], str]] = {
    "text": ([b"hello there, this is no message"], "malformed"),
    "empty": ([b""], "malformed"),
    "unreadable body": ([make_header(Kind.PING, 0, 0, b"\xc1")], "malformed"),
    "other version": ([b"Cc\x09" + bytes(30)], "version"),
    "too many frames": ([b"x"] * 5000, "too-large"),
    "no hello": (control_message(Kind.PING, [False]), "hello-expected"),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_instead_of_a_greeting_is_answered_with_the_reason(
    name: str, peer: RawPeer, bystander: ZMQClient
) -> None:
    buffers, code = GARBAGE[name]
    peer.send(buffers)
    message = peer.receive()
    assert (message.kind, message.fields[0]) == (Kind.BYE, code)


@pytest.mark.parametrize("name", sorted(set(GARBAGE) - {"no hello"}))
def test_garbage_in_a_session_ends_that_session(
    name: str, server: TCPServerZMQ, peer: RawPeer, bystander: ZMQClient
) -> None:
    peer.greet()
    buffers, code = GARBAGE[name]
    peer.send(buffers)
    message = peer.receive_other_than_ping()
    assert (message.kind, message.fields[0]) == (Kind.BYE, code)
    bystander.handler.call("echo", 1).result(WAIT_S)  # the server's turn is over
    assert [handler.node_id for handler in server.handlers] == ["bystander"]


def test_a_connection_that_was_refused_is_ignored_from_then_on(peer: RawPeer, bystander: ZMQClient) -> None:
    peer.send([b"garbage"])
    assert peer.receive().kind == Kind.BYE
    for _ in range(10):
        peer.send([b"garbage"])
    peer.send(control_message(Kind.HELLO, [HELLO.to_wire()]))
    assert bystander.handler.call("echo", 1).result(WAIT_S) == 1
    assert not peer.socket.poll(0)


def test_a_part_over_the_limit_costs_only_its_sender(peer: RawPeer, bystander: ZMQClient) -> None:
    peer.greet()
    peer.send([b"x" * 1_000_001])
    assert bystander.handler.call("echo", 1).result(WAIT_S) == 1


def test_parts_that_are_too_large_together_end_the_session(peer: RawPeer, bystander: ZMQClient) -> None:
    peer.greet()
    peer.send([b"x" * 400_000] * 3)
    assert peer.receive_other_than_ping().fields[0] == "too-large"


def test_a_message_that_was_lost_is_asked_for_again(peer: RawPeer) -> None:
    def call(number: int) -> list[Buffer]:
        body = encode_body([number, "echo", [number], {}], "a call").data
        return [make_header(Kind.CALL, number, 0, body)]

    peer.greet()
    peer.send(call(1))
    peer.send(call(3))
    messages = [peer.receive_other_than_ping() for _ in range(2)]
    (resend,) = [message for message in messages if message.kind == Kind.RESEND]
    assert resend.fields == [2]
    peer.send(call(2))
    peer.send(call(3))
    results = [message for message in messages if message.kind == Kind.RESULT]
    results += [peer.receive_other_than_ping() for _ in range(2)]
    assert [message.fields for message in results] == [[1, 1], [2, 2], [3, 3]]


def test_a_client_without_a_server_can_be_stopped(loops: Loops) -> None:
    client = ZMQClient(loops[1], "127.0.0.1", 1, node_id="client", limits=Limits(linger_s=0.1))
    client.start()
    client.stop(timeout_s=0.5)


def test_a_client_that_the_server_does_not_recognise_greets_again_and_resumes(
    loops: Loops,
) -> None:
    context: zmq.Context[Any] = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    client = ZMQClient(loops[1], "127.0.0.1", port, node_id="client", limits=Limits(linger_s=0.1))
    client.start()

    def greeted(is_new: bool) -> tuple[bytes, Any]:
        while True:
            assert router.poll(int(WAIT_S * 1000)), "nothing came"
            routing_id, *buffers = router.recv_multipart()
            if (message := decode(buffers)).kind == Kind.HELLO:
                break
        welcome = Welcome("id", "server", 0, is_new=is_new, max_bytes=10**6, heartbeat_s=1.0)
        router.send_multipart([routing_id, *control_message(Kind.WELCOME, [welcome.to_wire()])])
        return routing_id, message.fields[0]["session_id"]

    routing_id, session_id = greeted(is_new=True)
    assert session_id == ""
    bye = control_message(Kind.BYE, ["hello-expected", "who are you?"])
    router.send_multipart([routing_id, *bye])
    assert greeted(is_new=False)[1] == "id"
    client.stop(timeout_s=0.5)
    router.close(linger=0)
    context.term()
