"""Memory that a slave and its workers share, both ends in one process."""

from __future__ import annotations

import gc
import os
import socket
import sys
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from concurrent.core.errors import MalformedMessage
from concurrent.scheduling.worker import sharedmemory
from concurrent.scheduling.worker.extents import GRAIN_BYTES
from concurrent.scheduling.worker.sharedmemory import (
    HELD_END,
    ArgumentMemory,
    ReadMemory,
    ResultMemory,
    TrackedMemory,
    receive_memory,
)
from concurrent.transport.frames.frames import Frame

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is only shared on Linux")

MIB = 1024 * 1024


class Shared(NamedTuple):
    """What a slave and a worker have of their common memory."""

    arguments: ArgumentMemory
    read: ReadMemory
    results: TrackedMemory
    put: ResultMemory


@pytest.fixture
def arguments() -> Iterator[ArgumentMemory]:
    made = ArgumentMemory(1)
    yield made
    made.close()


def offered(
    arguments: ArgumentMemory,
) -> tuple[TrackedMemory | None, tuple[ReadMemory, ResultMemory] | None]:
    """Offer memory as a slave does to its worker; return what each has of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        return arguments.share(ours), receive_memory(theirs)


def share(arguments: ArgumentMemory) -> Shared:
    """Share memory as a slave and a worker do."""
    results, received = offered(arguments)
    assert results is not None
    assert received is not None
    return Shared(arguments, received[0], results, received[1])


@pytest.fixture
def shared(arguments: ArgumentMemory) -> Shared:
    return share(arguments)


@pytest.fixture
def descriptors(arguments: ArgumentMemory) -> Iterator[tuple[int, int]]:
    """What a worker is sent: descriptors of the arguments and of its own memory."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        arguments.share(ours)
        _, (readable, own), _, _ = socket.recv_fds(theirs, 1, 2)
    yield readable, own
    os.close(readable)
    os.close(own)


def put(shared: Shared, *pieces: bytes) -> tuple[int, memoryview]:
    """Write a result, and return where it is and the slave's view of it."""
    frame = Frame(*pieces)
    position = shared.put.put(frame)
    assert position is not None
    return position, shared.results.view(position, frame.nbytes)


def test_a_worker_reads_what_the_slave_received(shared: Shared) -> None:
    blocks = [shared.arguments.new_block(size) for size in (MIB, 100_000, 70_001)]
    for number, block in enumerate(blocks):
        block[:] = bytes([number]) * len(block)
    for number, block in enumerate(blocks):
        position = shared.arguments.position_of(Frame(block))
        assert position is not None
        assert shared.read.view(position, len(block)) == bytes([number]) * len(block)
        assert shared.read.view(position, len(block)).readonly


def test_the_slave_reads_what_a_worker_wrote(shared: Shared) -> None:
    _, first = put(shared, b"a" * 70_000, b"b" * 70_000)
    _, second = put(shared, b"c" * 100_000)
    assert first == b"a" * 70_000 + b"b" * 70_000
    assert second == b"c" * 100_000


def test_arguments_are_free_with_the_last_view_of_them(arguments: ArgumentMemory) -> None:
    first = arguments.new_block(100_000)
    place = arguments.position_of(Frame(first))
    part = first[10:20]
    del first
    other = arguments.new_block(100_000)
    assert arguments.position_of(Frame(other)) != place
    del part
    assert arguments.position_of(Frame(arguments.new_block(100_000))) == place


def test_results_are_free_when_the_slave_has_dropped_them_and_said_so(shared: Shared) -> None:
    position, view = put(shared, b"x" * 100_000)
    part = view[5:6]
    del view
    assert shared.results.take_dropped() == []
    del part
    assert shared.results.take_dropped() == [position]
    assert shared.results.take_dropped() == []
    assert put(shared, b"y" * 100_000)[0] != position
    shared.put.give_back([position])
    assert put(shared, b"z" * 100_000)[0] == position


