"""What the nodes say of themselves at ``/ping``, ``/status`` and ``/stats``, as types. A pure module.

The nodes make these objects, pages and ``concurrent status`` show them, and programs read them from the JSON of
any node: ``MasterStatus.from_json(answer)``. The OpenAPI document of a node is made of them, and a test holds
real answers against it. Units come last in names: ``_s`` is seconds, ``_bytes`` bytes; ``_at`` and ``since``
are seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypedDict

from concurrent.apps.api import printable
from concurrent.apps.jobstatus import JobRow
from concurrent.core.status import Status
from concurrent.core.troubles import Trouble
from concurrent.scheduling.master.status import JournalStatus, SystemRow, TasksStatus
from concurrent.scheduling.slave.status import WorkersStatus

__all__ = [
    "ITS_USER",
    "STATUS_BY_TYPE",
    "UNPROTECTED",
    "ApplicationStatus",
    "ClusterStatus",
    "MasterStatus",
    "NodeRow",
    "NodeStatus",
    "Ping",
    "SlaveStatus",
    "StatsAnswer",
    "status_from_json",
]

UNPROTECTED: Final = "nothing"
"""What protects a node that was told to be open."""

ITS_USER: Final = "its user's own sockets"
"""What protects a node that no other user and no other machine reaches."""

NAME_LENGTH_MAX: Final = 40
"""How much of what a peer calls itself is shown."""


@dataclass(frozen=True)
class Ping(Status):
    """Who a node is."""

    node_id: str
    type: str
    version: str
    pid: int


@dataclass(frozen=True)
class NodeStatus(Ping):
    """What each node says of itself.

    ``protected_by`` is what lets nobody in but whom it should: the keys of a cluster, or that only its own user
    reaches it; ``nothing`` of one that is open. ``more`` is what a plug-in or another version adds.
    """

    started_at: float
    memory_bytes_max: int | None
    plugin_troubles: tuple[Trouble, ...]
    protected_by: str
    more: Mapping[str, Any] = field(default_factory=dict, kw_only=True)

    @property
    def is_protected(self) -> bool:
        """Whether it says that it lets nobody in but whom it should."""
        return self.protected_by not in ("", UNPROTECTED)


@dataclass(frozen=True)
class NodeRow(Status):
    """A node that has registered; ``state`` is registered, joined, gone or refused.

    ``data`` is what it said of itself when it did, which nobody has checked.
    """

    node_id: str
    type: str
    ip: str
    port: int
    state: str
    number: int
    since: float
    reason: str
    data: Mapping[str, Any]

    @property
    def program(self) -> str:
        """Which application of whom it says that it is, as text for people; nothing if it does not."""
        values = (self.data.get(key) for key in ("application", "user"))
        name, user = (printable(one)[:NAME_LENGTH_MAX] if isinstance(one, str) else "" for one in values)
        return f"{name} of {user}" if name and user else name


@dataclass(frozen=True)
class MasterStatus(NodeStatus):
    """What a master is doing.

    ``durability`` is what its work survives: ``host``, ``process`` or ``none``; then there is no ``journal``.
    """

    channel: str
    compute_port: int
    scheduler: str
    tasks: TasksStatus
    systems: tuple[SystemRow, ...]
    system_count: int
    nodes: tuple[NodeRow, ...]
    node_count: int
    durability: str
    journal: JournalStatus | None
    jobs: tuple[JobRow, ...]
    job_count: int


@dataclass(frozen=True)
class SlaveStatus(NodeStatus):
    """What a slave is doing."""

    master: str
    state: str
    waits_for: str
    manager: str | None
    workers: WorkersStatus | None


@dataclass(frozen=True)
class ApplicationStatus(NodeStatus):
    """What an application is doing. ``finished`` counts all that have ended, with those that failed or were
    cancelled. ``master`` is the address of its master's JSON API, empty before it knows that.

    ``progress`` is how much is done of how much, as it says itself; ``progress_of`` has that of its task
    systems too, by name.
    """

    application: str
    state: str
    pushed: int
    finished: int
    failed: int
    cancelled: int
    open: int
    progress: tuple[int, int] | None
    progress_of: Mapping[str, tuple[int, int]]
    task_systems: int
    waits_for: str
    master: str


class ClusterStatus(NamedTuple):
    """What the master and those of its slaves that can be reached are doing."""

    master: MasterStatus
    slaves: list[SlaveStatus]


class Average(TypedDict):
    """The mean, extremes and percentiles of what was measured; percentiles are of the last values."""

    count: int
    mean: float
    min: float
    max: float
    p50: float
    p90: float
    p99: float


class StatsAnswer(TypedDict):
    """What a node has counted and measured, by name; ``units`` has those of gauges and averages."""

    counts: dict[str, int]
    gauges: dict[str, float]
    averages: dict[str, Average]
    units: dict[str, str]


STATUS_BY_TYPE: Final[Mapping[str, type[NodeStatus]]] = {
    "master": MasterStatus,
    "slave": SlaveStatus,
    "application": ApplicationStatus,
}
"""By what ``type`` says."""


def status_from_json(answer: Any) -> NodeStatus:
    """Return what a node answers at ``/status``, as the class for its type; see ``core/status.py``."""
    kind = NodeStatus.from_json(answer).type
    return STATUS_BY_TYPE.get(kind, NodeStatus).from_json(answer)
