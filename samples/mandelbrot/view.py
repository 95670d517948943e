"""What part of the plane is drawn, at what size. A pure module; the only place that maps pixels to points."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Point", "View"]

Point = tuple[float, float]
"""A point of the complex plane: its real and its imaginary part."""


class View(NamedTuple):
    """A picture of square pixels. A few numbers, cheap to send.

    :param width: pixels in a row.
    :param height: rows.
    :param centre_x: real part of the point in the middle.
    :param centre_y: imaginary part of the point in the middle.
    :param view_width: how much of the real axis a row spans.
    :param iterations: a point that has not escaped after so many counts as inside; 65535 at most.
    """

    width: int
    height: int
    centre_x: float
    centre_y: float
    view_width: float
    iterations: int

    def xs(self) -> array[float]:
        """Return the real part of each column's pixel centre, from left to right."""
        step = self.view_width / self.width
        middle = (self.width - 1) / 2
        return array("d", (self.centre_x + (column - middle) * step for column in range(self.width)))

    def ys(self, rows: range) -> array[float]:
        """Return the imaginary part of the pixel centres of these rows; row 0 is at the top."""
        step = self.view_width / self.width
        middle = (self.height - 1) / 2
        return array("d", (self.centre_y + (middle - row) * step for row in rows))

    def points(self, rows: range) -> list[Point]:
        """Return the point of every pixel of these rows: bulky, and what the plain task carries."""
        xs = self.xs()
        return [(x, y) for y in self.ys(rows) for x in xs]

    def blocks(self, rows_per_block: int) -> Iterator[range]:
        """Cut the picture into blocks of rows, from top to bottom; the last one may be smaller."""
        for first in range(0, self.height, rows_per_block):
            yield range(first, min(first + rows_per_block, self.height))

    def block_count(self, rows_per_block: int) -> int:
        """Return how many blocks :meth:`blocks` cuts the picture into."""
        return math.ceil(self.height / rows_per_block)
