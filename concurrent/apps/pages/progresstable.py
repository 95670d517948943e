"""How far each function of each job is, with a button to cancel it. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from concurrent.apps.columns import Column, Link, Share, count, shortened
from concurrent.apps.observed import FAILED, CountsStatus, ProgressRow
from concurrent.apps.pages.elements import Node
from concurrent.apps.pages.tables import Table
from concurrent.apps.pages.viewer import Viewer
from concurrent.transport.web.contents import address

__all__ = ["job_link", "progress_table", "tasks_link"]


class Line(NamedTuple):
    """A row, and who sees it."""

    row: ProgressRow
    viewer: Viewer


def job_link(job: str, job_id: str = "") -> Link:
    """Return what a job is called, which leads to its page."""
    return Link(shortened(job), address("/job", {"job": job_id or job}))


def tasks_link(text: str, **wanted: str) -> Link:
    """Return a text that leads to a list of tasks."""
    return Link(text, address("/tasks", wanted))


def progress_table(
    rows: Sequence[ProgressRow], viewer: Viewer, *, title: str = "Progress", left_out: int = 0
) -> list[Node]:
    """Return the rows as a section of a page."""
    lines = [Line(row, viewer) for row in rows]
    table: Table[Line] = Table("progress", title, COLUMNS, lambda line: (line.row.owner, line.row.function))
    return table.shown(lines, viewer.path, viewer.query, left_out=left_out)


def _function(line: Line) -> Link:
    row = line.row
    return tasks_link(row.function or "other tasks", function=row.function, job=row.job)


def _share(counts: CountsStatus) -> Share:
    return Share(counts.total - counts.open, counts.total, counts.failed)


def _failed(line: Line) -> Link | int:
    row = line.row
    if not row.counts.failed:
        return 0
    return tasks_link(count(row.counts.failed), function=row.function, job=row.job, state=FAILED)


def _cancel(line: Line) -> list[Node]:
    row = line.row
    if not row.counts.open or not row.function:
        return []
    what = f"the {count(row.counts.open)} open tasks {row.function!r} of {row.job}"
    button = line.viewer.button(
        "Cancel",
        "cancel_tasks",
        f"Cancel {what}? What runs is ended, and nothing of it is tried again.",
        name=what,
        job=row.job_id or row.job,
        function=row.function,
    )
    return [button] if button is not None else []


COLUMNS: Final[tuple[Column[Line], ...]] = (
    Column("function", _function),
    Column("job", lambda line: job_link(line.row.job, line.row.job_id)),
    Column("done", lambda line: _share(line.row.counts)),
    Column("running", lambda line: line.row.counts.running, count),
    Column("waiting", lambda line: line.row.counts.waiting + line.row.counts.between_tries, count),
    Column("finished", lambda line: line.row.counts.finished, count),
    Column("failed", _failed, count),
    Column("cancelled", lambda line: line.row.counts.cancelled, count),
    Column("", _cancel),
)
