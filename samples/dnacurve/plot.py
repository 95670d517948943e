"""The analysis as a picture: curves along the sequence, and the helix from three sides. SVG 1.1, W3C 2011."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from .analysis import Analysis
from .bent import Stretch, a_tracts
from .labels import Box, free_place, text_box

__all__ = ["write_svg"]

NAMESPACE = "http://www.w3.org/2000/svg"
WIDTH, HEIGHT = 900, 640
SIDE = 250
"""The width and height of one view of the helix."""
COLUMNS_MAX = 800
"""A longer curve is drawn by the least and the greatest value of each column."""
MARK = "#fe9"
STRANDS_BASES_MAX = 600
"""The two strands of a longer helix would be a blot, and are left out."""


Places = list[tuple[float, float]]
"""Points in the units of the picture."""


class Curve(NamedTuple):
    """A line along the sequence."""

    label: str
    colour: str
    width: float
    window: int
    values: Sequence[float]


def write_svg(path: Path, title: str, analysis: Analysis, stretch: Stretch | None = None) -> None:
    """Write the picture.

    :param title: what it says on top.
    :param stretch: the most bent one, which is marked.
    :raises OSError: if the file cannot be written.
    """
    windows = analysis.windows
    curves = [
        Curve(f"curvature, window {windows.curvature}", "#c22", 1.4, windows.curvature, analysis.curvature),
        Curve(f"bend angle, window {windows.bend}", "#333", 0.5, windows.bend, analysis.bend),
        Curve(f"curvature angle, window {windows.curve}", "#24c", 1.4, windows.curve, analysis.curve),
    ]
    bases = range(0) if stretch is None else stretch.bases
    lines = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(24, 28, title, size=16),
        *_views(analysis, bases),
        *_chart(curves, analysis.sequence, bases, Box(60, 392, WIDTH - 90, 200)),
        "</svg>",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _views(analysis: Analysis, bases: range) -> Iterator[str]:
    """Yield the helix seen along y, x and z; all in the same scale, the strands only of a short one.

    :param bases: that are marked.
    """
    shape = analysis.shape
    lines = [("#333", shape.axis)]
    if len(analysis.sequence) <= STRANDS_BASES_MAX:
        lines = [("#c22", shape.strand), ("#24c", shape.antistrand), *lines]
    reach = 1.05 * max(max(map(abs, points)) for _colour, points in lines) or 1.0
    for index, (name, right, up) in enumerate((("XZ", 0, 2), ("ZY", 2, 1), ("XY", 0, 1))):
        view = Box(36 + index * 285, 66, SIDE, SIDE)

        def seen(points: Sequence[float], view: Box = view, right: int = right, up: int = up) -> Places:
            """Return where points lie in the view."""
            pairs = zip(points[right::3], points[up::3], strict=True)
            return [
                (view.left + SIDE / 2 * (1 + x / reach), view.top + SIDE / 2 * (1 - y / reach))
                for x, y in pairs
            ]

        yield _text(view.left + SIDE / 2, view.top - 8, f"{name[0]}-{name[1]}", anchor="middle")
        if bases:
            yield _line(seen(shape.axis[3 * bases.start : 3 * bases.stop]), MARK, 9.0)
        for colour, points in lines:
            yield _line(_thinned(seen(points)), colour, 1.0)
        drawn = _thinned([place for _colour, points in lines for place in seen(points)])
        yield from _ends(seen(shape.axis), drawn)
    told = f"each view is {2 * reach:.0f} \u00c5 wide"
    if bases:
        told += f"; yellow: the most bent {len(bases)} bases, {bases.start + 1} to {bases.stop}"
    yield _text(36, 66 + SIDE + 20, told, size=11)


def _ends(axis: Places, drawn: Places) -> Iterator[str]:
    """Yield the names of both ends, where they hide no more of the helix than they must."""
    taken: list[Box] = []
    for name, place in (("5'", axis[0]), ("3'", axis[-1])):
        x, y = free_place(place, name, 11, taken, drawn)
        taken.append(text_box(x, y, name, 11))
        yield _text(x, y, name, size=11)


def _thinned(points: Places) -> Places:
    """Return every n-th point of a long path, and its last one."""
    step = 1 + len(points) // (10 * COLUMNS_MAX)
    return [*points[::step], points[-1]]


def _chart(curves: list[Curve], sequence: str, bases: range, box: Box) -> Iterator[str]:
    """Yield axes, curves, legend, and the A-tracts below; 1 is the curvature in a nucleosome.

    :param bases: that are marked.
    """
    size = len(sequence)
    top_value = max(1.0, *(max(curve.values) for curve in curves))
    bottom = box.top + box.height

    def x_of(base: float) -> float:
        return box.left + box.width * base / size

    def y_of(value: float) -> float:
        return bottom - box.height * value / top_value

    if bases:
        yield _bar(Box(x_of(bases.start), box.top, x_of(len(bases)) - box.left, box.height), MARK)
    for value in (0.0, 0.5, 1.0):
        yield _text(box.left - 8, y_of(value) + 4, f"{value:g}", anchor="end", size=11)
        yield _line([(box.left, y_of(value)), (box.left + box.width, y_of(value))], "#bbb", 0.6)
    for tract in a_tracts(sequence):
        yield _bar(Box(x_of(tract.start), bottom + 5, x_of(len(tract)) - box.left, 6), "#282")
    for base in range(0, size + 1, _tick(size)):
        yield _text(x_of(base), bottom + 26, str(base), anchor="middle", size=11)
    yield _text(box.left + box.width / 2, bottom + 44, "base", anchor="middle")
    for curve in curves:
        inner = range(curve.window, size - curve.window)
        if inner:
            places = [(x_of(base), y_of(value)) for base, value in _envelope(curve.values, inner)]
            yield _line(places, curve.colour, curve.width)
    left = box.left + 8
    for label, colour in (*((curve.label, curve.colour) for curve in curves), ("A-tracts", "#282")):
        yield _text(left, box.top - 10, label, colour=colour, size=12)
        left += text_box(0, 0, label, 12).width + 10
    yield _text(box.left + box.width, box.top - 10, "1: DNA around a nucleosome", anchor="end", size=11)


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


def _bar(box: Box, colour: str) -> str:
    left, top, width, height = (f"{number:.1f}" for number in box)
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, colour: str = "#222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">'
        f"{escape(text)}</text>"
    )
