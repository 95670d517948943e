"""The bytes of pickled values: with and without buffers outside of the pickle."""

from __future__ import annotations

import os
import pickle
import struct
from typing import Any

import pytest

from concurrent.scheduling.pickling.payload import (
    ALIGNMENT,
    BUFFER_BYTES_MIN,
    CODE_REFERENCE,
    NOT_PLAIN,
    PLAIN_BYTES_MAX,
    PROTOCOL,
    PickleSink,
    plain_value,
    unpickled,
)
from concurrent.scheduling.pickling.unpickling import CODE_AT, code_at
from concurrent.transport.frames.frames import Frame


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


class Thing:
    """Is no plain value."""


PLAIN = [None, True, 0, 255, -1, 70_000, 1 << 40, 1.5, b"data", "text", "x" * 300, (), [], {}]
CONTAINERS: list[Any] = [
    (3, "a", [3]),
    {"a": {1, 2}, 2: None},
    frozenset({"c"}),
    list(range(200)),
    bytearray(5),
]


@pytest.mark.parametrize("value", [*PLAIN, *CONTAINERS])
def test_numbers_texts_and_containers_are_plain(value: Any) -> None:
    assert plain_value(pickle.dumps(value, PROTOCOL)) == value


@pytest.mark.parametrize("value", [Thing(), Thing, [Thing()], (1, Thing), len, 3j])
def test_what_needs_a_class_or_function_is_not_plain(value: Any) -> None:
    assert plain_value(pickle.dumps(value, PROTOCOL)) is NOT_PLAIN


def test_a_reference_to_code_of_an_application_is_not_plain() -> None:
    assert struct.pack("<i", CODE_AT) == CODE_REFERENCE
    assert CODE_REFERENCE in pickle.dumps(code_at, PROTOCOL)


def test_what_long_bytes_and_texts_have_in_them_does_not_matter() -> None:
    reference = pickle.dumps(code_at, PROTOCOL)
    for value in (reference * 100, os.urandom(4096), "cats" * 1000, "\N{EURO SIGN}" * 300):
        assert plain_value(pickle.dumps(value, PROTOCOL)) == value


def test_a_reference_behind_long_bytes_is_not_plain() -> None:
    assert plain_value(pickle.dumps((bytes(4096), code_at), PROTOCOL)) is NOT_PLAIN
    assert plain_value(pickle.dumps((bytes(4096), Thing), PROTOCOL)) is NOT_PLAIN


def test_a_length_that_hides_a_reference_is_not_believed() -> None:
    lone = pickle.dumps(bytes(300), PROTOCOL)
    behind = pickle.dumps((code_at,), PROTOCOL)[2:]
    assert plain_value(lone[:-1] + behind) is NOT_PLAIN


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x80\x05", b"no pickle at all", b"\x80\x05K\x01"])
def test_what_is_no_pickle_is_left_to_its_consumer(payload: bytes) -> None:
    assert plain_value(payload) is NOT_PLAIN


def test_a_large_value_or_frame_is_left_to_its_consumer() -> None:
    assert plain_value(pickle.dumps(bytes(PLAIN_BYTES_MAX), PROTOCOL)) is NOT_PLAIN
    assert plain_value(Frame(pickle.dumps(1, PROTOCOL))) is NOT_PLAIN
