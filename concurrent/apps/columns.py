"""What is shown of each status, and how: for the pages and for ``concurrent status``. A pure module.

A column has a title, takes a value from a row, and says how that becomes text. Rows are typed, so a
column of an attribute that does not exist is an error of the type checker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from concurrent.apps.jobstatus import JobRow
from concurrent.apps.status import ApplicationStatus, MasterStatus, NodeRow, SlaveStatus
from concurrent.core.items import PORT_MAX, Host
from concurrent.core.troubles import Trouble
from concurrent.scheduling.ledger.status import OwnerRow, RunningRow, SlaveRow, WaitRow
from concurrent.scheduling.master.status import SystemRow, TasksStatus
from concurrent.scheduling.slave.status import WorkersStatus, WorkerTaskRow
from concurrent.transport.security.hosts import is_loopback

__all__ = [
    "APPLICATION",
    "GONE",
    "JOBS",
    "MASTER",
    "NODES",
    "OWNERS",
    "RUNNING",
    "SLAVE",
    "SLAVES",
    "SYSTEMS",
    "WAITING",
    "WORKERS",
    "WORKERS_OF_SLAVE",
    "Column",
    "Link",
    "NodeLine",
    "Row",
    "Share",
    "WorkerLine",
    "count",
    "duration",
    "lines_of_nodes",
    "lines_of_owners",
    "lines_of_workers",
    "page_url",
    "run_time",
    "shortened",
    "size",
    "trouble_text",
]

SURVIVES: Final = {"host": "the end of the host", "process": "the end of the master", "none": "nothing"}
"""What the levels of durability mean."""

NAME_CHARS_MAX: Final = 40
"""So much is shown of a name in a table."""

BYTE_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")

Row = TypeVar("Row")


class Link(NamedTuple):
    """A text that leads to the page of a node, if that has one."""

    text: str
    url: str


class Share(NamedTuple):
    """So much is done of so much; ``failed`` of that was in vain."""

    done: int
    total: int
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.done} of {self.total}" + (f", {self.failed} failed" if self.failed else "")


def count(number: int) -> str:
    """Return a number for people."""
    return f"{number:,}"


def size(size_bytes: int) -> str:
    """Return a number of bytes for people."""
    if size_bytes < 1024:
        return f"{size_bytes} B"
    power = min((size_bytes.bit_length() - 1) // 10, len(BYTE_UNITS))
    return f"{size_bytes / 1024**power:.1f} {BYTE_UNITS[power - 1]}"


def shortened(name: str) -> str:
    """Return a name, or the beginning of a long one."""
    return name if len(name) <= NAME_CHARS_MAX else f"{name[: NAME_CHARS_MAX - 1]}\N{HORIZONTAL ELLIPSIS}"


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 0.001:
        return f"{max(seconds, 0) * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One thing that is shown of each row.

    :param title: its heading.
    :param value: takes it from a row: a :class:`Link`, a :class:`Share`, or what ``format`` takes.
    :param format: makes text of it.
    """

    title: str
    value: Callable[[Row], Any]
    format: Callable[[Any], str] = str

    @property
    def is_number(self) -> bool:
        """Whether it is a number, which pages write at the right."""
        return self.format is count


Columns = tuple[Column[Row], ...]


@dataclass(frozen=True)
class NodeLine:
    """A node at its master and for how long it has been what it is, with the row of its tasks if it has any.

    ``is_encrypted`` is whether nodes of its cluster speak TLS to other machines.
    """

    node: NodeRow
    age_s: float
    slave: SlaveRow | None = None
    owner: OwnerRow | None = None
    is_encrypted: bool = False

    @property
    def name(self) -> str:
        """Who it is, and which program if it says so."""
        node = self.node
        return f"{node.program}: {node.node_id}" if node.program else node.node_id

    @property
    def link(self) -> Link:
        """Its name, which leads to its own page."""
        return Link(self.name, page_url(Host(self.node.ip, self.node.port), is_encrypted=self.is_encrypted))

    @property
    def standing(self) -> str:
        """What it is: whether it is here, or drained."""
        return (self.slave.drain if self.slave is not None else "") or self.node.state

    @property
    def state(self) -> str:
        """What it is and for how long."""
        silent = ", but reports nothing" if self.slave is not None and self.slave.silent else ""
        drain = f", {self.slave.drain}" if self.slave is not None and self.slave.drain else ""
        unfit = "".join(f"; {line}" for line in self.slave.unfit) if self.slave is not None else ""
        return f"{self.node.state} for {duration(self.age_s)}{silent}{drain}{unfit}"

    @property
    def tasks(self) -> str:
        """What its tasks are doing, or why it is not here."""
        node = self.node
        text = node.reason
        if node.state == "joined":
            slave, owner = self.slave, self.owner
            text = _of_slave(slave) if slave is not None else _of_owner(owner) if owner is not None else ""
        return f"{node.program}: {text}" if node.program else text


