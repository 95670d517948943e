"""Smooth counts as bytes: four for each pixel, the lowest one first, row by row. A pure module.

A smooth count says, in steps of 1/256, how many iterations a point needs to escape; see ``kernel_py.py``.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable

from .view import Tile, View

__all__ = ["INSIDE", "ITERATIONS_MAX", "PARTS", "Picture", "TileResult", "packed", "unpacked"]

INSIDE = 0
"""The count of a point that did not escape; those of all others are larger."""
PARTS = 256
"""How many steps of a smooth count make one iteration."""
PIXEL_BYTES = 4
ITERATIONS_MAX = 2 ** (8 * PIXEL_BYTES) // PARTS - 1

TileResult = bytes | list[int]
"""What a task returns for its tile: compact from the optimized one, a list from the plain one."""


def packed(counts: Iterable[int]) -> bytes:
    """Return counts as bytes.

    :raises OverflowError: if one does not fit into its four bytes.
    """
    return _little_endian(array("I", counts)).tobytes()


def unpacked(data: bytes) -> array[int]:
    """Return the counts that :func:`packed` made bytes of."""
    return _little_endian(array("I", data))


class Picture:
    """The counts of a picture, put together from the results of its tiles in whatever order these come."""

    def __init__(self, view: View) -> None:
        self.counts = bytearray()
        self.tile_count = 0
        self._width = view.width
        self._size_bytes = PIXEL_BYTES * view.width * view.height

    def put(self, tile: Tile, result: TileResult) -> None:
        """Put the result of a tile into its place."""
        if not self.counts:  # only now: an empty picture is sent along with its task system
            self.counts = bytearray(self._size_bytes)
        data = result if isinstance(result, bytes) else packed(result)
        span = PIXEL_BYTES * len(tile.columns)
        if len(tile.columns) == self._width:  # whole rows lie next to one another
            span *= len(tile.rows)
        for index, start in enumerate(range(0, len(data), span)):
            place = PIXEL_BYTES * ((tile.rows.start + index) * self._width + tile.columns.start)
            self.counts[place : place + span] = data[start : start + span]
        self.tile_count += 1


def _little_endian(counts: array[int]) -> array[int]:
    if sys.byteorder == "big":
        counts.byteswap()
    return counts
