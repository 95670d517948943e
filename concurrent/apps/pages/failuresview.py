"""Failures by job, function and exception, each with its last traceback and output. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from concurrent.apps.columns import count
from concurrent.apps.observed import FAILED, FailureRow, FailuresStatus
from concurrent.apps.pages.elements import Element, Node, element
from concurrent.apps.pages.parts import figures, link, text_block
from concurrent.apps.pages.progresstable import job_link, tasks_link
from concurrent.apps.pages.tables import search_form
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.words import ago
from concurrent.transport.web.contents import address

__all__ = ["failure_groups", "failures_view"]

OPEN_MAX: Final = 3
"""So many groups are open when somebody comes, and closed after that."""


def failures_view(viewer: Viewer) -> list[Node]:
    """Return how tasks failed."""
    failures = viewer.ask(FailuresStatus, "failures")
    wanted = viewer.query.get("find", "").casefold()
    rows = [row for row in failures.items if wanted in f"{row.exception} {row.function} {row.job}".casefold()]
    said = f"{count(failures.failed)} failed tasks, in {count(failures.total)} groups"
    if len(rows) < failures.total:
        said += f"; shown are {count(len(rows))}"
    return [
        search_form(viewer.path, viewer.query, "find", "Exception, function or job"),
        element("p", f"{said}." if failures.total else "No task has failed.", class_="lead"),
        *failure_groups(rows, viewer),
    ]


def failure_groups(rows: Sequence[FailureRow], viewer: Viewer) -> list[Node]:
    """Return groups of failures, which a viewer opens and closes."""
    return [_group(row, viewer, is_open=index < OPEN_MAX) for index, row in enumerate(rows)]


def _group(row: FailureRow, viewer: Viewer, *, is_open: bool) -> Element:
    what = f"{row.exception} in {row.function}" if row.exception else "all others"
    times = count(row.count) if row.count else f"{count(row.tried_again)} (tried again)"
    where = row.slaves[0] if len(row.slaves) == 1 else f"{len(row.slaves)} slaves"
    summary = element(
        "summary",
        element("strong", f"{times} \N{MULTIPLICATION SIGN} {what}", class_="bad"),
        f" of {row.job} on {where}, last {ago(row.last_at, viewer.now)}",
    )
    return element(
        "details",
        summary,
        _figures(row, viewer),
        *_words(row),
        data_key=f"{row.owner} {row.function} {row.exception}",
        open=is_open or None,
        class_="group",
    )


def _figures(row: FailureRow, viewer: Viewer) -> Element:
    job = job_link(row.job)
    every = tasks_link(f"all of {row.function}", function=row.function, job=row.job, state=FAILED)
    tasks: list[Node] = []
    for name in row.tasks:
        tasks += [element("a", name.rpartition("/")[2], href=address("/task", {"task": name})), " "]
    slaves: list[Node] = []
    for name in row.slaves:
        slaves += [element("a", name, href=address("/workers", {"find": name})), " "]
    said: list[tuple[str, Node]] = [
        ("failed", count(row.count)),
        ("first", ago(row.first_at, viewer.now)),
        ("last", ago(row.last_at, viewer.now)),
        ("job", link(job.text, job.url)),
    ]
    if row.tried_again:
        said.insert(1, ("tries that were not the last", count(row.tried_again)))
    if slaves:
        said.append(("slaves", element("span", *slaves, class_="many")))
    if tasks:
        said.append(("tasks", element("span", *tasks, link(every.text, every.url), class_="many")))
    return figures(said)


def _words(row: FailureRow) -> list[Node]:
    if not row.is_yours:
        return [element("p", "What it raised and printed is for its owner.", class_="soft")]
    shown: list[Node] = []
    if row.text:
        shown += [element("h3", "The last traceback"), text_block("The last traceback", row.text)]
    if row.output:
        shown += [element("h3", "What it printed last"), text_block("What it printed last", row.output)]
    return shown
