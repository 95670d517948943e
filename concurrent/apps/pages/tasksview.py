"""Lists of tasks: those that a viewer asks for, a part at a time. A pure module."""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.apps.columns import Column, count, run_time, shortened
from concurrent.apps.observed import FINISHED, RUNNING, STATES, WAITING, TaskRow, TasksList
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.apps.pages.parts import BAD, GOOD, PLAIN, toned
from concurrent.apps.pages.progresstable import job_link
from concurrent.apps.pages.tables import Table, hidden_fields
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.words import ago, lasting
from concurrent.transport.web.contents import address

__all__ = ["TASK_COLUMNS", "TaskLine", "task_link", "tasks_view"]

PART: Final = 100
"""So many are shown at a time."""

DIGITS_MAX: Final = 9
"""So long the number of a place in a list is at most."""


class TaskLine(NamedTuple):
    """A task, and when somebody looks at it, in seconds since the epoch."""

    row: TaskRow
    now: float


def task_link(row: TaskRow) -> Element:
    """Return the number of a task in its job, which leads to its page."""
    url = address("/task", {"task": row.title})
    return element("a", str(row.id), href=url, title=row.title, aria_label=f"task {row.title}")


def _state(line: TaskLine) -> Node:
    row = line.row
    tone = PLAIN if row.state in (RUNNING, WAITING) else GOOD if row.state == FINISHED else BAD
    return toned(row.state, tone)


def _when(line: TaskLine) -> str:
    row = line.row
    if row.state == RUNNING and row.since_at:
        return f"for {lasting(row.since_at, line.now)}"
    return ago(row.since_at, line.now)


TASK_COLUMNS: Final[tuple[Column[TaskLine], ...]] = (
    Column("task", lambda line: task_link(line.row)),
    Column("what", lambda line: line.row.name),
    Column("job", lambda line: job_link(line.row.job)),
    Column("state", _state),
    Column("when", _when),
    Column("ran for", lambda line: run_time(line.row.run_s, line.row.usual_s)),
    Column("slave", lambda line: shortened(line.row.slave)),
    Column("process", lambda line: line.row.worker or ""),
    Column("tried again", lambda line: line.row.tries, count),
    Column("raised", lambda line: line.row.exception),
    Column("says", lambda line: line.row.words),
)
TABLE: Final[Table[TaskLine]] = Table(
    "tasks", "Tasks", TASK_COLUMNS, lambda line: (line.row.owner, line.row.id), "There are no such tasks."
)


def tasks_view(viewer: Viewer) -> list[Node]:
    """Return the tasks that the address asks for."""
    query = viewer.query
    state, function, job = (query.get(name, "") for name in ("state", "function", "job"))
    place = query.get("offset", "")
    offset = int(place) if place.isdecimal() and len(place) <= DIGITS_MAX else 0
    tasks = viewer.ask(
        TasksList,
        "tasks",
        state=state if state in STATES else "",
        function=function,
        job=job,
        limit=PART,
        offset=offset,
    )
    lines = [TaskLine(row, viewer.now) for row in tasks.items]
    first = offset + 1 if lines else offset
    said = (
        f"{count(tasks.total)} tasks, shown are {count(first)} to {count(offset + len(lines))}."
        if lines
        else ""
    )
    unknown = tasks.total - tasks.known
    if unknown > 0:
        said += f" Of {count(unknown)} only the number is known: the latest and those that failed are kept."
    above = [_form(viewer, state), *([element("p", said.strip(), class_="more")] if said else [])]
    return [*TABLE.shown(lines, viewer.path, query, above=above), *_turning(viewer, offset, tasks.known)]


def _form(viewer: Viewer, state: str) -> Element:
    states = [
        element("option", name or "any", value=name, selected=name == state or None) for name in ("", *STATES)
    ]
    fields = [
        element("label", "State ", element("select", *states, name="state")),
        *(
            element("label", f"{label} ", element("input", name=name, value=viewer.query.get(name, "")))
            for name, label in (("function", "Function"), ("job", "Job"))
        ),
    ]
    kept = hidden_fields(viewer.query, {"state", "function", "job", "offset"})
    show = element("button", "Show", type="submit")
    return element(
        "form", *kept, *fields, show, action=viewer.path, method="get", class_="search", role="search"
    )


def _turning(viewer: Viewer, offset: int, known: int) -> list[Node]:
    """Return links to the parts before and behind."""
    before = viewer.here(offset=max(0, offset - PART) or None) if offset else None
    behind = viewer.here(offset=offset + PART) if offset + PART < known else None
    links = [
        element("a", text, href=url)
        for text, url in ((f"Previous {PART}", before), (f"Next {PART}", behind))
        if url is not None
    ]
    return [element("nav", *links, aria_label="Parts of the list")] if links else []
