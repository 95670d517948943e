"""A stream of bytes becomes the messages that were put into it, however it is cut up."""

import struct
import weakref
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent.core.errors import MalformedMessage, MessageTooLarge, VersionMismatch
from concurrent.transport.carriers.framing import GREETING_LIMITS, SCRATCH_BYTES, FrameReader
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer
from concurrent.transport.frames.memory import MemoryShare, ReceiveMemory
from concurrent.transport.session.envelope import make_prefix
from concurrent.transport.session.limits import Limits

frame_sizes = st.integers(0, 300) | st.sampled_from(
    [FRAME_BYTES_MIN - 1, FRAME_BYTES_MIN, FRAME_BYTES_MIN + 1, SCRATCH_BYTES + 7]
)


def feed(reader: FrameReader, data: bytes, step_bytes: int) -> list[list[bytes]]:
    messages = []
    position = 0
    while position < len(data):
        space = reader.space()
        count = min(step_bytes, len(space), len(data) - position)
        space[:count] = data[position : position + count]
        messages += [[bytes(frame) for frame in frames] for frames in reader.advance(count)]
        position += count
    return messages


def new_reader(limits: Limits | None = None) -> FrameReader:
    return FrameReader(limits or Limits(), memoryview(bytearray(SCRATCH_BYTES)))


