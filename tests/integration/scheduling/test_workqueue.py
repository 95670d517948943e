"""The push socket of a master: what a slave that is lost, or only frozen, had in its pipe."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from concurrent.core.component import ComponentManager
from concurrent.core.errors import AddressError
from concurrent.scheduling.schedulers.workqueues import (
    SessionWorkQueue,
    SocketWorkQueue,
    WorkPlace,
    usual_queue,
)
from concurrent.scheduling.wire.workqueue import Chunk, decode_chunk
from concurrent.transport.carriers.channels import (
    ICarrierFactory,
    SocketPlace,
    TCPCarrierFactory,
    ZMQCarrierFactory,
)
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits

TIMEOUT_S = 20.0


class Places:
    """Makes places for a work queue, and closes what carriers there hold."""

    def __init__(self, loop: NodeLoop) -> None:
        self.loop = loop
        self.managers: list[ComponentManager] = []

    def __call__(self, carriers: type[Any], port: int = 0, limits: Limits | None = None) -> WorkPlace:
        manager = ComponentManager()
        self.managers.append(manager)
        manager.register(carriers)
        factory: ICarrierFactory = manager[carriers]
        return WorkPlace("zmq", factory, SocketPlace(self.loop, "127.0.0.1", port, limits or Limits(), None))


@pytest.fixture
def place(loop: NodeLoop) -> Iterator[Places]:
    made = Places(loop)
    yield made
    for manager in made.managers:
        manager.close()


def test_a_frozen_slave_swallows_nothing_once_it_is_forgotten(loop: NodeLoop, place: Places) -> None:
    def call(fn, *args):
        return loop.call(fn, *args, timeout_s=TIMEOUT_S)

    def pull(has_room):
        there = here.socket._replace(port=work_queue.description()["port"])
        return call(here.carriers.open_pull, there, lambda frames: taken.put(decode_chunk(frames)), has_room)

    taken: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
    here = place(ZMQCarrierFactory)
    work_queue = call(usual_queue, here)
    assert isinstance(work_queue, SocketWorkQueue)
    frozen = pull(lambda: False)
    description = work_queue.description()
    call(work_queue.forget, 1)
    call(frozen.close)  # it comes back to its senses only after it was forgotten
    assert work_queue.description() == description
    honest = pull(lambda: True)
    for number in range(20):
        call(work_queue.put, Chunk(1, 0, [number], [b"task"]))
    assert [taken.get(timeout=TIMEOUT_S).numbers for _ in range(20)] == [[number] for number in range(20)]
    call(honest.close)
    call(work_queue.close)


def test_carriers_without_a_socket_of_their_own_have_slaves_ask(place: Places) -> None:
    assert isinstance(usual_queue(place(TCPCarrierFactory)), SessionWorkQueue)


def test_a_port_that_is_in_use_is_named(loop: NodeLoop, place: Places) -> None:
    first = loop.call(usual_queue, place(ZMQCarrierFactory), timeout_s=TIMEOUT_S)
    port = first.description()["port"]
    with pytest.raises(AddressError, match=f"the work socket cannot listen on .*:{port}"):
        loop.call(usual_queue, place(ZMQCarrierFactory, port), timeout_s=TIMEOUT_S)
    loop.call(first.close, timeout_s=TIMEOUT_S)


def test_a_message_above_the_limits_is_dropped_and_the_next_one_taken(
    loop: NodeLoop, place: Places, caplog: pytest.LogCaptureFixture
) -> None:
    def call(fn, *args):
        return loop.call(fn, *args, timeout_s=TIMEOUT_S)

    taken: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    push = call(place(ZMQCarrierFactory).carriers.open_push, place(ZMQCarrierFactory).socket)
    narrow = place(ZMQCarrierFactory, push.port, Limits(message_bytes_max=1000, header_bytes_max=1000))
    pull = call(narrow.carriers.open_pull, narrow.socket, taken.put, lambda: True)
    call(push.put, [b"head", bytes(600), bytes(600)])
    call(push.put, [b"small"])
    assert taken.get(timeout=TIMEOUT_S) == [b"small"]
    assert "is dropped: a message of 1204 bytes exceeds the limit of 1000" in caplog.text
    call(pull.close)
    call(push.close)
