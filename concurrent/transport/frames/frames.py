"""Raw frames: buffers that travel beside a message instead of inside it, so nobody copies them.

A message body is msgpack, and packing or unpacking copies every byte of it. A :class:`Frame` marks
a buffer that is large enough for that to hurt: it travels as a frame of its own behind the body,
and what arrives is a view of the memory that was received into, ready to be forwarded as it is. What is
sent may lie in several pieces of memory, so that nobody has to join them.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Final

from concurrent.core.errors import InvalidArguments

__all__ = ["FRAME_BYTES_MIN", "Buffer", "Frame", "as_payload", "gathered"]

FRAME_BYTES_MIN: Final = 65536
"""Below this size copying into the body is cheaper than a frame of its own."""

Buffer = bytes | bytearray | memoryview


class Frame:
    """What must travel as a raw frame, without a copy. Any thread.

    Whoever wraps a mutable buffer must leave it alone until the message is acknowledged.

    :param buffer: any C-contiguous bytes-like object.
    :param more: further ones; together with the first they are one frame to the receiver.
    :raises InvalidArguments: if a buffer is not C-contiguous.
    """

    __slots__ = ("nbytes", "pieces")

    pieces: Sequence[bytes | memoryview]
    """The memory of the frame, one piece behind the other."""

    nbytes: int

    def __init__(self, buffer: Buffer, *more: Buffer) -> None:
        self.pieces = (_flat(buffer), *map(_flat, more)) if more else (_flat(buffer),)
        self.nbytes = sum(map(len, self.pieces))

    @property
    def buffer(self) -> bytes | memoryview:
        """The memory of the frame in one piece; several are joined when this is first asked for."""
        if len(self.pieces) > 1:
            self.pieces = (b"".join(self.pieces),)
        return self.pieces[0]

    def __bytes__(self) -> bytes:
        return bytes(self.buffer)

    def __len__(self) -> int:
        return self.nbytes

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Frame):
            return self.buffer == other.buffer
        if isinstance(other, (bytes, bytearray, memoryview)):
            return self.buffer == other
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # the buffer may change

    def __repr__(self) -> str:
        return f"Frame({self.nbytes} bytes)"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        if protocol >= 5:
            return (Frame, (pickle.PickleBuffer(self.buffer),))
        return (Frame, (bytes(self.buffer),))


def _flat(buffer: Buffer) -> bytes | memoryview:
    if isinstance(buffer, bytes):
        return buffer
    view = memoryview(buffer)
    if not view.c_contiguous:
        raise InvalidArguments(
            f"a frame needs contiguous buffers, but got one with the strides {view.strides}",
            thing="Frame",
            value=view.strides,
            remedy="Copy it first, for example with bytes(buffer).",
        )
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


def gathered(buffers: Sequence[Buffer | Frame]) -> list[Buffer]:
    """Return the same bytes for sending: what is small is joined, what is large stays as it is. Any thread."""
    if Frame not in map(type, buffers) and sum(map(len, buffers)) < FRAME_BYTES_MIN:
        return [b"".join(buffers)] if buffers else []  # type: ignore[arg-type]  # there is no frame
    pieces: list[Buffer] = []
    for buffer in buffers:
        if isinstance(buffer, Frame):
            pieces += buffer.pieces
        else:
            pieces.append(buffer)
    result: list[Buffer] = []
    start = 0
    for index, piece in enumerate(pieces):
        if len(piece) >= FRAME_BYTES_MIN:
            if index > start:
                result.append(b"".join(pieces[start:index]))
            result.append(piece)
            start = index + 1
    if start < len(pieces):
        result.append(b"".join(pieces[start:]))
    return result


def as_payload(buffer: Buffer) -> bytes | Frame:
    """Return ``buffer`` in the form in which it travels cheapest. Any thread.

    :param buffer: any C-contiguous bytes-like object.
    :returns: a :class:`Frame` from ``FRAME_BYTES_MIN`` bytes on, else ``bytes``.
    """
    if isinstance(buffer, bytes):
        return buffer if len(buffer) < FRAME_BYTES_MIN else Frame(buffer)
    if memoryview(buffer).nbytes < FRAME_BYTES_MIN:
        return bytes(buffer)
    return Frame(buffer)
