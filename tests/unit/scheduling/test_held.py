"""Results that a worker holds back, as it writes them down and as its slave reads them."""

from __future__ import annotations

from mmap import mmap

import pytest

from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.worker.held import HELD_BYTES, HeldResult, HeldResults, read_held
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Frame


@pytest.fixture
def memory() -> mmap:
    return mmap(-1, HELD_BYTES)


@pytest.fixture
def held(memory: mmap) -> HeldResults:
    return HeldResults(memory)


def test_what_is_held_is_read_as_it_was_put(held: HeldResults, memory: mmap) -> None:
    output = 7, b"first ", b"last\n", b"progress"
    large = Frame(bytes(FRAME_BYTES_MIN), b"more")
    assert held.put(3, FINISHED, b"three")
    assert held.put(4, FAILED, b"", output)
    assert held.put(1 << 60, FINISHED, large)
    assert read_held(memory, [3, 4, 1 << 60]) == [
        HeldResult(FINISHED, b"three", None),
        HeldResult(FAILED, b"", output),
        HeldResult(FINISHED, large, None),
    ]


def test_only_what_is_asked_for_is_read_and_from_the_oldest_on(held: HeldResults, memory: mmap) -> None:
    for number in (3, 4, 5):
        held.put(number, FINISHED, b"")
    assert len(read_held(memory, [3, 4])) == 2
    assert read_held(memory, [4, 5]) == []
    assert len(read_held(memory, [3, 4, 6])) == 2


def test_what_was_sent_is_overwritten(held: HeldResults, memory: mmap) -> None:
    held.put(3, FINISHED, b"old")
    held.put(4, FINISHED, b"old")
    held.clear()
    held.put(5, FINISHED, b"new")
    assert read_held(memory, [5]) == [HeldResult(FINISHED, b"new", None)]
    assert read_held(memory, [3, 4]) == []


def test_what_finds_no_room_is_not_held(held: HeldResults, memory: mmap) -> None:
    assert not held.put(1, FINISHED, bytes(HELD_BYTES))
    half = bytes(HELD_BYTES // 2)
    assert held.put(1, FINISHED, half)
    assert not held.put(2, FINISHED, half), "the worker sends what there is now"
    assert held.put(2, FINISHED, b"")
    assert [len(one.payload) for one in read_held(memory, [1, 2])] == [len(half), 0]


@pytest.mark.parametrize("junk", [b"\xff" * HELD_BYTES, bytes(range(256)) * (HELD_BYTES // 256)])
def test_memory_with_anything_in_it_holds_nothing(junk: bytes) -> None:
    numbers = [int.from_bytes(junk[:8], "little"), 0, 1]
    assert read_held(junk, numbers) == []


def test_a_record_never_leads_out_of_the_memory(held: HeldResults, memory: mmap) -> None:
    held.put(1, FINISHED, bytes(HELD_BYTES - 64))
    assert len(read_held(memory, [1, 0, 0, 0, 0])) <= 4


def test_output_without_its_ends_is_none(held: HeldResults, memory: mmap) -> None:
    held.put(1, FINISHED, b"", (5, b"", b"", b""))
    assert read_held(memory, [1])[0].output == (5, b"", b"", b"")
