"""Figures over time as small charts. A pure module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from concurrent.apps.pages.elements import Element, element

__all__ = ["Point", "chart"]

WIDTH: Final = 300
HEIGHT: Final = 60
POINTS_MAX: Final = 150
"""More points than that nobody sees in a small chart."""


class Point(NamedTuple):
    """A figure at a time, in seconds since the epoch."""

    at: float
    value: float


def chart(
    title: str, points: Sequence[Point], start_at: float, stop_at: float, shown: Callable[[float], str]
) -> Element:
    """Return a chart of the time from ``start_at`` to ``stop_at``.

    Its text says the last figure and the largest one, for those who do not see it.

    :param points: one at least, in the order of time; where some are missing the line has a gap.
    :param shown: makes text of a figure.
    """
    most = max(point.value for point in points)
    said = f"{shown(points[-1].value)} now, {shown(most)} at most"
    lines = [_line(run, start_at, stop_at, most) for run in _runs(_thinned(points))]
    picture = element(
        "svg",
        *lines,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{title}: {said}",
    )
    return element("div", element("h3", title), picture, element("p", said, class_="soft"), class_="chart")


def _thinned(points: Sequence[Point]) -> list[Point]:
    """Return at most ``POINTS_MAX`` points; each stands for some next to it, with their largest figure."""
    step = -(-len(points) // POINTS_MAX) or 1
    parts = (points[start : start + step] for start in range(0, len(points), step))
    return [Point(part[-1].at, max(point.value for point in part)) for part in parts]


def _runs(points: Sequence[Point]) -> list[list[Point]]:
    """Return the points in runs without a gap."""
    if len(points) < 3:
        return [list(points)]
    steps = sorted(after.at - before.at for before, after in pairwise(points))
    gap = 2.5 * steps[len(steps) // 2]
    number, numbers = 0, [0]
    for before, after in pairwise(points):
        number += after.at - before.at > gap
        numbers.append(number)
    paired = groupby(zip(numbers, points, strict=True), key=lambda pair: pair[0])
    return [[point for _, point in group] for _, group in paired]


def _line(points: Sequence[Point], start_at: float, stop_at: float, most: float) -> Element:
    span = max(stop_at - start_at, 1e-9)
    places = (
        (WIDTH * (point.at - start_at) / span, HEIGHT * (1 - 0.95 * point.value / (most or 1)))
        for point in points
    )
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places))
