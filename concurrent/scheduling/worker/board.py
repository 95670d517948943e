"""How far the task of a worker is: one record in memory, which the worker writes and its slave reads.

So a task that says how far it is waits for nobody, and what it said last is there even if it is killed. Any
thread may write, and processes that a task forks: so a record has a checksum, and one that is being written is
read the next time. Nothing that is read is trusted.
"""

from __future__ import annotations

import struct
from math import isfinite
from typing import Final
from zlib import crc32

from concurrent.scheduling.tasks.current import TaskProgress

__all__ = ["BOARD_BYTES", "TEXT_BYTES_MAX", "as_number", "packed_record", "read_record"]

BOARD_BYTES: Final = 512
TEXT_BYTES_MAX: Final = 400

CHECKSUM: Final = struct.Struct("!I")
RECORD: Final = struct.Struct("!QddH")
"""Number of the task, done, total, and bytes of the text, which follows."""

EXACT_MAX: Final = float(1 << 53)


def packed_record(number: int, done: float, total: float, text: str) -> bytes:
    """Return a record; of a long text the beginning.

    :raises ValueError: if these are no numbers.
    :raises TypeError: likewise.
    :raises OverflowError: if one is too large.
    """
    done, total = float(done), float(total)
    if not (isfinite(done) and isfinite(total)):
        raise ValueError(f"progress is told in numbers, but is {done!r} of {total!r}")
    data = text.encode("utf-8", "replace")[:TEXT_BYTES_MAX]
    body = RECORD.pack(number, done, total, len(data)) + data
    return CHECKSUM.pack(crc32(body)) + body


def read_record(data: bytes) -> tuple[int, TaskProgress] | None:
    """Return the number of a task and how far it is; None if there is no whole record."""
    checksum, (number, done, total, size_bytes) = CHECKSUM.unpack_from(data), RECORD.unpack_from(data, 4)
    start = CHECKSUM.size + RECORD.size
    if size_bytes > TEXT_BYTES_MAX or crc32(data[CHECKSUM.size : start + size_bytes]) != checksum[0]:
        return None
    if not (isfinite(done) and isfinite(total)):
        return None
    text = data[start : start + size_bytes].decode("utf-8", "ignore")
    return number, TaskProgress(as_number(done), as_number(total), text)


def as_number(value: float) -> float:
    """Return a number as it was written: 3 rather than 3.0."""
    return int(value) if abs(value) <= EXACT_MAX and value == int(value) else value
