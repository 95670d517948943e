"""Frames wrap buffers and copy them only when they have to be one."""

import pickle

import pytest

from concurrent.core.errors import InvalidArguments
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame, as_payload, gathered


def test_small_buffers_stay_bytes_and_large_ones_become_frames() -> None:
    assert as_payload(b"x" * (FRAME_BYTES_MIN - 1)) == b"x" * (FRAME_BYTES_MIN - 1)
    assert type(as_payload(bytearray(10))) is bytes
    assert type(as_payload(b"x" * FRAME_BYTES_MIN)) is Frame
    assert type(as_payload(memoryview(bytearray(FRAME_BYTES_MIN)))) is Frame


def test_a_frame_shares_the_memory_of_its_buffer() -> None:
    memory = bytearray(b"abc")
    frame = Frame(memory)
    memory[0] = ord("x")
    assert bytes(frame) == b"xbc"


def test_a_frame_measures_bytes_whatever_the_items_of_its_buffer() -> None:
    frame = Frame(memoryview(bytearray(16)).cast("I"))
    assert (frame.nbytes, len(frame), len(bytes(frame))) == (16, 16, 16)


def test_a_frame_of_several_pieces_keeps_them_as_they_are() -> None:
    pieces = (b"one", bytearray(b"two"), memoryview(b"three"), b"")
    frame = Frame(*pieces)
    pieces[1][0] = ord("T")  # type: ignore[index]
    assert (frame.nbytes, len(frame)) == (11, 11)
    assert frame.pieces[0] is pieces[0]
    assert [bytes(piece) for piece in frame.pieces] == [b"one", b"Two", b"three", b""]


def test_a_frame_of_several_pieces_is_one_buffer_to_who_asks_for_that() -> None:
    frame = Frame(b"one", bytearray(b"two"), b"")
    assert frame.buffer == b"onetwo"
    assert frame.buffer is frame.buffer
    assert bytes(frame) == b"onetwo"
    assert frame == Frame(b"onetwo")
    assert frame.nbytes == 6


def test_gathering_joins_what_is_small_and_nothing_else() -> None:
    large, mutable = b"l" * FRAME_BYTES_MIN, bytearray(b"m" * FRAME_BYTES_MIN)
    begin: list[Buffer | Frame] = [b"a", Frame(b"b", large, b"c"), b"d", mutable, b""]
    pieces = gathered([*begin, large, b"e", Frame(b"f")])
    assert pieces[1] is large
    assert pieces[3] is mutable
    assert pieces[5] is large
    assert [bytes(piece) for piece in pieces] == [b"ab", large, b"cd", mutable, b"", large, b"ef"]
    assert gathered([]) == []


def test_frames_compare_by_content() -> None:
    assert Frame(b"abc") == Frame(bytearray(b"abc"))
    assert Frame(b"abc") == b"abc"
    assert Frame(b"abc") != Frame(b"abd")
    assert Frame(b"abc") != "abc"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_frames_can_be_pickled(protocol: int) -> None:
    for frame in (Frame(b"abc"), Frame(bytearray(b"abc")), Frame(b"a", b"bc")):
        assert pickle.loads(pickle.dumps(frame, protocol)) == frame


def test_a_frame_can_be_pickled_without_copying_its_buffer() -> None:
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(Frame(b"x" * 1000), 5, buffer_callback=buffers.append)
    assert len(stream) < 200
    assert pickle.loads(stream, buffers=buffers) == b"x" * 1000


def test_a_buffer_with_holes_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidArguments, match=r"contiguous.*Copy it"):
        Frame(memoryview(b"abcdef")[::2])
    with pytest.raises(InvalidArguments, match=r"contiguous.*Copy it"):
        Frame(b"", memoryview(b"abcdef")[::2])
