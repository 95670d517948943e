"""The results that a worker has not sent yet, in memory that its slave reads.

Results travel together, so one may wait for others while the next task runs, and nobody knows beforehand how
long that takes. So a worker writes down here what it holds back, each time before it takes the right to start
another task. When a slave sees that a worker makes no progress, it takes the results from here. Nobody has to
interrupt the task, which may be anywhere, in C code that lets no other thread run too.

The records lie one behind the other, from the oldest result that was not sent. There is no count: the slave
knows from the tokens how many tasks have ended, and which. What lies behind these is left from before, and
nothing that is read is trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap
from struct import Struct
from typing import Final, NamedTuple

from concurrent.scheduling.worker.extents import GRAIN_BYTES
from concurrent.transport.frames.frames import Buffer, Frame, as_payload

__all__ = ["HELD_BYTES", "HeldResult", "HeldResults", "read_held"]

HELD_BYTES: Final = 1048576 - GRAIN_BYTES
"""Results that take more together, with what their tasks have printed, are sent. With the board it is a MiB."""

RECORD: Final = Struct("=QBII")
"""Number of the task, status, bytes of the payload, and bytes of its output; both follow."""

_pack: Final = RECORD.pack

OUTPUT: Final = Struct("=QII")
"""How many bytes a task has printed, and the bytes of their beginning and their end, which follow; then how far
it said that it was."""

Output = tuple[int, bytes, bytes, bytes]
"""What a task has printed, as a worker tells it: how many bytes, their beginning and end, and progress."""


class HeldResults:
    """The worker's side. One thread.

    :param memory: what the slave reads too, ``HELD_BYTES`` long.
    """

    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._write = memory.write  # this and joining bytes take half as long as writing each at its place

    def put(self, number: int, status: int, payload: bytes | Frame, output: Output | None = None) -> bool:
        """Write down the next result; tells whether there is room for it, else all are to be sent now."""
        try:
            if output is None and type(payload) is bytes:  # nearly all are like that
                self._write(_pack(number, status, len(payload), 0) + payload)
                return True
            packed = _packed(output) if output is not None else b""
            pieces = (payload,) if isinstance(payload, bytes) else payload.pieces
            for piece in (_pack(number, status, len(payload), len(packed)), *pieces, packed):
                self._write(piece)
        except ValueError:  # no room
            return False
        return True

    def clear(self) -> None:
        """Hold nothing any more: all was sent."""
        self._memory.seek(0)


class HeldResult(NamedTuple):
    """What :meth:`HeldResults.put` was given, but for the number."""

    status: int
    payload: bytes | Frame
    output: Output | None


def read_held(memory: Buffer, numbers: Sequence[int]) -> list[HeldResult]:
    """Return the results that were not sent, the oldest first, as far as they are there. The slave's side.

    :param memory: a view of what the worker writes to.
    :param numbers: the tasks that have ended, oldest first.
    """
    results: list[HeldResult] = []
    position = 0
    for number in numbers:
        start = position + RECORD.size
        if start > HELD_BYTES:
            break
        its_number, status, size_bytes, tail_bytes = RECORD.unpack_from(memory, position)
        middle = start + size_bytes
        position = middle + tail_bytes
        if its_number != number or position > HELD_BYTES:
            break
        payload = as_payload(bytes(memory[start:middle]))
        results.append(HeldResult(status, payload, _unpacked(bytes(memory[middle:position]))))
    return results


def _packed(output: Output) -> bytes:
    size_bytes, head, tail, progress = output
    return OUTPUT.pack(size_bytes, len(head), len(tail)) + head + tail + progress


def _unpacked(data: bytes) -> Output | None:
    if len(data) < OUTPUT.size:
        return None
    size_bytes, head_bytes, tail_bytes = OUTPUT.unpack_from(data)
    head_end = OUTPUT.size + head_bytes
    tail_end = head_end + tail_bytes
    return size_bytes, data[OUTPUT.size : head_end], data[head_end:tail_end], data[tail_end:]
