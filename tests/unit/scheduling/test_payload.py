"""The bytes of pickled values: with and without buffers outside of the pickle."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from concurrent.scheduling.payload import ALIGNMENT, BUFFER_BYTES_MIN, PROTOCOL, PickleSink, unpickled
from concurrent.transport.frames import Frame


def pickled(value: Any) -> bytes | Frame:
    sink = PickleSink()
    pickle.Pickler(sink, PROTOCOL, buffer_callback=sink.set_aside).dump(value)
    return sink.payload()


def raw(payload: bytes | Frame) -> Any:
    return payload.buffer if isinstance(payload, Frame) else payload


def test_a_value_without_buffers_is_a_plain_pickle() -> None:
    assert pickle.loads(raw(pickled({"a": [1, 2]}))) == {"a": [1, 2]}


@pytest.mark.parametrize(
    "sizes", [[0], [BUFFER_BYTES_MIN - 1], [BUFFER_BYTES_MIN], [70_001, 5, 99_999, 70_000]]
)
def test_buffers_come_back_with_their_contents(sizes: list[int]) -> None:
    buffers = [bytes([index + 1]) * size for index, size in enumerate(sizes)]
    back = unpickled(raw(pickled([pickle.PickleBuffer(bytearray(buffer)) for buffer in buffers])))
    assert [bytes(buffer) for buffer in back] == buffers


def test_only_large_buffers_leave_the_pickle() -> None:
    small = pickled(pickle.PickleBuffer(bytes(BUFFER_BYTES_MIN - 1)))
    large = pickled(pickle.PickleBuffer(bytes(BUFFER_BYTES_MIN)))
    assert raw(small)[0] == 0x80
    assert raw(large)[0] == 0x01
    assert isinstance(large, Frame)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_buffer_can_be_written_to_wherever_the_payload_lies(kind: type) -> None:
    data = bytearray(BUFFER_BYTES_MIN)
    payload = kind(bytes(raw(pickled(pickle.PickleBuffer(data)))))
    view = memoryview(unpickled(payload))
    view[0] = 7
    assert (view[0], data[0]) == (7, 0)


def test_a_payload_in_writable_memory_is_not_copied() -> None:
    memory = bytearray(raw(pickled(pickle.PickleBuffer(bytearray(BUFFER_BYTES_MIN)))))
    memoryview(unpickled(memory))[0] = 7
    assert memory.count(7) > bytearray(raw(pickled(pickle.PickleBuffer(bytearray(BUFFER_BYTES_MIN))))).count(7)


def test_read_only_buffers_stay_read_only() -> None:
    assert memoryview(unpickled(raw(pickled(pickle.PickleBuffer(bytes(BUFFER_BYTES_MIN)))))).readonly


def test_each_part_begins_at_a_multiple() -> None:
    payload = raw(pickled([pickle.PickleBuffer(b"x" * 70_001), pickle.PickleBuffer(b"y" * 70_001)]))
    data = bytes(payload)
    assert len(data) % ALIGNMENT == 0
    assert data.index(b"xxx") % ALIGNMENT == 0
    assert data.index(b"yyy") % ALIGNMENT == 0


def pieces_of(payload: bytes | Frame) -> list[Any]:
    assert isinstance(payload, Frame)
    return list(payload.pieces)


def test_large_bytes_are_parts_of_the_payload_without_a_copy() -> None:
    data = bytes(100_000)
    payload = pickled({"first": data, "second": [b"small", data]})
    assert [piece for piece in pieces_of(payload) if piece is data]
    assert unpickled(raw(payload)) == {"first": data, "second": [b"small", data]}


@pytest.mark.parametrize("size", [100_000, 9_000_000])
def test_what_changes_after_it_was_pickled_arrives_as_it_was(size: int) -> None:
    inside, outside = bytearray(size), bytearray(size)
    payload = pickled([inside, pickle.PickleBuffer(outside)])
    inside[0] = outside[0] = 7
    assert [bytes(part) for part in unpickled(raw(payload))] == [bytes(size)] * 2


def test_many_large_values_are_as_many_pieces_and_arrive() -> None:
    values = [bytes([n % 256]) * 70_000 for n in range(1500)]  # a system call takes 1,024 pieces at most
    payload = pickled(values)
    assert len(pieces_of(payload)) > 1500
    assert unpickled(raw(payload)) == values


def test_a_sink_is_empty_again_after_each_payload() -> None:
    sink = PickleSink()
    pickler = pickle.Pickler(sink, PROTOCOL, buffer_callback=sink.set_aside)
    pickler.dump(pickle.PickleBuffer(b"x" * 70_000))
    sink.payload()
    pickler.clear_memo()
    pickler.dump("next")
    assert pickle.loads(raw(sink.payload())) == "next"
