"""Smooth counts as bytes: four for each pixel, the lowest one first, row by row. A pure module.

A smooth count says, in steps of 1/256, how many iterations a point needs to escape; see ``kernel_py.py``.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping

from concurrent.apps.samples.mandelbrot.view import Tile, View

__all__ = ["INSIDE", "ITERATIONS_MAX", "PARTS", "TileResult", "joined", "packed", "unpacked"]

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


def joined(view: View, result_by_tile: Mapping[Tile, TileResult]) -> bytes:
    """Return the packed counts of a picture from the results of its tiles, in whatever order these came."""
    picture = bytearray(PIXEL_BYTES * view.width * view.height)
    for tile, result in result_by_tile.items():
        data = result if isinstance(result, bytes) else packed(result)
        span = PIXEL_BYTES * len(tile.columns)
        for index, row in enumerate(tile.rows):
            start = PIXEL_BYTES * (row * view.width + tile.columns.start)
            picture[start : start + span] = data[index * span : (index + 1) * span]
    return bytes(picture)


def _little_endian(counts: array[int]) -> array[int]:
    if sys.byteorder == "big":
        counts.byteswap()
    return counts
