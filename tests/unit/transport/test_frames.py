"""Frames wrap buffers and never copy them."""

import pickle

import pytest

from concurrent.core.errors import InvalidArguments
from concurrent.transport.frames import FRAME_BYTES_MIN, Frame, as_payload


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


def test_frames_compare_by_content() -> None:
    assert Frame(b"abc") == Frame(bytearray(b"abc"))
    assert Frame(b"abc") == b"abc"
    assert Frame(b"abc") != Frame(b"abd")
    assert Frame(b"abc") != "abc"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_frames_can_be_pickled(protocol: int) -> None:
    for frame in (Frame(b"abc"), Frame(bytearray(b"abc"))):
        assert pickle.loads(pickle.dumps(frame, protocol)) == frame


def test_a_frame_can_be_pickled_without_copying_its_buffer() -> None:
    buffers: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(Frame(b"x" * 1000), 5, buffer_callback=buffers.append)
    assert len(stream) < 200
    assert pickle.loads(stream, buffers=buffers) == b"x" * 1000


def test_a_buffer_with_holes_is_refused_with_the_remedy() -> None:
    with pytest.raises(InvalidArguments, match=r"contiguous.*Copy it"):
        Frame(memoryview(b"abcdef")[::2])
