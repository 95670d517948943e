"""The slaves of a master, and what became of those that are gone. A pure module."""

from __future__ import annotations

from typing import Any, Final

from concurrent.apps.columns import GONE, SLAVES, lines_of_nodes
from concurrent.apps.pages.elements import Node
from concurrent.apps.pages.nowview import for_viewer
from concurrent.apps.pages.tables import Table
from concurrent.apps.pages.viewer import Viewer

__all__ = ["workers_view"]

SLAVE_TABLE: Final[Table[Any]] = Table(
    "slaves", "Slaves", SLAVES, lambda line: line.node.node_id, "No slave has joined: tasks wait."
)
GONE_TABLE: Final[Table[Any]] = Table(
    "gone", "Nodes that are gone or were refused", GONE, lambda line: line.node.node_id
)


def workers_view(viewer: Viewer) -> list[Node]:
    """Return the slaves of a master."""
    status = for_viewer(viewer)
    lines = lines_of_nodes(status, viewer.now)
    slaves = [
        line for line in lines if line.node.type == "slave" and line.node.state in ("registered", "joined")
    ]
    total = status.tasks.slave_count + sum(line.node.state == "registered" for line in slaves)
    gone = [line for line in lines if line.node.state in ("refused", "gone")]
    return [
        *SLAVE_TABLE.shown(slaves, viewer.path, viewer.query, left_out=max(0, total - len(slaves))),
        *GONE_TABLE.shown(gone, viewer.path, viewer.query),
    ]
