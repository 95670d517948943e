"""Peers of a later form of the protocol get on with this one, at either end."""

from __future__ import annotations

import logging
import queue
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.errors import VersionMismatch
from concurrent.transport.calls.declaration import Direction
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import receives, tcpremote
from concurrent.transport.carriers.endpoint import Endpoint
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.envelope import control_message, encode_body, make_header
from concurrent.transport.session.messages import Kind, Welcome
from tests.integration.transport.raw_peer import RawPeer
from tests.integration.transport.transport_nodes import WAIT_S, Carriers

LATER_KIND = 200
WELCOME = Welcome("f" * 32, "later", last_received=0, is_new=True, max_bytes=10**8, heartbeat_s=5.0)


DOWN = Direction(("server",), ("client",))


@DOWN.hint(feature="sharper")
def sharpen(by: int) -> None:
    """Be sharper."""


@DOWN.hint(feature="louder")
def turn_up(by: int) -> None:
    """Be louder."""


@DOWN.call()
def sharpness() -> int:
    """Return how sharp it is."""
    raise NotImplementedError


class Pair:
    """An endpoint of ours with two methods, one of them a feature, and a later peer in a session with it."""

    def __init__(self, endpoint: Endpoint, heard: queue.Queue[str]) -> None:
        self.endpoint = endpoint
        self.heard = heard
        self.handlers: queue.Queue[TCPHandler] = queue.Queue()
        endpoint.on_open = lambda handler, is_new: self.handlers.put(handler)
        tcpremote(endpoint)(self.echo)
        tcpremote(endpoint, feature="sharper")(self.sharpen)

    def echo(self, _handler: TCPHandler, _request: Any, value: str) -> str:
        self.heard.put(value)
        return value

    def sharpen(self, _handler: TCPHandler, _request: Any) -> None:
        """Do nothing."""


class AtServer(Pair):
    """Our end is the server."""

    def __init__(self, loop: NodeLoop) -> None:
        self.server = TCPServer(loop, node_id="server")
        super().__init__(self.server, queue.Queue())

    def meet(self, **extra: Any) -> tuple[RawPeer, dict[str, Any]]:
        self.server.start()
        peer = RawPeer(self.server.port)
        peer.hello.update(extra)
        return peer, peer.greet()


class AtClient(Pair):
    """Our end is the client."""

    def __init__(self, loop: NodeLoop) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(WAIT_S)
        client = TCPClient(loop, "127.0.0.1", self.listener.getsockname()[1], node_id="client")
        super().__init__(client, queue.Queue())
        self.client = client

    def meet(self, **extra: Any) -> tuple[RawPeer, dict[str, Any]]:
        self.client.start()
        peer = RawPeer(self.listener.accept()[0])
        hello = peer.next_of(Kind.HELLO).fields[0]
        peer.send(control_message(Kind.WELCOME, [{**WELCOME.to_wire(), **extra}]))
        self.listener.close()
        return peer, hello


@pytest.fixture(params=[AtServer, AtClient])
def pair(request: pytest.FixtureRequest, loops: tuple[NodeLoop, NodeLoop]) -> Iterator[AtServer | AtClient]:
    pair = request.param(loops[0])
    yield pair
    pair.endpoint.stop(timeout_s=2.0)


def test_greetings_say_what_each_end_knows(pair: AtServer | AtClient) -> None:
    peer, greeting = pair.meet(features=["sleeping", "unheard of"], colour="blue")
    assert {"extensions", "sharper"} <= set(greeting["features"])
    handler = pair.handlers.get(timeout=WAIT_S)
    assert handler.peer_has("sleeping")
    assert not handler.peer_has("sharper")
    peer.sock.close()


def test_a_peer_without_features_is_one_of_the_first_form(pair: AtServer | AtClient) -> None:
    peer, _ = pair.meet()
    handler = pair.handlers.get(timeout=WAIT_S)
    assert handler.peer_features == frozenset()
    peer.sock.close()


def test_later_kinds_fields_and_casts_are_ignored(
    pair: AtServer | AtClient, caplog: pytest.LogCaptureFixture
) -> None:
    peer, _ = pair.meet()
    with caplog.at_level(logging.WARNING, logger="concurrent.transport"):
        peer.send([make_header(LATER_KIND, 0, 0, b"\xc1 no msgpack")])
        peer.send_next(LATER_KIND, [1, 2, 3])
        peer.send([make_header(Kind.PING, 0, 0, encode_body([False, "later"], "a test").data)])
        for _ in range(2000):
            peer.send_next(Kind.CAST, ["dance", [], {}])
        peer.send_next(Kind.CAST, ["echo", ["cast"], {}, "later"])
        peer.send_next(Kind.CALL, [7, "echo", ["call"], {}, {"later": True}])
        result = peer.next_of(Kind.RESULT)
    assert result.fields == [7, "call"]
    assert [pair.heard.get(timeout=WAIT_S) for _ in range(2)] == ["cast", "call"]
    assert len([one for one in caplog.records if "dance" in one.getMessage()]) == 1
    peer.send_next(LATER_KIND, [])
    peer.send(control_message(Kind.PING, [True]))
    assert any(message.ack == peer.number for message in peer.messages())
    peer.sock.close()


@pytest.mark.parametrize(("version", "version_max"), [(0, 1), (1, 9)])
def test_a_server_gets_on_with_a_client_that_speaks_other_versions_too(
    loops: tuple[NodeLoop, NodeLoop], version: int, version_max: int
) -> None:
    pair = AtServer(loops[0])
    peer, welcome = pair.meet(version=version, version_max=version_max)
    assert welcome["version"] == 1
    peer.sock.close()
    pair.endpoint.stop(timeout_s=2.0)


def test_a_client_refuses_a_version_that_it_did_not_offer(loops: tuple[NodeLoop, NodeLoop]) -> None:
    pair = AtClient(loops[0])
    peer, _ = pair.meet(version=2)
    assert peer.end()[::2] == ["version", {"versions": [1, 1]}]
    with pytest.raises(VersionMismatch):
        pair.client.wait_open(WAIT_S)
    peer.sock.close()
    pair.endpoint.stop(timeout_s=2.0)


def test_both_ends_know_what_the_other_one_has(carriers: Carriers) -> None:
    server = carriers.serve()
    opened: queue.Queue[TCPHandler] = queue.Queue()
    server.on_open = lambda handler, is_new: opened.put(handler)
    client = carriers.new_client(server.port)
    tcpremote(client, feature="sharper")(lambda _handler, _request: None)
    client.start()
    assert client.wait_open(WAIT_S).peer_has("extensions")
    assert not client.handler.peer_has("sharper")
    assert opened.get(timeout=WAIT_S).peer_has("sharper")


def test_a_message_with_a_feature_is_sent_only_to_who_has_it(carriers: Carriers) -> None:
    server = carriers.serve()
    opened: queue.Queue[TCPHandler] = queue.Queue()
    server.on_open = lambda handler, is_new: opened.put(handler)
    client = carriers.new_client(server.port)
    heard: list[int] = []
    receives(client, sharpen)(lambda _handler, _request, by: heard.append(by))
    receives(client, sharpness)(lambda _handler, _request: sum(heard))
    client.start()
    handler = opened.get(timeout=WAIT_S)
    handler.cast(sharpen, 2)
    handler.cast(turn_up, 10)
    handler.cast(sharpen, by=3)
    assert handler.call(sharpness.within(WAIT_S)).result(WAIT_S) == 5
    assert handler.message_counts[0] == 3
