"""What part of the plane is drawn, at what size. A pure module; the only place that maps pixels to points."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Point", "Tile", "View"]

Point = tuple[float, float]
"""A point of the complex plane: its real and its imaginary part."""


class Tile(NamedTuple):
    """A rectangle of a picture.

    :param rows: counted from the top.
    :param columns: counted from the left.
    """

    rows: range
    columns: range


class View(NamedTuple):
    """A picture of square pixels. A few numbers, cheap to send.

    :param width: pixels in a row.
    :param height: rows.
    :param centre_x: real part of the point in the middle.
    :param centre_y: imaginary part of the point in the middle.
    :param view_width: how much of the real axis a row spans.
    :param iterations: a point that has not escaped after so many counts as inside; 16,777,215 at most.
    """

    width: int
    height: int
    centre_x: float
    centre_y: float
    view_width: float
    iterations: int

    @property
    def step(self) -> float:
        """How far apart neighbouring pixels are."""
        return self.view_width / self.width

    @property
    def step_min(self) -> float:
        """How far apart doubles are around the centre; closer pixels are not distinguished."""
        return math.ulp(max(abs(self.centre_x), abs(self.centre_y)))

    def xs(self, columns: range) -> array[float]:
        """Return the real part of the pixel centres of these columns; column 0 is on the left."""
        middle, step, centre_x = (self.width - 1) / 2, self.step, self.centre_x
        return array("d", [centre_x + (column - middle) * step for column in columns])

    def ys(self, rows: range) -> array[float]:
        """Return the imaginary part of the pixel centres of these rows; row 0 is at the top."""
        middle, step, centre_y = (self.height - 1) / 2, self.step, self.centre_y
        return array("d", [centre_y + (middle - row) * step for row in rows])

    def points(self, tile: Tile) -> list[Point]:
        """Return the point of every pixel of a tile: bulky, and what the plain task carries."""
        xs = self.xs(tile.columns)
        return [(x, y) for y in self.ys(tile.rows) for x in xs]

    def rows_for(self, count: int) -> int:
        """Return how many rows a tile has if the picture is cut into about so many; at least 1."""
        return -(-self.height // max(1, count))

    def tiles(self, rows: int, columns: int) -> list[Tile]:
        """Cut the picture into tiles, row by row from top to bottom; the last ones may be smaller.

        :param rows: how many rows a tile has.
        :param columns: how many columns a tile has; 0 for all.
        """
        return [
            Tile(tile_rows, tile_columns)
            for tile_rows in _cut(self.height, rows)
            for tile_columns in _cut(self.width, columns or self.width)
        ]


def _cut(size: int, part: int) -> Iterator[range]:
    for first in range(0, size, part):
        yield range(first, min(first + part, size))
