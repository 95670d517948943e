"""The states of a task at the master, and what may follow what.

A pure module: one table of what the ledger does. The ledger looks into it before it queues a task again, and
raises with the task's story if that may not be; elsewhere the table describes its code.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["NEXT_STATES", "TaskState"]


class TaskState(IntEnum):
    """Where a task is, as the master knows it."""

    QUEUED = 0
    """Accepted, waits at the master for a slave."""
    PUSHED = 1
    """On the shared work queue; no slave has reported that it took it."""
    HELD = 2
    """One slave has it, waiting or running there."""
    REFUSED = 3
    """Slaves handed it back unasked, or lost a worker over it; it waits for one that has not."""
    CLOSED = 4
    """Finished, failed or cancelled; the outcome goes to its owner once."""


NEXT_STATES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.PUSHED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.PUSHED: frozenset({TaskState.QUEUED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.HELD: frozenset({TaskState.QUEUED, TaskState.REFUSED, TaskState.CLOSED}),
    TaskState.REFUSED: frozenset({TaskState.QUEUED, TaskState.HELD, TaskState.CLOSED}),
    TaskState.CLOSED: frozenset(),
}
