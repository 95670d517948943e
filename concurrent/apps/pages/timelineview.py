"""What ran where: a picture that its script draws, and the same as a table by function. A pure module."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Final, NamedTuple

from concurrent.apps.columns import Column, Link, count, duration
from concurrent.apps.observed import FunctionRow, TimelineStatus, WorkersList
from concurrent.apps.pages.elements import Node, element
from concurrent.apps.pages.parts import section
from concurrent.apps.pages.progresstable import job_link, tasks_link
from concurrent.apps.pages.tables import LINES_MAX, Table, search_form
from concurrent.apps.pages.viewer import Viewer

__all__ = ["timeline_view"]

SPAN_S: Final = 300.0
"""So much time the table is about."""

RUNNING_S_MIN: Final = 1.0
RUNNING_MAX: Final = 2000
"""What has run for so long is drawn before it has ended, and so many of these."""

HOW: Final = (
    "Drag to move in time, turn the wheel with Ctrl to zoom. By keyboard: arrows move, + and - zoom, Home "
    "shows all, End leads to now. A bar is one run of a task, or several short ones; failed ones are "
    "hatched, what runs now is pale."
)


class Sum(NamedTuple):
    """What is shown of a function."""

    function: FunctionRow
    runs: int
    failed: int
    busy_s: float
    longest_s: float
    lanes: int


def timeline_view(viewer: Viewer) -> list[Node]:
    """Return the timeline of a master."""
    timeline = viewer.ask(TimelineStatus, "timeline", start_at=viewer.now - SPAN_S, stop_at=viewer.now)
    slave = viewer.query.get("slave", "")
    return [
        search_form(viewer.path, viewer.query, "slave", "Slave"),
        section(
            "timeline",
            "Timeline",
            element("p", HOW, id="timeline-how", class_="soft scripts-only"),
            element(
                "div",
                id="bars",
                class_="timeline",
                data_live=True,
                data_slave=slave,
                data_now=viewer.now,
                data_running=json.dumps(_running(viewer), separators=(",", ":")),
            ),
            element("p", element("a", "Download trace", href="/trace.json", download="trace.json")),
        ),
        *TABLE.shown(_sums(timeline, slave), viewer.path, viewer.query),
    ]


def _running(viewer: Viewer) -> list[tuple[str, int, str, str, float]]:
    """Return what runs now: slave, process, job, function, and since when."""
    workers = viewer.ask(WorkersList, "workers", limit=LINES_MAX)
    return [
        (slave.name, one.pid, one.job, one.name, one.since_at)
        for slave in workers.items
        for one in slave.processes
        if one.task >= 0 and viewer.now - one.since_at >= RUNNING_S_MIN
    ][:RUNNING_MAX]


def _sums(timeline: TimelineStatus, slave: str) -> Iterable[Sum]:
    found: dict[int, list[tuple[int, float, float, int, int]]] = defaultdict(list)
    for lane, function, _at, duration_s, busy_s, runs, failed in timeline.items:
        if slave.casefold() in timeline.lanes[lane].slave.casefold():
            found[function].append((lane, duration_s, busy_s, runs, failed))
    for function, bars in found.items():
        yield Sum(
            timeline.functions[function],
            sum(runs for *_, runs, _failed in bars),
            sum(failed for *_, failed in bars),
            sum(busy_s for _, _, busy_s, _, _ in bars),
            max(busy_s / max(runs, 1) for _, _, busy_s, runs, _ in bars),
            len({lane for lane, *_ in bars}),
        )


def _tasks(line: Sum) -> Link:
    row = line.function
    return tasks_link(row.name or "other tasks", function=row.name, job=row.job)


TABLE: Final[Table[Sum]] = Table(
    "functions",
    "The last 5 minutes by function",
    (
        Column("function", _tasks),
        Column("job", lambda line: job_link(line.function.job) if line.function.job else ""),
        Column("runs", lambda line: line.runs, count),
        Column("failed", lambda line: line.failed, count),
        Column("took together", lambda line: line.busy_s, duration),
        Column("a run takes", lambda line: line.busy_s / max(line.runs, 1), duration),
        Column("the longest", lambda line: line.longest_s, duration),
        Column("workers", lambda line: line.lanes, count),
    ),
    lambda line: (line.function.owner, line.function.name),
    "Nothing has run in the last 5 minutes.",
)
