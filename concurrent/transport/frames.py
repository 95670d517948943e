"""Raw frames: buffers that travel beside a message instead of inside it, so nobody copies them.

A message body is msgpack, and packing or unpacking copies every byte of it. A :class:`Frame` marks
a buffer that is large enough for that to hurt: it travels as a frame of its own behind the body,
and what arrives is a view of the memory that was received into, ready to be forwarded as it is.
"""

from __future__ import annotations

import pickle
from typing import Any, Final

from concurrent.core.errors import InvalidArguments

__all__ = ["FRAME_BYTES_MIN", "Buffer", "Frame", "as_payload"]

FRAME_BYTES_MIN: Final = 65536
"""Below this size copying into the body is cheaper than a frame of its own."""

Buffer = bytes | bytearray | memoryview


class Frame:
    """A buffer that must travel as a raw frame, without a copy. Any thread.

    Whoever wraps a mutable buffer must leave it alone until the message is acknowledged.

    :param buffer: any C-contiguous bytes-like object.
    :raises InvalidArguments: if the buffer is not C-contiguous.
    """

    __slots__ = ("buffer", "nbytes")

    buffer: bytes | memoryview
    nbytes: int

    def __init__(self, buffer: Buffer) -> None:
        if isinstance(buffer, bytes):
            self.buffer = buffer
            self.nbytes = len(buffer)
            return
        view = memoryview(buffer)
        if not view.c_contiguous:
            raise InvalidArguments(
                f"a frame needs one contiguous buffer, but got one with the strides {view.strides}",
                thing="Frame",
                value=view.strides,
                remedy="Copy it first, for example with bytes(buffer).",
            )
        self.buffer = view if view.format == "B" and view.ndim == 1 else view.cast("B")
        self.nbytes = view.nbytes

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