def test_what_finds_no_room_is_told_apart(shared: Shared) -> None:
    held = []
    while (position := shared.put.put(Frame(bytes(8 * MIB)))) is not None:
        held.append(position)
    assert len(held) == sharedmemory.RESULT_BYTES_MAX // (8 * MIB)
    shared.put.give_back(held)
    assert shared.put.put(Frame(bytes(8 * MIB))) == held[0]
    blocks = [shared.arguments.new_block(sharedmemory.ARGUMENT_BYTES // 2) for _ in range(3)]
    assert [shared.arguments.position_of(Frame(block)) is None for block in blocks] == [False, False, True]


def test_other_memory_is_not_taken_for_shared_one(arguments: ArgumentMemory) -> None:
    others = bytearray(), b"x" * 100_000, bytearray(100_000), memoryview(bytearray(100_000)), memoryview(b"x")
    for buffer in others:
        assert arguments.position_of(Frame(buffer)) is None
    block = arguments.new_block(100_000)
    assert arguments.position_of(Frame(block[:50_000], block[50_000:])) is None
    assert arguments.position_of(Frame(block.toreadonly())) is None


@pytest.mark.parametrize(
    ("position", "size_bytes"),
    [
        (-GRAIN_BYTES, 10),
        (0, 0),
        (0, -1),
        (1, 10),
        (HELD_END + sharedmemory.RESULT_BYTES_MAX, 10),
        (0, sharedmemory.RESULT_BYTES_MAX + 1),
        (0, 1 << 80),
        ("0", 10),
        (0, None),
        (True, 10),
    ],
)
def test_a_place_that_cannot_be_is_refused(shared: Shared, position: Any, size_bytes: Any) -> None:
    with pytest.raises(MalformedMessage, match="a block of"):
        shared.results.view(position, size_bytes)


def test_a_worker_can_neither_shorten_its_memory_nor_write_to_the_arguments(
    descriptors: tuple[int, int],
) -> None:
    readable, own = descriptors
    for fd in (readable, own):
        with pytest.raises(OSError):
            os.ftruncate(fd, 0)
    with pytest.raises(OSError):
        os.write(readable, b"x")


def test_pages_behind_those_that_are_kept_go_back_to_the_system(
    arguments: ArgumentMemory, descriptors: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharedmemory, "KEPT_BYTES", MIB)
    readable, _ = descriptors
    block = arguments.new_block(4 * MIB)
    block[:] = b"x" * len(block)
    assert os.fstat(readable).st_blocks * 512 == 4 * MIB
    del block
    gc.collect()
    assert os.fstat(readable).st_blocks * 512 == MIB


def refuse(*_args: Any, **_kwargs: Any) -> Any:
    raise OSError("none here")


@pytest.mark.parametrize("missing", ["memfd_create", "open", "all of it"])
def test_without_such_memory_blocks_are_of_the_usual_kind(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "all of it":
        monkeypatch.setattr(sharedmemory, "CAN_SHARE", False)
    else:
        monkeypatch.setattr(os, missing, refuse)
    arguments = ArgumentMemory(1)
    block = arguments.new_block(100_000)
    block[:] = b"x" * 100_000
    assert arguments.position_of(Frame(block)) is None
    assert offered(arguments) == (None, None)
    arguments.close()


def test_without_room_for_results_nothing_is_shared_with_a_worker(
    arguments: ArgumentMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharedmemory, "TrackedMemory", refuse)
    assert offered(arguments) == (None, None)


def test_a_worker_that_gets_no_descriptors_says_so() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.send(sharedmemory.SHARED)
        with pytest.raises(OSError, match="no descriptors"):
            receive_memory(theirs)


@pytest.mark.parametrize(("workers", "each_mib"), [(1, 64), (4, 64), (5, 51), (16, 16), (1000, 8)])
def test_many_workers_share_the_memory_of_results(workers: int, each_mib: int) -> None:
    arguments = ArgumentMemory(workers)
    results, _ = offered(arguments)
    arguments.close()
    assert results is not None
    assert results.size_bytes == HELD_END + each_mib * MIB  # board and held results come first


def test_a_slave_that_is_gone_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs, pytest.raises(EOFError):
        receive_memory(theirs)


def test_memory_goes_with_its_last_view_and_no_collector_is_needed(arguments: ArgumentMemory) -> None:
    shared = share(arguments)
    _, view = put(shared, b"x" * 100_000)
    known = weakref.ref(shared.results)
    gc.disable()
    try:
        del shared
        assert known() is not None
        del view
        assert known() is None
    finally:
        gc.enable()


def test_views_outlive_the_memory_that_was_closed(shared: Shared) -> None:
    block = shared.arguments.new_block(100_000)
    block[:] = b"x" * 100_000
    shared.arguments.close()
    shared.arguments.close()
    assert block == b"x" * 100_000
    assert shared.arguments.position_of(Frame(block)) is None
