"""Iteration counts as bytes: two for each pixel, the lower one first, row by row. A pure module."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping

__all__ = ["COUNT_MAX", "BlockResult", "joined", "packed", "unpacked"]

COUNT_MAX = 0xFFFF

BlockResult = bytes | list[int]
"""What a task returns for its rows: compact from the optimized one, a list from the plain one."""


def packed(counts: Iterable[int]) -> bytes:
    """Return counts as bytes.

    :raises OverflowError: if one is larger than :data:`COUNT_MAX`.
    """
    return _little_endian(array("H", counts)).tobytes()


def unpacked(data: bytes) -> array[int]:
    """Return the counts that :func:`packed` made bytes of."""
    return _little_endian(array("H", data))


def joined(result_by_row: Mapping[int, BlockResult]) -> bytes:
    """Return the packed counts of a picture from the results of its blocks, by their first row."""
    blocks = (block for _row, block in sorted(result_by_row.items()))
    return b"".join(block if isinstance(block, bytes) else packed(block) for block in blocks)


def _little_endian(counts: array[int]) -> array[int]:
    if sys.byteorder == "big":
        counts.byteswap()
    return counts
