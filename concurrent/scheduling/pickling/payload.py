"""The bytes of a pickled task or result.

A payload is a plain pickle (protocol 5; its first byte is 0x80), or one with large buffers outside of it, each
part beginning at a multiple of 16 bytes::

    0x01, count of buffers (u32), bytes of the pickle (u64), bytes of each buffer (u64 ...), pickle, buffers

Large ``bytes`` are parts of the payload as they are. What can be written to is copied once, so that the program
may go on and change it. Arrays that support it (PEP 574) are copied when unpickled only if the payload lies in
memory that cannot be written to: a task may change its input.
"""

from __future__ import annotations

import pickle
import struct
from io import BytesIO
from typing import Any, Final

from concurrent.core.process.heap import BLOCK_BYTES_MAX, keeping_any_block
from concurrent.transport.frames.blocks import copied, new_block
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer, Frame

__all__ = ["NOT_PLAIN", "PROTOCOL", "PickleSink", "plain_value", "unpickled"]

PROTOCOL: Final = 5
MARK: Final = 1
HEAD: Final = struct.Struct("!BIQ")
ALIGNMENT: Final = 16
BUFFER_BYTES_MIN: Final = 65536
"""Smaller buffers stay inside the pickle."""
REFERRING: Final = b"".join(
    (pickle.GLOBAL, pickle.INST, pickle.STACK_GLOBAL, pickle.EXT1, pickle.EXT2, pickle.EXT4)
)
"""What finds a class or function. A pickle without these bytes, wherever, has none: that of most numbers."""
PLAIN_BYTES_MAX: Final = 65536
"""A larger value takes too long for who has other things to do."""
LONG_BYTES_MIN: Final = 256
"""From here on pickle gives bytes and texts a length of four bytes. Shorter values are soon looked through."""
LONE_VALUE: Final = struct.Struct("<3sQcI")
"""How a pickle begins that is one of them: protocol and frame, size of the frame, its kind and its length."""
LONE_START: Final = pickle.PROTO + bytes([PROTOCOL]) + pickle.FRAME
LONE_END: Final = pickle.MEMOIZE + pickle.STOP
CODE_REFERENCE: Final = b"ACcC"
"""What a reference to an application's code has in it: its number in ``code.py``, as pickle writes it."""

NOT_PLAIN: Final = object()
"""Instead of a value that only its consumer may unpickle."""


class PickleSink:
    """The file of a pickler; gives the payload of what was pickled into it. One thread."""

    __slots__ = ("_buffers", "_parts", "write")

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._buffers: list[memoryview] = []
        # The pickler hands over large bytes as they are, and that is how they leave.
        self.write = self._parts.append

    def set_aside(self, buffer: pickle.PickleBuffer) -> bool:
        """Take a buffer out of the pickle unless it is small; a pickler's ``buffer_callback``."""
        view = buffer.raw()
        if view.nbytes < BUFFER_BYTES_MIN:
            return True
        self._buffers.append(view)
        return False

    def joined(self) -> bytes:
        """Return the pickle without buffers and be empty again."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data

    def payload(self) -> bytes | Frame:
        """Return the payload and be empty again."""
        parts = self._parts
        if len(parts) == 1 and not self._buffers:
            part = parts[0]
            if type(part) is bytes and len(part) < FRAME_BYTES_MIN:  # as nearly all are
                parts.clear()
                return part
        # Whatever can be written to belongs to the program, which may go on and change it.
        pieces: list[Buffer] = [part if type(part) is bytes else copied(part) for part in parts]
        parts.clear()
        size_bytes = sum(map(len, pieces))
        if self._buffers:
            sizes = [view.nbytes for view in self._buffers]
            head = HEAD.pack(MARK, len(sizes), size_bytes) + struct.pack(f"!{len(sizes)}Q", *sizes)
            pieces = [head, _padding(len(head)), *pieces, _padding(size_bytes)]
            for view in self._buffers:
                pieces += (copied(view), _padding(view.nbytes))
            self._buffers.clear()
        elif size_bytes < FRAME_BYTES_MIN:
            return b"".join(pieces)
        return Frame(*pieces)


def plain_value(payload: Buffer | Frame) -> Any:
    """Return the value of a payload if it is built of numbers, texts and containers alone, else NOT_PLAIN.

    No code of anybody runs, so this is for threads that must not be held up.
    """
    if type(payload) is not bytes or len(payload) > PLAIN_BYTES_MAX:
        return NOT_PLAIN
    try:
        if len(payload) >= LONG_BYTES_MIN and _is_lone_value(payload):
            return pickle.loads(payload)
        if len(payload.translate(None, REFERRING)) == len(payload):
            return pickle.loads(payload)
        if CODE_REFERENCE in payload:
            return NOT_PLAIN
        return _PlainUnpickler(BytesIO(payload)).load()
    except BaseException:  # boundary: the consumer meets it again, and is told
        return NOT_PLAIN


def _is_lone_value(payload: bytes) -> bool:
    """Tell whether all of a payload is one long text, or bytes: what is in those need not be looked at."""
    start, _, kind, size = LONE_VALUE.unpack_from(payload)
    is_long = kind in (pickle.BINBYTES, pickle.BINUNICODE) and start == LONE_START
    return is_long and LONE_VALUE.size + size + len(LONE_END) == len(payload) and payload.endswith(LONE_END)


class _PlainUnpickler(pickle.Unpickler):
    """Refuses whatever refers to a class or function."""

    def find_class(self, module: str, name: str, /) -> Any:
        """Called for each reference."""
        raise pickle.UnpicklingError(f"{module}.{name}")


def unpickled(payload: Buffer | Frame) -> Any:
    """Unpickle a payload; buffers outside of the pickle can be written to.

    They are views of its memory, or of a copy if that is read-only.

    :raises Exception: whatever the pickle raises.
    """
    buffer = payload.buffer if isinstance(payload, Frame) else payload
    if len(buffer) > BLOCK_BYTES_MAX:
        with keeping_any_block():
            return pickle.loads(buffer) if buffer[0] != MARK else _unpickled_with_buffers(buffer)
    return pickle.loads(buffer) if buffer[0] != MARK else _unpickled_with_buffers(buffer)


def _unpickled_with_buffers(buffer: Buffer) -> Any:
    view = memoryview(buffer)
    if view.readonly:
        view = new_block(len(buffer))
        view[:] = buffer
    _, count, pickle_bytes = HEAD.unpack_from(view)
    sizes = struct.unpack_from(f"!{count}Q", view, HEAD.size)
    parts = []
    start = _aligned(HEAD.size + 8 * count)
    for size in (pickle_bytes, *sizes):
        parts.append(view[start : start + size])
        start += _aligned(size)
    return pickle.loads(parts[0], buffers=parts[1:])


def _padding(size: int) -> bytes:
    return bytes(-size % ALIGNMENT)


def _aligned(size: int) -> int:
    return size + -size % ALIGNMENT
