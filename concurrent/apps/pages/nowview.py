"""The first page of a master: what it does now, and what keeps it from doing more. A pure module."""

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
    lines_of_nodes,
    lines_of_owners,
)
from concurrent.apps.pages.elements import Node, element
from concurrent.apps.pages.parts import facts, figures, note
from concurrent.apps.pages.tables import Table
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.status import MasterStatus
from concurrent.transport.security.hosts import is_loopback

__all__ = ["for_viewer", "now_view"]

OWNER_TABLE: Final[Table[Any]] = Table("owners", "Whose tasks", OWNERS, lambda line: line.owner.number)
JOB_TABLE: Final[Table[Any]] = Table("jobs", "Jobs", JOBS, lambda line: line[0].job)
RUNNING_TABLE: Final[Table[Any]] = Table("running", "Running for a while", RUNNING, lambda one: one.task)
WAITING_TABLE: Final[Table[Any]] = Table("waiting", "Waiting for a while", WAITING)
SYSTEM_TABLE: Final[Table[Any]] = Table("systems", "Task systems", SYSTEMS, lambda one: one.system_id)


def now_view(viewer: Viewer) -> list[Node]:
    """Return what a master is doing."""
    status = for_viewer(viewer)
    tasks = status.tasks
    here = [line for line in lines_of_nodes(status, viewer.now) if line.node.state in ("registered", "joined")]

    def shown(table: Table[Any], rows: Sequence[Any], total: int = 0) -> list[Node]:
        return table.shown(rows, viewer.path, viewer.query, left_out=max(0, total - len(rows)))

    return [
        *_troubles(status),
        figures(facts(MASTER, status)),
        *([] if tasks.slave_count else [element("p", "No slave has joined: tasks wait.")]),
        *shown(OWNER_TABLE, lines_of_owners(tasks, here), tasks.owner_count),
        *shown(JOB_TABLE, [(one, viewer.now) for one in status.jobs], status.job_count),
        *shown(RUNNING_TABLE, tasks.running, tasks.running_count),
        *shown(WAITING_TABLE, tasks.waiting),
        *shown(SYSTEM_TABLE, status.systems, status.system_count),
    ]


def for_viewer(viewer: Viewer) -> MasterStatus:
    """Return the status of a master, in which nodes have no page that the viewer cannot go to."""
    status = viewer.status_of_node()
    assert isinstance(status, MasterStatus), "of the node itself"
    if viewer.is_local:
        return status
    nodes = tuple(replace(one, port=0) if is_loopback(one.ip) else one for one in status.nodes)
    return replace(status, nodes=nodes)


def _troubles(status: MasterStatus) -> list[Node]:
    """Return what keeps a master from taking work."""
    held = status.tasks.held_because
    nodes: list[Node] = [note(f"No more tasks are accepted for now: {held}")] if held else []
    if status.journal is not None and status.journal.problem:
        nodes.append(note(f"No new work is taken: {status.journal.problem}"))
    return nodes
