"""What a master's tasks, task systems and journal are doing. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.core.status import Status
from concurrent.scheduling.ledger.status import LedgerStatus, RunningRow, WaitRow

__all__ = ["JournalStatus", "SystemRow", "TasksStatus"]


@dataclass(frozen=True)
class TasksStatus(LedgerStatus):
    """The tasks of a master: counts of all, and a part of each list."""

    running: tuple[RunningRow, ...]
    running_count: int
    waiting: tuple[WaitRow, ...]
    workers: int
    undelivered: int
    unacknowledged: int
    chunks_waiting: int
    stored_bytes: int
    held_because: str
    delivered_bytes: int


@dataclass(frozen=True, slots=True)
class JournalStatus(Status):
    """The journal of a master.

    ``epoch`` counts how often it was opened. ``used_bytes`` is its size, ``wanted_bytes`` how much of that is
    wanted, about. ``unwritten`` batches are not committed. ``problem`` is why no new work is taken now.
    """

    folder: str
    durability: str
    cluster: str
    epoch: int
    used_bytes: int
    wanted_bytes: int
    unwritten: int
    problem: str


@dataclass(frozen=True, slots=True)
class SystemRow(Status):
    """A task system, its process, and its number as an owner of tasks."""

    system_id: int
    application: str
    pid: int
    owner: int
