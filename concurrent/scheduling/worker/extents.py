"""Which parts of a stretch of memory are free. Pure."""

from __future__ import annotations

from bisect import bisect
from typing import Final

__all__ = ["GRAIN_BYTES", "Extents", "whole_bytes"]

GRAIN_BYTES: Final = 65536
"""Every extent begins at a multiple of this, and so has pages of its own."""

SIZES_PER_DOUBLING: Final = 8


def whole_bytes(size_bytes: int) -> int:
    """Return the size of the extent for so many bytes: whole grains, and at most an eighth more than these."""
    step = max(GRAIN_BYTES, (1 << size_bytes.bit_length()) // (2 * SIZES_PER_DOUBLING))
    return size_bytes + -size_bytes % step


class Extents:
    """Gives parts of a stretch of bytes away, the first free one that is large enough. One thread.

    :param size_bytes: the length of the stretch, a multiple of ``GRAIN_BYTES``.
    """

    def __init__(self, size_bytes: int) -> None:
        self._free = [(0, size_bytes)]  # beginning and end, in order; no two touch
        self._end_by_start: dict[int, int] = {}

    def take(self, size_bytes: int) -> int | None:
        """Return where there are so many bytes, which are taken now; None if they are nowhere in a row."""
        size_bytes = whole_bytes(size_bytes)
        for index, (start, end) in enumerate(self._free):
            rest = start + size_bytes
            if rest <= end:
                self._free[index : index + 1] = [(rest, end)] if rest < end else []
                self._end_by_start[start] = rest
                return start
        return None

    def give_back(self, start: int) -> None:
        """Free what was taken there.

        :raises KeyError: if nothing was.
        """
        end = self._end_by_start.pop(start)
        first = last = bisect(self._free, (start, end))
        if last < len(self._free) and self._free[last][0] == end:
            end = self._free[last][1]
            last += 1
        if first and self._free[first - 1][1] == start:
            first -= 1
            start = self._free[first][0]
        self._free[first:last] = [(start, end)]