class OwnerLine(NamedTuple):
    """An owner of tasks, with its node if one has registered under its name."""

    owner: OwnerRow
    node: NodeLine | None


class WorkerLine(NamedTuple):
    """A worker process and its task; ``long`` says more of one that has run for a while."""

    pid: int
    task: int | None
    long: WorkerTaskRow | None

    @property
    def doing(self) -> str:
        """What it does."""
        if self.task is None:
            return "idle"
        is_long = self.long is not None and self.long.task == self.task
        return (self.long.shown if self.long is not None and is_long else "") or f"task {self.task}"


def run_time(run_s: float, usual_s: float) -> str:
    """Return how long a run took, about how long if only that is known, or nothing.

    :param usual_s: how long others took.
    """
    return duration(run_s) if run_s else f"~{duration(usual_s)}" if usual_s else ""


def lines_of_nodes(status: MasterStatus, now: float) -> list[NodeLine]:
    """Return the nodes that a master knows.

    :param now: seconds since the epoch.
    """
    slaves = {one.number: one for one in status.tasks.slaves}
    owners = {one.number: one for one in status.tasks.owners}
    is_encrypted = status.is_protected
    return [
        NodeLine(one, now - one.since, slaves.get(one.number), owners.get(one.number), is_encrypted)
        for one in status.nodes
    ]


def lines_of_owners(tasks: TasksStatus, nodes: Iterable[NodeLine]) -> list[OwnerLine]:
    """Return whose tasks a master has."""
    line_by_id = {one.node.node_id: one for one in nodes}
    return [OwnerLine(one, line_by_id.get(one.name)) for one in tasks.owners]


def lines_of_workers(workers: WorkersStatus) -> list[WorkerLine]:
    """Return the processes of a slave."""
    long_by_pid = {one.worker: one for one in workers.tasks}
    return [WorkerLine(pid, task, long_by_pid.get(pid)) for pid, task in workers.running.items()]


def page_url(address: Host, *, is_encrypted: bool) -> str:
    """Return where the page of a node is; nothing of one that listens for nobody else.

    :param address: that of its JSON API.
    :param is_encrypted: whether nodes of its cluster speak TLS to other machines.
    """
    scheme = "https" if is_encrypted and not is_loopback(address.name) else "http"
    return f"{scheme}://{address}/" if 0 < address.port <= PORT_MAX else ""


def trouble_text(one: Trouble) -> str:
    """Return what went wrong in a plug-in, and how often."""
    return f"{one.component}: {one.rule} {one.problem}; {one.action} ({count(one.count)} times so far)"


def _of_owner(owner: OwnerRow) -> str:
    others = _unless_none((owner.failed, "failed"), (owner.cancelled, "cancelled"))
    return f"{owner.open} open, {owner.finished} finished{others}"


def _of_slave(slave: SlaveRow) -> str:
    others = _unless_none((slave.failed, "failed"), (slave.refused, "refused"))
    silent = "; it holds tasks and reports nothing" if slave.silent else ""
    lacks = f"; it wants no tasks: {slave.lacks}" if slave.lacks else ""
    drained = f"; drained by {slave.drained_by}" if slave.drain else ""
    return f"{slave.held} held, {slave.done} done{others}{silent}{lacks}{drained}"


def _of_link(slave: SlaveStatus) -> str:
    by = slave.workers.drained_by if slave.workers is not None else ""
    return f"{slave.state}, and drained by {by}: it takes no tasks" if by else slave.state


def _unless_none(*counts: tuple[int, str]) -> str:
    return "".join(f", {number} {what}" for number, what in counts if number)


