"""The states of a task at the master, what can happen to it there, and what may follow what. A pure module.

The table is what the ledger does: every change of a task's state goes through it. An event that has no place
in it raises with the task's story (``TaskRecord.misplaced``).
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final

__all__ = ["NEXT_BY_EVENT", "TRANSITIONS", "TaskEvent", "TaskState"]


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
    WAITING = 5
    """It raised or passed a limit, and waits for the time of its next try."""


class TaskEvent(Enum):
    """What can happen to a task."""

    __hash__ = object.__hash__  # that of Enum is code in Python, for each change of a state

    GIVEN = "given to a slave"
    OFFERED = "offered to all slaves"
    TAKEN = "taken by a slave"
    RESUMED = "taken up again by a slave that had it before"
    REFUSED = "kept from slaves that refused it"
    RETRIED = "left to wait for its next try"
    PUT_BACK = "queued again"
    ENDED = "ended"


QUEUED, PUSHED, HELD, REFUSED, CLOSED, WAITING = TaskState

TRANSITIONS: Final[dict[tuple[TaskState, TaskEvent], TaskState]] = {
    (QUEUED, TaskEvent.GIVEN): HELD,
    (QUEUED, TaskEvent.OFFERED): PUSHED,
    (QUEUED, TaskEvent.RESUMED): HELD,
    (QUEUED, TaskEvent.ENDED): CLOSED,
    (PUSHED, TaskEvent.TAKEN): HELD,
    (PUSHED, TaskEvent.RESUMED): HELD,
    (PUSHED, TaskEvent.PUT_BACK): QUEUED,
    (PUSHED, TaskEvent.ENDED): CLOSED,
    (HELD, TaskEvent.REFUSED): REFUSED,
    (HELD, TaskEvent.RETRIED): WAITING,
    (HELD, TaskEvent.PUT_BACK): QUEUED,
    (HELD, TaskEvent.ENDED): CLOSED,
    (REFUSED, TaskEvent.GIVEN): HELD,
    (REFUSED, TaskEvent.RESUMED): HELD,
    (REFUSED, TaskEvent.PUT_BACK): QUEUED,
    (REFUSED, TaskEvent.ENDED): CLOSED,
    (WAITING, TaskEvent.RESUMED): HELD,
    (WAITING, TaskEvent.REFUSED): REFUSED,
    (WAITING, TaskEvent.PUT_BACK): QUEUED,
    (WAITING, TaskEvent.ENDED): CLOSED,
}

NEXT_BY_EVENT: Final[dict[TaskEvent, dict[TaskState, TaskState]]] = {
    event: {state: following for (state, one), following in TRANSITIONS.items() if one is event}
    for event in TaskEvent
}
"""The same by columns, which is how it is looked up: many tasks undergo one event."""
