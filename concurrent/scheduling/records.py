"""What the ledger keeps of each task, owner and slave."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from concurrent.scheduling.events import TasksSubmitted
from concurrent.scheduling.states import TaskState

__all__ = ["OwnerRecord", "SlaveRecord", "TaskRecord"]

QUEUED = TaskState.QUEUED


class TaskRecord:
    """What the master knows of one task."""

    __slots__ = (
        "attempts_max",
        "client_id",
        "code_count",
        "evidence",
        "number",
        "owner",
        "payload",
        "slave",
        "state",
    )

    def __init__(
        self, number: int, owner: OwnerRecord, client_id: int, payload: Any, batch: TasksSubmitted
    ) -> None:
        self.number = number
        self.owner = owner
        self.client_id = client_id
        self.payload = payload
        self.code_count = batch.code_count
        self.attempts_max = batch.attempts_max
        self.state = QUEUED
        self.slave = 0
        self.evidence: tuple[bytes, ...] = ()


@dataclass(slots=True, eq=False)
class OwnerRecord:
    """One registration of an application or task system, and its queue.

    The queue may hold cancelled tasks too, which ``queued_count`` does not count.
    """

    owner: int
    name: str
    queue: deque[TaskRecord] = field(default_factory=deque)
    queued_count: int = 0
    number_by_id: dict[int, int] = field(default_factory=dict)
    next_id: int = 0
    is_listed: bool = False
    closed_count: int = 0

    @property
    def given_count(self) -> int:
        """How many of its tasks are at the slaves or on the way there."""
        return len(self.number_by_id) - self.queued_count


@dataclass(slots=True, eq=False)
class SlaveRecord:
    """One registration of a slave, and what it holds.

    ``reported_at`` counts the reports of all slaves up to the latest of this one.
    """

    slave: int
    name: str
    workers: int
    window: int
    held: dict[int, TaskRecord] = field(default_factory=dict)
    done_count: int = 0
    died_count: int = 0
    task_s: float = 0.0
    reported_at: int = 0
    is_asked_back: bool = False

    @property
    def room(self) -> int:
        """How many more tasks the slave takes now."""
        return self.window - len(self.held)
