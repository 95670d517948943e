"""What the nodes say of themselves at ``/ping``, ``/status`` and ``/stats``, as types. A pure module.

The OpenAPI document of a node is made of them, and a test holds real answers against it. Units come last in
names: ``_s`` is seconds, ``_bytes`` bytes; ``_at`` and ``since`` are seconds since the epoch.
"""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = ["STATUS_BY_TYPE", "ApplicationStatus", "MasterStatus", "Ping", "SlaveStatus", "StatsAnswer"]


class Ping(TypedDict):
    """Who a node is."""

    node_id: str
    type: str
    version: str
    pid: int


class PluginTrouble(TypedDict):
    """What failed in a plug-in, how often, and what was done about it."""

    component: str
    rule: str
    problem: str
    action: str
    count: int


class NodeStatus(Ping):
    """What each node says of itself."""

    started_at: float
    memory_bytes_max: int | None
    plugin_troubles: list[PluginTrouble]


class OwnerRow(TypedDict):
    """An application or task system, and how many of its tasks are where."""

    number: int
    name: str
    queued: int
    open: int
    finished: int
    failed: int
    cancelled: int


class SlaveRow(TypedDict):
    """A slave that has joined, and what became of the tasks that it was given."""

    number: int
    name: str
    workers: int
    window: int
    held: int
    done: int
    failed: int
    refused: int
    workers_died: int
    task_s: float
    silent: bool


class RunningRow(TypedDict):
    """A task that has run for a while; ``id`` is the number that its owner gave it."""

    task: int
    owner: str
    id: int
    slave: str
    worker: int
    run_s: float
    note: str


class TasksStatus(TypedDict):
    """The tasks of a master: counts of all, and a part of each list."""

    accepted: int
    queued: int
    pushed: int
    refused: int
    open: int
    open_bytes: int
    dropped_late: int
    slave_count: int
    slaves: list[SlaveRow]
    owner_count: int
    owners: list[OwnerRow]
    running_count: int
    running: list[RunningRow]
    workers: int
    undelivered: int
    unacknowledged: int
    chunks_waiting: int
    stored_bytes: int
    held_because: str
    submitted_bytes: int
    delivered_bytes: int


class SystemRow(TypedDict):
    """A task system, its process, and its number as an owner of tasks."""

    system_id: int
    application: str
    pid: int
    owner: int


class NodeRow(TypedDict):
    """A node that has registered; ``state`` is registered, joined, gone or refused."""

    node_id: str
    type: str
    ip: str
    port: int
    state: str
    number: int
    since: float
    reason: str
    data: dict[str, Any]


class MasterStatus(NodeStatus):
    """What a master is doing."""

    channel: str
    compute_port: int
    scheduler: str
    tasks: TasksStatus
    system_count: int
    systems: list[SystemRow]
    node_count: int
    nodes: list[NodeRow]


class WorkerTaskRow(TypedDict):
    """A task that has run for a while, and the process that runs it."""

    task: int
    worker: int
    run_s: float
    note: str


class WorkersStatus(TypedDict, total=False):
    """The workers of a slave; nothing before it has found its master. ``running`` has a task by process."""

    size: int
    idle: int
    running: dict[str, int | None]
    tasks: list[WorkerTaskRow]
    waiting: int
    deaths: int
    done: int
    window: int
    task_s: float


class SlaveStatus(NodeStatus):
    """What a slave is doing."""

    master: str
    state: str
    waits_for: str
    manager: str | None
    workers: WorkersStatus


class ApplicationStatus(NodeStatus):
    """What an application is doing.

    ``progress`` is how much is done of how much, as it says itself; ``progress_of`` has that of its task
    systems too, by name.
    """

    application: str
    state: str
    pushed: int
    finished: int
    failed: int
    open: int
    progress: tuple[int, int] | None
    progress_of: dict[str, tuple[int, int]]
    task_systems: int
    waits_for: str


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


STATUS_BY_TYPE: dict[str, type] = {
    "master": MasterStatus,
    "slave": SlaveStatus,
    "application": ApplicationStatus,
}
"""By what ``type`` says."""
