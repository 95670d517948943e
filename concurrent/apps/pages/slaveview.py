"""The page of a slave: its workers and what they do. A pure module."""

from __future__ import annotations

from typing import Final

from concurrent.apps.columns import (
    SLAVE,
    WORKERS,
    WORKERS_OF_SLAVE,
    WorkerLine,
    lines_of_workers,
)
from concurrent.apps.pages.elements import Node
from concurrent.apps.pages.parts import facts, figures, master_link, note
from concurrent.apps.pages.tables import Table
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.status import SlaveStatus

__all__ = ["slave_view"]

PROCESSES: Final[Table[WorkerLine]] = Table("workers", "Workers", WORKERS, lambda line: line.pid)


def slave_view(viewer: Viewer) -> list[Node]:
    """Return what a slave is doing."""
    status = viewer.status_of_node()
    assert isinstance(status, SlaveStatus), "of the node itself"
    link = master_link(
        status.master,
        is_encrypted=status.is_protected,
        is_local=viewer.is_local,
    )
    shown: list[Node] = [note(f"It waits: {status.waits_for}")] if status.waits_for else []
    workers = status.workers
    said = [("master", link), *facts(SLAVE, status)]
    if workers is None:
        return [*shown, figures(said)]
    lines = lines_of_workers(workers)
    return [
        *shown,
        figures([*said, *facts(WORKERS_OF_SLAVE, workers)]),
        *PROCESSES.shown(lines, viewer.path, viewer.query),
    ]