@given(st.lists(st.lists(frame_sizes, min_size=1, max_size=4), max_size=4), st.integers(1, 200_000))
def test_messages_come_out_as_they_went_in_for_any_size_of_steps(
    shapes: list[list[int]], step_bytes: int
) -> None:
    messages = [[bytes([index % 251]) * size for index, size in enumerate(shape)] for shape in shapes]
    stream = b"".join(make_prefix(frames) + b"".join(frames) for frames in messages)
    reader = new_reader()
    assert feed(reader, stream, max(step_bytes, len(stream) // 2000)) == messages
    assert not reader.is_amid_message


def test_a_reader_knows_that_a_message_has_begun() -> None:
    reader = new_reader()
    stream = make_prefix([b"abcdef"]) + b"abcdef"
    assert feed(reader, stream[:-1], 100) == []
    assert reader.is_amid_message
    assert feed(reader, stream[-1:], 100) == [[b"abcdef"]]


def test_behind_a_large_frame_little_is_read_ahead_until_there_is_much_that_is_small() -> None:
    """What is read ahead of a large frame has to be copied into it."""
    reader = new_reader()
    large, small = bytes(2 * SCRATCH_BYTES), bytes(FRAME_BYTES_MIN - 1)
    assert len(reader.space()) == SCRATCH_BYTES
    assert feed(reader, make_prefix([large]) + large, SCRATCH_BYTES) == [[large]]
    assert len(reader.space()) < SCRATCH_BYTES // 8
    assert feed(reader, (make_prefix([small]) + small) * 8, SCRATCH_BYTES) == [[small]] * 8
    assert len(reader.space()) == SCRATCH_BYTES


def test_readers_share_their_scratch_memory() -> None:
    scratch = memoryview(bytearray(SCRATCH_BYTES))
    readers = [FrameReader(Limits(), scratch) for _ in range(2)]
    streams = [make_prefix([text]) + text for text in (b"first", b"other")]
    for position in range(len(streams[0]) - 1):
        for reader, stream in zip(readers, streams, strict=True):
            assert feed(reader, stream[position : position + 1], 1) == []
    assert feed(readers[0], streams[0][-1:], 1) == [[b"first"]]
    assert feed(readers[1], streams[1][-1:], 1) == [[b"other"]]


def test_an_announced_size_over_the_limit_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(MessageTooLarge, match=str(2**62)):
        feed(new_reader(), struct.pack("!2sBBIQ", b"Cc", 1, 0, 1, 2**62), 100)


def test_an_announced_count_of_frames_over_the_limit_is_refused_at_once() -> None:
    with pytest.raises(MessageTooLarge, match="4294967295 frames"):
        feed(new_reader(), struct.pack("!2sBBI", b"Cc", 1, 0, 2**32 - 1), 100)


def test_a_message_without_frames_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        feed(new_reader(), struct.pack("!2sBBI", b"Cc", 1, 0, 0), 100)


def test_another_protocol_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="GE"):
        feed(new_reader(), b"GET / HTTP/1.1\r\n\r\n", 100)


def test_another_version_is_refused() -> None:
    with pytest.raises(VersionMismatch):
        feed(new_reader(), struct.pack("!2sBBI", b"Cc", 2, 0, 1), 100)


def test_what_comes_behind_a_greeting_waits_for_other_limits() -> None:
    reader = new_reader(GREETING_LIMITS)
    large = [b"head", b"x" * 100_000]
    stream = make_prefix([b"hello"]) + b"hello" + make_prefix(large) + b"".join(large)
    assert feed(reader, stream, len(stream)) == [[b"hello"]]
    reader.limits = Limits()
    assert [[bytes(frame) for frame in frames] for frames in reader.go_on()] == [large]
    assert reader.go_on() == []


@pytest.mark.parametrize("step_bytes", [1000, FRAME_BYTES_MIN + 100, 10 * SCRATCH_BYTES])
def test_large_frames_are_received_into_the_memory_of_the_endpoint(step_bytes: int) -> None:
    blocks: list[memoryview] = []
    headers: list[Buffer] = []

    def new_block(size_bytes: int, header: Buffer) -> memoryview:
        headers.append(header)
        blocks.append(memoryview(bytearray(size_bytes)))
        return blocks[-1]

    share = MemoryShare(ReceiveMemory(10_000_000, print, new_block), print)
    reader = FrameReader(Limits(), memoryview(bytearray(SCRATCH_BYTES)), share)
    sizes = [10, FRAME_BYTES_MIN, FRAME_BYTES_MIN - 1, FRAME_BYTES_MIN + 1, 3 * SCRATCH_BYTES]
    frames = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert feed(reader, make_prefix(frames) + b"".join(frames), step_bytes) == [frames]
    assert [bytes(block) for block in blocks] == [frames[1], frames[3], frames[4]]
    assert headers == [frames[0]] * 3


def test_a_reader_that_is_closed_keeps_nothing_of_an_unfinished_message() -> None:
    known: list[weakref.ref[memoryview]] = []

    def new_block(size_bytes: int, _header: Buffer) -> memoryview:
        block = memoryview(bytearray(size_bytes))
        known.append(weakref.ref(block))
        return block

    share = MemoryShare(ReceiveMemory(10_000_000, print, new_block), print)
    reader = FrameReader(Limits(), memoryview(bytearray(SCRATCH_BYTES)), share)
    frames = [bytes(10), bytes(FRAME_BYTES_MIN), bytes(SCRATCH_BYTES)]
    feed(reader, (make_prefix(frames) + b"".join(frames))[:-1], SCRATCH_BYTES)
    assert [ref() is None for ref in known] == [False, False]
    reader.close()
    assert [ref() is None for ref in known] == [True, True]


def test_large_messages_wait_for_memory_in_the_order_in_which_they_came() -> None:
    ready: list[Callable[[], object]] = []
    told: list[str] = []
    memory = ReceiveMemory(1_000_000, ready.append)
    shares = {name: MemoryShare(memory, partial(told.append, name)) for name in ("a", "b", "c")}
    scratch = memoryview(bytearray(SCRATCH_BYTES))
    readers = {name: FrameReader(Limits(), scratch, share) for name, share in shares.items()}
    small = make_prefix([b"small"]) + b"small"
    large = {"a": bytes(900_000), "b": bytes(5_000_000), "c": bytes(300_000)}
    streams = {name: small + make_prefix([data]) + data for name, data in large.items()}
    for name, reader in readers.items():
        assert feed(reader, streams[name][:1000], 1000) == [[b"small"]]
    assert [reader.is_held_up for reader in readers.values()] == [False, True, True]
    for name in "abc":
        assert feed(readers[name], streams[name][1000:], SCRATCH_BYTES) == [[large[name]]]
        while ready:
            ready.pop()()
        for woken in told:
            assert readers[woken].go_on() == []
        told.clear()
    assert not any(reader.is_held_up for reader in readers.values())
    assert ready == []


def test_a_connection_that_is_closed_gives_its_place_to_the_next() -> None:
    ready: list[Callable[[], object]] = []
    told: list[str] = []
    memory = ReceiveMemory(100, ready.append)
    first, second, third = (MemoryShare(memory, partial(told.append, name)) for name in "abc")
    assert first.claim(100)
    assert not second.claim(50)
    assert not third.claim(50)
    second.release()
    first.release()
    ready[-1]()
    assert told == ["c"]
    assert third.claim(50)
