"""The slaves of a master and their workers, and nodes that are gone. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from concurrent.apps.columns import (
    GONE,
    Column,
    Link,
    count,
    duration,
    lines_of_nodes,
    page_url,
    shortened,
    size,
)
from concurrent.apps.observed import SlaveDetails, WorkerRow, WorkersList
from concurrent.apps.pages.elements import Node, element
from concurrent.apps.pages.nowview import for_viewer
from concurrent.apps.pages.parts import BAD, toned
from concurrent.apps.pages.progresstable import job_link
from concurrent.apps.pages.tables import LINES_MAX, Table, search_form
from concurrent.apps.pages.viewer import Viewer
from concurrent.apps.pages.words import bytes_or_nothing, cores
from concurrent.core.items import Host
from concurrent.scheduling.ledger.status import DRAINED, DRAINING
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.web.contents import address

__all__ = ["workers_view"]

SEARCHED_MAX: Final = 1000
"""Among so many slaves is searched."""

JOINED: Final = "joined"
"""The state of a slave with which all is well."""


class SlaveLine(NamedTuple):
    """A slave, and who sees it."""

    row: SlaveDetails
    viewer: Viewer
    is_encrypted: bool


class WorkerLine(NamedTuple):
    """A worker of a slave, and when somebody looks at it, in seconds since the epoch."""

    row: WorkerRow
    slave: SlaveDetails
    now: float


def workers_view(viewer: Viewer) -> list[Node]:
    """Return the slaves of a master and what their workers do."""
    status = for_viewer(viewer)
    workers = viewer.ask(WorkersList, "workers", limit=SEARCHED_MAX if viewer.query.get("find") else LINES_MAX)
    find = viewer.query.get("find", "").casefold()
    is_encrypted = status.is_protected
    slaves = [SlaveLine(one, viewer, is_encrypted) for one in workers.items if _has(one, find)]
    processes = [
        WorkerLine(process, one, viewer.now)
        for one in workers.items
        for process in one.processes
        if find in f"{one.name} {one.host} {process.pid} {process.name} {process.job}".casefold()
    ]
    here = [line for line in lines_of_nodes(status, viewer.now) if line.node.type == "slave"]
    coming = [line for line in here if line.node.state == "registered"]
    gone = [line for line in lines_of_nodes(status, viewer.now) if line.node.state in ("refused", "gone")]

    def shown(table: Table[Any], rows: Sequence[Any], left_out: int = 0) -> list[Node]:
        return table.shown(rows, viewer.path, viewer.query, left_out=left_out)

    return [
        search_form(viewer.path, viewer.query, "find", "Slave, task or process"),
        *shown(SLAVES, slaves, 0 if find else workers.left_out),
        *([element("p", f"{len(coming)} more have registered and not joined yet.")] if coming else []),
        *shown(PROCESSES, processes),
        *shown(GONE_TABLE, gone),
    ]


def _has(slave: SlaveDetails, find: str) -> bool:
    own = f"{slave.name} {slave.host} {slave.state} {slave.words}".casefold()
    return find in own or any(find in f"{one.pid} {one.name} {one.job}".casefold() for one in slave.processes)


def _slave(line: SlaveLine) -> Link:
    """Return the name of a slave, which leads to its own page."""
    row = line.row
    if not row.page:
        return Link(row.name, "")
    host = Host.parse(row.page)
    can_go = line.viewer.is_local or not is_loopback(host.name)
    return Link(row.name, page_url(host, is_encrypted=line.is_encrypted) if can_go else "")


def _state(line: SlaveLine) -> Node:
    row = line.row
    words = f"{row.state}: {row.words.removeprefix('drained ')}" if row.words else row.state
    if row.drain_ends_at:
        words += f"; what runs is ended in {duration(max(0.0, row.drain_ends_at - line.viewer.now))}"
    return toned(words, "" if row.state == JOINED and not row.words else BAD)


def _cpu(line: SlaveLine) -> str:
    row = line.row
    return f"{row.machine_cpu:.1f} of {row.machine_cpus}" if row.machine_cpus else ""


def _memory(line: SlaveLine) -> str:
    row = line.row
    if not row.machine_bytes:
        return ""
    return f"{size(row.machine_used_bytes)} of {size(row.machine_bytes)}"


def _buttons(line: SlaveLine) -> list[Node]:
    row, viewer = line.row, line.viewer
    if row.state in (DRAINING, DRAINED):
        ask = f"Have {row.name} take tasks again?"
        button = viewer.button("Resume", "resume", ask, row.name, slave=row.name)
    else:
        ask = f"Drain {row.name}? It gets nothing more; what runs there may end."
        button = viewer.button("Drain", "drain", ask, row.name, slave=row.name)
    return [button] if button is not None else []


def _task(line: WorkerLine) -> Link | str:
    """Return what a worker runs, which leads to the page of the task; slaves tell of no task that is short."""
    row, slave = line.row, line.slave
    if row.task < 0:
        is_sure = slave.busy in (0, slave.workers)
        return ("a short task" if slave.busy else "idle") if is_sure else "nothing, or a short task"
    return Link(row.name or f"task {row.task}", address("/task", {"task": row.task}))


def _since(seconds: float) -> str:
    return duration(seconds) if seconds > 0 else ""


SLAVES: Final[Table[SlaveLine]] = Table(
    "slaves",
    "Slaves",
    (
        Column("slave", _slave),
        Column("machine", lambda line: shortened(line.row.host)),
        Column("state", _state),
        Column("workers", lambda line: line.row.workers, count),
        Column("busy", lambda line: line.row.busy, count),
        Column("tasks there", lambda line: line.row.held, count),
        Column("done", lambda line: line.row.done, count),
        Column("failed", lambda line: line.row.failed, count),
        Column("workers died", lambda line: line.row.workers_died, count),
        Column("a task takes", lambda line: line.row.task_s, lambda task_s: duration(task_s) if task_s else ""),
        Column("cores of machine", _cpu),
        Column("memory of machine", _memory),
        Column("", _buttons),
    ),
    lambda line: line.row.name,
    "No slave has joined: tasks wait.",
)
PROCESSES: Final[Table[WorkerLine]] = Table(
    "workers",
    "Workers",
    (
        Column("process", lambda line: line.row.pid),
        Column("slave", lambda line: shortened(line.slave.name)),
        Column("runs", _task),
        Column("job", lambda line: job_link(line.row.job) if line.row.task >= 0 else ""),
        Column("for", lambda line: line.now - line.row.since_at if line.row.since_at else 0.0, _since),
        Column("cores", lambda line: line.row.cpu, cores),
        Column("memory", lambda line: line.row.memory_bytes, bytes_or_nothing),
        Column("done", lambda line: line.row.done, count),
    ),
    lambda line: (line.slave.number, line.row.pid),
)
GONE_TABLE: Final[Table[Any]] = Table(
    "gone", "Nodes that are gone or were refused", GONE, lambda line: line.node.node_id
)
