"""The states of a task at the master, and what may follow what.

A pure module: one table of what the ledger does. The ledger looks into it before it queues a task again, and
raises with the task's story if that may not be; elsewhere the table describes its code.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["MEANING_BY_STATE", "NEXT_STATES", "TaskState"]


class TaskState(IntEnum):
    """Where a task is, as the master knows it."""

    QUEUED = 0
    PUSHED = 1
    HELD = 2
    REFUSED = 3
    CLOSED = 4


MEANING_BY_STATE: dict[TaskState, str] = {
    TaskState.QUEUED: "accepted, waits at the master for a slave",
    TaskState.PUSHED: "on the shared work socket, no slave has reported that it took it",
    TaskState.HELD: "one slave has it, waiting or running there",
    TaskState.REFUSED: "slaves handed it back unasked; it waits for one that has not",
    TaskState.CLOSED: "finished, failed or cancelled; the outcome goes to its owner once",
}

NEXT_STATES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.PUSHED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.PUSHED: frozenset({TaskState.QUEUED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.HELD: frozenset({TaskState.QUEUED, TaskState.REFUSED, TaskState.CLOSED}),
    TaskState.REFUSED: frozenset({TaskState.QUEUED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.CLOSED: frozenset(),
}
