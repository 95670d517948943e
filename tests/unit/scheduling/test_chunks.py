"""Tasks on the work queue of push/pull, as messages and back."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from concurrent.core.errors import MalformedMessage
from concurrent.scheduling.wire.workqueue import Chunk, decode_chunk, encode_chunk
from concurrent.transport.frames.frames import Frame


def test_a_chunk_comes_back_as_it_was() -> None:
    chunk = Chunk(1, 2, [3, 4], [b"small", Frame(b"x" * 70_000)])
    assert decode_chunk(encode_chunk(chunk)) == chunk


@pytest.mark.parametrize(
    "header",
    [
        7,
        [],
        [1, 0, [1]],
        [1, 0, [1], [b"a", b"b"]],
        [1, 0, [1], [None, None]],
        [1, 0, [float("inf")], [b"a"]],
        [float("inf"), 0, [1], [b"a"]],
        [1, 0, ["1"], [b"a"]],
        [1, 0, [True], [b"a"]],
        [1, 0, [1], ["text"]],
        [1, 0, [1], [7]],
        [1, 0, None, [b"a"]],
    ],
)
def test_what_is_no_chunk_is_refused(header: Any) -> None:
    with pytest.raises(MalformedMessage):
        decode_chunk([msgpack.packb(header), b"frame"])
