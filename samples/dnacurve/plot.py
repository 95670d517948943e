"""The analysis as a picture: curves along the sequence, and the helix from three sides. SVG 1.1, W3C 2011."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from .analysis import Analysis

__all__ = ["write_svg"]

NAMESPACE = "http://www.w3.org/2000/svg"
WIDTH, HEIGHT = 900, 640
SIDE = 250
"""The width and height of one view of the helix."""
COLUMNS_MAX = 800
"""A longer curve is drawn by the least and the greatest value of each column."""
STRANDS_BASES_MAX = 600
"""The two strands of a longer helix would be a blot, and are left out."""


class Curve(NamedTuple):
    """A line along the sequence."""

    label: str
    colour: str
    width: float
    window: int
    values: Sequence[float]


class Box(NamedTuple):
    """A part of the picture, in its units."""

    left: float
    top: float
    width: float
    height: float


def write_svg(path: Path, title: str, analysis: Analysis) -> None:
    """Write the picture.

    :param title: what it says on top.
    :raises OSError: if the file cannot be written.
    """
    scales = analysis.windows.scales(analysis.model.rise)
    curves = [
        Curve(f"{label} / {scale:.4f} [{window}]", colour, width, window, values)
        for (label, colour, width), scale, window, values in zip(
            (("Curvature", "#c22", 1.4), ("Bend angle", "#333", 0.5), ("Curvature angle", "#24c", 1.4)),
            scales,
            analysis.windows,
            (analysis.curvature, analysis.bend, analysis.curve),
            strict=True,
        )
    ]
    lines = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(24, 28, title, size=16),
        *_views(analysis),
        *_chart(curves, len(analysis.sequence), Box(60, 372, WIDTH - 90, 210)),
        "</svg>",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _views(analysis: Analysis) -> Iterator[str]:
    """Yield the helix seen along y, x and z; all in the same scale, the strands only of a short one."""
    shape = analysis.shape
    lines = [("#333", shape.axis)]
    if len(analysis.sequence) <= STRANDS_BASES_MAX:
        lines = [("#c22", shape.strand), ("#24c", shape.antistrand), *lines]
    reach = 1.05 * max(max(map(abs, points)) for _colour, points in lines) or 1.0
    for index, (name, right, up) in enumerate((("XZ", 0, 2), ("ZY", 2, 1), ("XY", 0, 1))):
        left, top = 36 + index * 285, 66
        yield _text(left + SIDE / 2, top - 8, f"{name[0]}-{name[1]}", anchor="middle")
        for colour, points in lines:
            pairs = zip(points[right::3], points[up::3], strict=True)
            places = (
                (left + SIDE / 2 * (1 + x / reach), top + SIDE / 2 * (1 - y / reach))
                for x, y in _thinned(list(pairs))
            )
            yield _line(places, colour, 1.0)
        for end, base in (("5'", 0), ("3'", len(analysis.sequence) - 1)):
            x, y = shape.axis[3 * base + right], shape.axis[3 * base + up]
            place = left + SIDE / 2 * (1 + x / reach) + 6, top + SIDE / 2 * (1 - y / reach) + 4
            yield _text(*place, end, size=11)
    yield _text(36, 66 + SIDE + 18, f"{2 * reach:.0f} \u00c5 from edge to edge of each view", size=11)


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return every n-th point of a long path, and its last one."""
    step = 1 + len(points) // (10 * COLUMNS_MAX)
    return [*points[::step], points[-1]]


def _chart(curves: list[Curve], size: int, box: Box) -> Iterator[str]:
    """Yield axes, curves and legend; 1 is the curvature in a nucleosome."""
    top_value = max(1.0, *(max(curve.values) for curve in curves))
    bottom = box.top + box.height
    for value in (0.0, 0.5, 1.0):
        y = bottom - box.height * value / top_value
        yield _text(box.left - 8, y + 4, f"{value:g}", anchor="end", size=11)
        yield _line([(box.left, y), (box.left + box.width, y)], "#bbb", 0.6)
    for base in range(0, size + 1, _tick(size)):
        yield _text(box.left + box.width * base / size, bottom + 17, str(base), anchor="middle", size=11)
    yield _text(box.left + box.width / 2, bottom + 38, "base", anchor="middle")
    for index, curve in enumerate(curves):
        inner = range(curve.window, size - curve.window)
        if inner:
            places = (
                (box.left + box.width * base / size, bottom - box.height * value / top_value)
                for base, value in _envelope(curve.values, inner)
            )
            yield _line(places, curve.colour, curve.width)
        yield _text(box.left + 8 + 240 * index, box.top - 8, curve.label, colour=curve.colour, size=12)


def _tick(size: int) -> int:
    """Return a round number of bases of which four to ten fit into the sequence, as far as it has so many."""
    power = int(10 ** int(math.log10(size)))
    return next((step for step in (2 * power, power, power // 2, power // 5) if 4 * step <= size), 1) or 1


def _envelope(values: Sequence[float], bases: range) -> Iterator[tuple[int, float]]:
    """Yield all values, or of a long curve the least and the greatest of each column."""
    if len(bases) <= 2 * COLUMNS_MAX:
        yield from ((base, values[base]) for base in bases)
        return
    for column in range(COLUMNS_MAX):
        part = bases[len(bases) * column // COLUMNS_MAX : len(bases) * (column + 1) // COLUMNS_MAX]
        numbers = values[part.start : part.stop]
        yield part.start, min(numbers)
        yield part.start, max(numbers)


def _line(places: Iterable[tuple[float, float]], colour: str, width: float) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
