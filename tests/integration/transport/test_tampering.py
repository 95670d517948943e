"""Whoever sits on the way can cut an encrypted session, and neither change nor repeat what is in it."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.transport.transport_nodes import WAIT_S, Carriers, CuttingProxy

MESSAGES = 300
FLIPS_AFTER_BYTES = (20_000, 200_000, 1_000_000, 3_000_000)
REPLAYS = 3

encrypted = pytest.mark.parametrize("carriers", ["tls", "curve"], indirect=True)


class Tamperer(CuttingProxy):
    """Changes one bit now and then of what it passes on, and keeps what clients have sent.

    ``flip_after_bytes`` has how much passes before each change.
    """

    def __init__(self, loop: NodeLoop, target_port: int) -> None:
        super().__init__(loop, target_port)
        self.flip_after_bytes: list[int] = []
        self.flips = 0
        self.recorded: list[bytes] = []
        self._chance = random.Random(1)

    async def pass_on(self, sink: socket.socket, data: bytes) -> None:
        """Send data on, with a bit changed when it is time for that."""
        if sink.getpeername()[1] == self._target_port:
            self.recorded.append(data)
        if self.flip_after_bytes:
            self.flip_after_bytes[0] -= len(data)
            if self.flip_after_bytes[0] < 0:
                del self.flip_after_bytes[0]
                changed = bytearray(data)
                changed[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
                data, self.flips = bytes(changed), self.flips + 1
        await super().pass_on(sink, data)


@pytest.fixture
def tamper_with(loops: tuple[NodeLoop, NodeLoop]) -> Iterator[Callable[[int], Tamperer]]:
    made: list[Tamperer] = []

    def make(port: int) -> Tamperer:
        made.append(Tamperer(loops[1], port))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@encrypted
def test_what_is_changed_on_the_way_arrives_as_it_was_sent_or_not_at_all(
    carriers: Carriers, tamper_with: Callable[[int], Tamperer]
) -> None:
    server = carriers.serve()
    got: list[tuple[int, bytes]] = []
    all_is_there = threading.Event()

    @tcpremote(server, name="put")
    def put(_handler: Any, _request: Any, number: int, data: Any) -> None:
        got.append((number, bytes(data)))
        if number == MESSAGES - 1:
            all_is_there.set()

    tamperer = tamper_with(server.port)
    client = carriers.connect(tamperer.port)
    tamperer.flip_after_bytes = list(FLIPS_AFTER_BYTES)
    sent = [(number, bytes([number % 256]) * (70_000 if number % 3 else 100)) for number in range(MESSAGES)]
    for number, data in sent:
        client.handler.cast("put", number, as_payload(data))
    assert all_is_there.wait(WAIT_S)
    assert tamperer.flips == len(FLIPS_AFTER_BYTES)
    assert got == sent


@encrypted
def test_what_was_recorded_does_nothing_when_it_is_sent_again(
    carriers: Carriers, tamper_with: Callable[[int], Tamperer]
) -> None:
    server = carriers.serve()
    got: list[int] = []

    @tcpremote(server, name="put")
    def put(_handler: Any, _request: Any, number: int) -> None:
        got.append(number)

    tamperer = tamper_with(server.port)
    client = carriers.connect(tamperer.port)
    client.handler.call("put", 7).result(WAIT_S)
    recorded = b"".join(tamperer.recorded)
    assert recorded
    for _ in range(REPLAYS):
        with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as thief:
            thief.sendall(recorded)
            with suppress(ConnectionResetError):
                while thief.recv(65536):  # until the server ends it
                    pass
    client.handler.call("put", 8).result(WAIT_S)
    assert got == [7, 8]
    assert [one.node_id for one in server.handlers] == ["client"]