MASTER: Final[Columns[MasterStatus]] = (
    Column("workers", lambda one: one.tasks.workers, count),
    Column("tasks open", lambda one: one.tasks.open, count),
    Column("waiting for a slave", lambda one: one.tasks.queued, count),
    Column("accepted in all", lambda one: one.tasks.accepted, count),
    Column("their data", lambda one: one.tasks.open_bytes, size),
    Column("of it in files", lambda one: one.tasks.stored_bytes, size),
    Column("scheduler", lambda one: one.scheduler),
    Column("channel", lambda one: f"{one.channel}, port {one.compute_port}"),
    Column("accepted work survives", lambda one: SURVIVES.get(one.durability, one.durability)),
    Column("journal", lambda one: one.journal.used_bytes if one.journal else 0, size),
)
SLAVE: Final[Columns[SlaveStatus]] = (Column("state", _of_link),)
WORKERS_OF_SLAVE: Final[Columns[WorkersStatus]] = (
    Column("workers", lambda one: one.size, count),
    Column("idle", lambda one: one.idle, count),
    Column("tasks waiting here", lambda one: one.waiting, count),
    Column("wanted at a time", lambda one: one.window, count),
    Column("tasks done", lambda one: one.done, count),
    Column("workers that died", lambda one: one.deaths, count),
    Column("a task takes", lambda one: one.task_s, duration),
)
APPLICATION: Final[Columns[ApplicationStatus]] = (
    Column("application", lambda one: one.application),
    Column("state", lambda one: one.state),
    Column("tasks pushed", lambda one: one.pushed, count),
    Column("open", lambda one: one.open, count),
    Column("finished", lambda one: one.finished, count),
    Column("of them failed", lambda one: one.failed, count),
    Column("of them cancelled", lambda one: one.cancelled, count),
    Column("task systems", lambda one: one.task_systems, count),
)
SLAVES: Final[Columns[NodeLine]] = (
    Column("slave", lambda line: line.link),
    Column("state", lambda line: line.state),
    Column("workers", lambda line: line.slave.workers if line.slave else 0, count),
    Column("tasks there", lambda line: line.slave.held if line.slave else 0, count),
    Column("done", lambda line: line.slave.done if line.slave else 0, count),
    Column("of them failed", lambda line: line.slave.failed if line.slave else 0, count),
    Column("workers died", lambda line: line.slave.workers_died if line.slave else 0, count),
    Column("a task takes", lambda line: line.slave.task_s if line.slave else 0.0, duration),
)
OWNERS: Final[Columns[OwnerLine]] = (
    Column("application or system", lambda line: line.node.link if line.node else line.owner.name),
    Column("waiting", lambda line: line.owner.queued, count),
    Column("open", lambda line: line.owner.open, count),
    Column("finished", lambda line: line.owner.finished, count),
    Column("failed", lambda line: line.owner.failed, count),
    Column("cancelled", lambda line: line.owner.cancelled, count),
    Column("of what was pushed", lambda line: Share(line.owner.closed, line.owner.closed + line.owner.open)),
)
RUNNING: Final[Columns[RunningRow]] = (
    Column("task", lambda one: f"{one.task}, {one.owner}'s {one.id}"),
    Column("what", lambda one: one.name),
    Column("slave", lambda one: one.slave),
    Column("process", lambda one: one.worker),
    Column("for", lambda one: one.run_s, duration),
    Column("says", lambda one: one.progress),
    Column("what is unusual", lambda one: one.note),
)
WAITING: Final[Columns[WaitRow]] = (
    Column("tasks", lambda one: one.count, count),
    Column("what", lambda one: one.name),
    Column("whose", lambda one: one.owner),
    Column("for", lambda one: one.age_s, duration),
    Column("waits for", lambda one: one.waits_for),
    Column("why", lambda one: one.because),
)
SYSTEMS: Final[Columns[SystemRow]] = (
    Column("system", lambda one: one.system_id),
    Column("application", lambda one: one.application),
    Column("process", lambda one: one.pid),
    Column("owner", lambda one: one.owner),
)
GONE: Final[Columns[NodeLine]] = (
    Column("node", lambda line: line.name),
    Column("kind", lambda line: line.node.type),
    Column("from", lambda line: line.node.ip),
    Column("ago", lambda line: line.age_s, duration),
    Column("why", lambda line: line.node.reason),
)
WORKERS: Final[Columns[WorkerLine]] = (
    Column("process", lambda line: line.pid),
    Column("doing", lambda line: line.doing),
    Column("for", lambda line: duration(line.long.run_s) if line.long else ""),
    Column("what is unusual", lambda line: line.long.note if line.long else ""),
)
NODES: Final[Columns[NodeLine]] = (
    Column("node", lambda line: line.node.node_id),
    Column("type", lambda line: line.node.type),
    Column("state", lambda line: line.standing),
    Column("from", lambda line: line.node.ip),
    Column("tasks", lambda line: line.tasks),
)
"""Of all nodes, for ``concurrent status``."""
JOBS: Final[Columns[tuple[JobRow, float]]] = (
    Column("job", lambda line: shortened(line[0].title)),
    Column("id", lambda line: line[0].job),
    Column("state", lambda line: line[0].how or line[0].state),
    Column("done", lambda line: Share(line[0].pushed - line[0].open, line[0].pushed)),
    Column("failed", lambda line: line[0].failed, count),
    Column("cancelled", lambda line: line[0].cancelled, count),
    Column("to take", lambda line: line[0].unread, count),
    Column("began", lambda line: f"{duration(line[1] - line[0].created_at)} ago"),
    Column("took", lambda line: duration((line[0].ended_at or line[1]) - line[0].created_at)),
    Column("owner", lambda line: line[0].user),
    Column("durability", lambda line: line[0].durability),
    Column("reason", lambda line: line[0].reason or line[0].note),
)
"""Of jobs and the time now, for ``concurrent jobs``."""
