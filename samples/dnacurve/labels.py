"""Where texts go in a picture, so that none covers another. A pure module."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = ["Box", "free_place", "text_box"]

DIRECTIONS = 16
LETTER_WIDTH = 0.62
"""How wide letters of a sans-serif font are at most, on average, by their size."""


class Box(NamedTuple):
    """A part of a picture, in its units; y grows downwards."""

    left: float
    top: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Return whether the two have anything in common."""
        return (
            self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )

    def holds(self, point: tuple[float, float]) -> bool:
        """Return whether a point is in it."""
        x, y = point
        return self.left <= x <= self.left + self.width and self.top <= y <= self.top + self.height


def text_box(x: float, y: float, text: str, size: float, anchor: str = "start") -> Box:
    """Return the room that a text needs, rather too much than too little.

    :param y: of its base line.
    :param anchor: ``start``, ``middle`` or ``end``: what of the text is at x.
    """
    width = LETTER_WIDTH * size * len(text)
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
    return Box(x - share * width, y - 0.8 * size, width, size)


def free_place(
    point: tuple[float, float],
    text: str,
    size: float,
    taken: Sequence[Box],
    drawn: Iterable[tuple[float, float]],
) -> tuple[float, float]:
    """Return where a text at a point begins, so that it covers no other text, and as little else as can be.

    :param taken: where other texts are.
    :param drawn: points of lines.
    """
    points = list(drawn)
    width = LETTER_WIDTH * size * len(text)

    def covered(place: tuple[float, float]) -> int:
        box = text_box(*place, text, size)
        return 1000 * sum(map(box.meets, taken)) + sum(map(box.holds, points))

    places = [
        (
            point[0] + distance * math.cos(angle) - width / 2,
            point[1] + distance * math.sin(angle) + 0.3 * size,
        )
        for distance in (size, 1.5 * size, 2 * size, 3 * size)
        for angle in (2 * math.pi * step / DIRECTIONS for step in range(DIRECTIONS))
    ]
    return min(places, key=covered)
