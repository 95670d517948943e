"""Draws speed-ups over the number of workers as SVG 1.1 (W3C, 2011). A pure module."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from concurrent.apps.samples.shared.amdahl import speed_up

from .results import PRESENTED_N, PRESENTED_P, PRESENTED_S, Series

__all__ = ["svg_of"]

WIDTH, HEIGHT = 720, 480
LEFT, RIGHT, TOP, BOTTOM = 60, 460, 40, 420
"""Where the plot begins and ends, in pixels; the legend is to its right."""
COLOUR_BY_KIND = {"wait": "#c2560c", "work": "#1d5fa8"}
GREY = "#777"
CURVE_STEPS = 60
OPENING = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
    f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
)


def svg_of(all_series: Sequence[Series]) -> str:
    """Return the picture: measured points, Amdahl's law fitted to each series, the ideal, and the past."""
    n_max = max(PRESENTED_N, *(row.step.workers for series in all_series for row in series.rows))
    plot = _Plot(n_max)
    parts = [
        OPENING,
        "<title>Speed-up over the number of workers</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *plot.axes(),
        plot.curve(lambda n: n, GREY, "2 3"),
        plot.curve(lambda n: speed_up(PRESENTED_P, n), GREY, "7 4"),
        _mark(*plot.at(PRESENTED_N, PRESENTED_S), GREY, "presented"),
    ]
    for series in all_series:
        share = series.parallel_share()
        colour = COLOUR_BY_KIND[series.kind]
        if not math.isnan(share):
            parts.append(plot.curve(_law(share), colour, "none" if series.mode == "system" else "4 2"))
        parts += [_mark(*plot.at(n, s), colour, series.mode) for n, s in series.points().items()]
    return "\n".join([*parts, *_legend(all_series), "</svg>\n"])


def _law(share: float) -> Callable[[float], float]:
    return lambda n: speed_up(share, n)


class _Plot:
    """Maps N and S to pixels. Both axes begin at 0 and have the same scale, so the ideal is the diagonal."""

    def __init__(self, n_max: int) -> None:
        self.n_max = n_max

    def at(self, n: float, s: float) -> tuple[float, float]:
        """Return where a point is."""
        x = LEFT + (RIGHT - LEFT) * n / self.n_max
        y = BOTTOM - (BOTTOM - TOP) * s / self.n_max
        return x, y

    def axes(self) -> Iterator[str]:
        """Return grid, numbers and names of the axes."""
        for value in range(0, self.n_max + 1, max(1, self.n_max // 8)):
            x, y = self.at(value, value)
            yield f'<path d="M{x:.1f} {TOP}V{BOTTOM}M{LEFT} {y:.1f}H{RIGHT}" stroke="#e4e4e4"/>'
            yield _text(x, BOTTOM + 18, str(value), "middle")
            yield _text(LEFT - 8, y + 4, str(value), "end")
        yield f'<path d="M{LEFT} {TOP}V{BOTTOM}H{RIGHT}" stroke="#333" fill="none"/>'
        yield _text((LEFT + RIGHT) / 2, BOTTOM + 40, "workers N", "middle")
        yield _text(LEFT, TOP - 14, "speed-up S(N)", "middle")

    def curve(self, law: Callable[[float], float], colour: str, dashes: str) -> str:
        """Return the curve of a law from N = 1 on."""
        ns = [1 + (self.n_max - 1) * step / CURVE_STEPS for step in range(CURVE_STEPS + 1)]
        points = " ".join("{:.1f},{:.1f}".format(*self.at(n, law(n))) for n in ns)
        return _line(points, colour, dashes)


def _legend(all_series: Sequence[Series]) -> Iterator[str]:
    x, y = RIGHT + 20, TOP + 10
    for series in all_series:
        colour = COLOUR_BY_KIND[series.kind]
        share = series.parallel_share()
        fit = "" if math.isnan(share) else f"P = {share:.3f}"
        yield _line(f"{x},{y} {x + 30},{y}", colour, "none" if series.mode == "system" else "4 2")
        yield _mark(x + 15, y, colour, series.mode)
        yield _text(x + 38, y + 4, series.title)
        yield _text(x + 38, y + 20, fit)
        y += 44
    yield _line(f"{x},{y} {x + 30},{y}", GREY, "7 4")
    yield _mark(x + 15, y, GREY, "presented")
    yield _text(x + 38, y + 4, f"presented: S = {PRESENTED_S}, N = {PRESENTED_N}")
    yield _text(x + 38, y + 20, f"P = {PRESENTED_P}")
    y += 44
    yield _line(f"{x},{y} {x + 30},{y}", GREY, "2 3")
    yield _text(x + 38, y + 4, "ideal, S = N")
    yield _text(x, y + 44, "curves: S(N) = 1 / ((1 - P) + P / N)")


def _line(points: str, colour: str, dashes: str) -> str:
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-dasharray="{dashes}"/>'


def _mark(x: float, y: float, colour: str, kind: str) -> str:
    """Return a full circle for a task system, an empty one for plain tasks, a diamond for the past."""
    if kind == "presented":
        return f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="{colour}"/>'
    fill, radius = (colour, 4) if kind == "system" else ("white", 5)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" fill-opacity="0.8" stroke="{colour}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222">{text}</text>'
