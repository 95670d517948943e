"""Figures of a cluster over time, on its first page. A pure module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from concurrent.apps.columns import size
from concurrent.apps.observed import SeriesStatus
from concurrent.apps.pages.charts import Point, chart
from concurrent.apps.pages.elements import Node, element
from concurrent.apps.pages.parts import section
from concurrent.apps.pages.viewer import Viewer

__all__ = ["series_section"]

DAY: Final = "day"
"""What the field ``span`` of the address says for a day; else it is a quarter of an hour."""


class Span(NamedTuple):
    """How much time charts show, and how far its points are apart."""

    name: str
    resolution_s: float
    span_s: float


QUARTER: Final = Span("15 minutes", 1.0, 900.0)
WHOLE_DAY: Final = Span("24 hours", 60.0, 86400.0)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _bytes(value: float) -> str:
    return size(int(value))


CHARTS: Final[tuple[tuple[str, str, Callable[[float], str]], ...]] = (
    ("busy", "Workers busy", _number),
    ("finished_per_s", "Tasks finished in a second", _number),
    ("failed_per_s", "Tasks failed in a second", _number),
    ("waiting", "Tasks waiting", _number),
    ("cpu", "Cores used by workers", _number),
    ("memory_bytes", "Memory of workers", _bytes),
)
"""What is shown: the name of the figure, its title, and how it becomes text."""


def series_section(viewer: Viewer) -> list[Node]:
    """Return the charts as a section of a page; nothing while there are no figures."""
    span = WHOLE_DAY if viewer.query.get("span") == DAY else QUARTER
    series = viewer.ask(SeriesStatus, "series", resolution_s=span.resolution_s)
    other = (
        element("a", f"Show {QUARTER.name}", href=viewer.here(span=None))
        if span is WHOLE_DAY
        else element("a", f"Show {WHOLE_DAY.name}", href=viewer.here(span=DAY))
    )
    earliest = viewer.now - span.span_s
    first = next((row[0] for row in series.items if row[0] >= earliest), earliest)
    charts = [
        chart(title, points, first, viewer.now, shown)
        for name, title, shown in CHARTS
        if (points := _points(series, name, earliest))
    ]
    if not charts:
        return []
    return [
        section(
            "series", f"The last {span.name}", element("p", other), element("div", *charts, class_="charts")
        )
    ]


def _points(series: SeriesStatus, name: str, start_at: float) -> Sequence[Point]:
    """Return the points of a figure; none if the master has no figure of that name."""
    if name not in series.names:
        return ()
    column = series.names.index(name)
    return [Point(row[0], row[column]) for row in series.items if row[0] >= start_at]
