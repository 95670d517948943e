"""The first page of a master: whether it moves, why not, and how far everything is. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from concurrent.apps.columns import (
    JOBS,
    MASTER,
    OWNERS,
    RUNNING,
    SYSTEMS,
    WAITING,
    Column,
    Link,
    count,
    duration,
    lines_of_nodes,
    lines_of_owners,
)
from concurrent.apps.observed import (
    BETWEEN_TRIES,
    CANCELLED,
    FAILED,
    FINISHED,
    CountsStatus,
    NowStatus,
    ProgressStatus,
)
from concurrent.apps.observed import RUNNING as IS_RUNNING
from concurrent.apps.observed import WAITING as IS_WAITING
from concurrent.apps.pages.elements import Node, element
from concurrent.apps.pages.parts import BAD, GOOD, facts, figures, link, note, section
from concurrent.apps.pages.progresstable import job_link, progress_table, tasks_link
from concurrent.apps.pages.seriesview import series_section
from concurrent.apps.pages.tables import Table
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.status import MasterStatus
from concurrent.apps.troublelist import TroublesList
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.web.contents import address

__all__ = ["counts_shown", "for_viewer", "now_view", "troubles_shown"]

JOBS_LINKED: Final[tuple[Column[Any], ...]] = (
    Column("job", lambda line: job_link(line[0].title, line[0].job)),
    *JOBS[1:],
)
OWNER_TABLE: Final[Table[Any]] = Table("owners", "Programs", OWNERS, lambda line: line.owner.number)
JOB_TABLE: Final[Table[Any]] = Table("jobs", "Jobs", JOBS_LINKED, lambda line: line[0].job)
RUNNING_LINKED: Final[tuple[Column[Any], ...]] = (
    Column("task", lambda one: Link(RUNNING[0].value(one), address("/task", {"task": one.task}))),
    *RUNNING[1:],
)
RUNNING_TABLE: Final[Table[Any]] = Table("running", "Running for a while", RUNNING_LINKED, lambda one: one.task)
WAITING_LINKED: Final[tuple[Column[Any], ...]] = (
    WAITING[0],
    Column("what", lambda one: Link(one.name or "tasks", address("/task", {"task": f"{one.owner}/{one.id}"}))),
    *WAITING[2:],
)
WAITING_TABLE: Final[Table[Any]] = Table("waiting", "Waiting for a while", WAITING_LINKED)
SYSTEM_TABLE: Final[Table[Any]] = Table("systems", "Task systems", SYSTEMS, lambda one: one.system_id)


def now_view(viewer: Viewer) -> list[Node]:
    """Return what a master is doing."""
    status = for_viewer(viewer)
    now = viewer.ask(NowStatus, "now")
    progress = viewer.ask(ProgressStatus, "progress")
    tasks = status.tasks
    here = [line for line in lines_of_nodes(status, viewer.now) if line.node.state in ("registered", "joined")]

    def shown(table: Table[Any], rows: Sequence[Any], total: int = 0) -> list[Node]:
        return table.shown(rows, viewer.path, viewer.query, left_out=max(0, total - len(rows)))

    return [
        element("p", now.words, class_=f"note lead {GOOD if now.moves or not now.counts.open else BAD}"),
        *([note(status.journal.problem)] if status.journal is not None and status.journal.problem else []),
        *troubles_shown(now.troubles),
        figures(
            [
                *counts_shown(now.counts),
                ("workers busy", link(f"{count(now.busy)} of {count(now.workers)}", "/workers")),
                ("slaves", link(count(now.slaves), "/workers")),
                ("end in a second", f"{now.ended_per_s:,.1f}"),
                *([("time left", f"about {duration(now.left_s)}")] if now.left_s is not None else []),
            ]
        ),
        *progress_table(progress.items, viewer, left_out=progress.left_out),
        *series_section(viewer),
        *shown(WAITING_TABLE, tasks.waiting),
        *shown(RUNNING_TABLE, tasks.running, tasks.running_count),
        *shown(JOB_TABLE, [(one, viewer.now) for one in status.jobs], status.job_count),
        *shown(OWNER_TABLE, lines_of_owners(tasks, here), tasks.owner_count),
        *shown(SYSTEM_TABLE, status.systems, status.system_count),
        section("master", "This master", figures(facts(MASTER, status))),
    ]


def troubles_shown(troubles: TroublesList) -> list[Node]:
    """Return what is wrong, the most serious first, with what helps; nothing if all is well."""
    if not troubles.total:
        return []
    lines = [
        element(
            "li",
            link(one.words, one.page),
            element("p", one.says, class_="says") if one.says else None,
            element(
                "p", f"{one.remedy[:1].upper()}{one.remedy[1:]}: ", element("code", one.command), class_="soft"
            ),
        )
        for one in troubles.items
    ]
    more = f"{count(troubles.left_out)} more are not shown." if troubles.left_out else ""
    return [
        section(
            "troubles",
            f"What is wrong: {count(troubles.total)}",
            element("ol", *lines, class_="troubles"),
            element("p", more, class_="more") if more else None,
        )
    ]


def counts_shown(counts: CountsStatus, **wanted: str) -> list[tuple[str, Node]]:
    """Return how many tasks are in which state, for figures; each leads to these tasks.

    :param wanted: of which tasks the counts are.
    """
    numbers = {
        IS_RUNNING: counts.running,
        IS_WAITING: counts.waiting,
        BETWEEN_TRIES: counts.between_tries,
        FINISHED: counts.finished,
        FAILED: counts.failed,
        CANCELLED: counts.cancelled,
    }
    links = ((state, tasks_link(count(number), state=state, **wanted)) for state, number in numbers.items())
    return [(state, link(one.text, one.url)) for state, one in links]


def for_viewer(viewer: Viewer) -> MasterStatus:
    """Return the status of a master, in which nodes have no page that the viewer cannot go to."""
    status = viewer.status_of_node()
    assert isinstance(status, MasterStatus), "of the node itself"
    if viewer.is_local:
        return status
    nodes = tuple(replace(one, port=0) if is_loopback(one.ip) else one for one in status.nodes)
    return replace(status, nodes=nodes)
