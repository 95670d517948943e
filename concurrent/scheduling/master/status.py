"""What a master's tasks and task systems are doing. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.core.status import Status
from concurrent.scheduling.ledger.status import LedgerStatus, RunningRow

__all__ = ["SystemRow", "TasksStatus"]


@dataclass(frozen=True)
class TasksStatus(LedgerStatus):
    """The tasks of a master: counts of all, and a part of each list."""

    running: tuple[RunningRow, ...]
    running_count: int
    workers: int
    undelivered: int
    unacknowledged: int
    chunks_waiting: int
    stored_bytes: int
    held_because: str
    delivered_bytes: int


@dataclass(frozen=True, slots=True)
class SystemRow(Status):
    """A task system, its process, and its number as an owner of tasks."""

    system_id: int
    application: str
    pid: int
    owner: int
