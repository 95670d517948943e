"""The states of a worker, seen from its slave, and what may follow what. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["TRANSITIONS", "WorkerEvent", "WorkerState"]


class WorkerState(Enum):
    """How far a worker is in its life."""

    READY = "ready"
    """It belongs to nobody; its process may only just be starting."""
    SERVING = "serving"
    """It belongs to an application and may be given tasks."""
    LEAVING = "leaving"
    """It ends after the task that it runs."""
    ENDING = "ending"
    """It was asked to end the task that it runs, and is killed after a grace."""
    KILLED = "killed"
    """It is killed by intent: that is no fault of its tasks."""
    DISTRUSTED = "distrusted"
    """It is killed, or has ended, because what it sent makes no sense: one of its tasks did that."""
    GONE = "gone"
    """Its end was reported, and what it left was taken."""


class WorkerEvent(Enum):
    """What can happen to a worker."""

    JOIN = "given to an application"
    FINISH = "told to end"
    ASK = "asked to end"
    KILL = "killed"
    DISTRUST = "distrusted"
    END = "gone"


TRANSITIONS: Final[Mapping[tuple[WorkerState, WorkerEvent], WorkerState]] = {
    (WorkerState.READY, WorkerEvent.JOIN): WorkerState.SERVING,
    (WorkerState.READY, WorkerEvent.FINISH): WorkerState.LEAVING,
    (WorkerState.READY, WorkerEvent.KILL): WorkerState.KILLED,
    (WorkerState.READY, WorkerEvent.END): WorkerState.GONE,
    (WorkerState.SERVING, WorkerEvent.FINISH): WorkerState.LEAVING,
    (WorkerState.SERVING, WorkerEvent.ASK): WorkerState.ENDING,
    (WorkerState.SERVING, WorkerEvent.KILL): WorkerState.KILLED,
    (WorkerState.SERVING, WorkerEvent.DISTRUST): WorkerState.DISTRUSTED,
    (WorkerState.SERVING, WorkerEvent.END): WorkerState.GONE,
    (WorkerState.LEAVING, WorkerEvent.FINISH): WorkerState.LEAVING,
    (WorkerState.LEAVING, WorkerEvent.ASK): WorkerState.ENDING,
    (WorkerState.LEAVING, WorkerEvent.KILL): WorkerState.KILLED,
    (WorkerState.LEAVING, WorkerEvent.DISTRUST): WorkerState.DISTRUSTED,
    (WorkerState.LEAVING, WorkerEvent.END): WorkerState.GONE,
    (WorkerState.ENDING, WorkerEvent.FINISH): WorkerState.ENDING,
    (WorkerState.ENDING, WorkerEvent.ASK): WorkerState.ENDING,
    (WorkerState.ENDING, WorkerEvent.KILL): WorkerState.KILLED,
    (WorkerState.ENDING, WorkerEvent.DISTRUST): WorkerState.DISTRUSTED,
    (WorkerState.ENDING, WorkerEvent.END): WorkerState.GONE,
    (WorkerState.KILLED, WorkerEvent.FINISH): WorkerState.KILLED,
    (WorkerState.KILLED, WorkerEvent.ASK): WorkerState.KILLED,
    (WorkerState.KILLED, WorkerEvent.KILL): WorkerState.KILLED,
    (WorkerState.KILLED, WorkerEvent.DISTRUST): WorkerState.DISTRUSTED,
    (WorkerState.KILLED, WorkerEvent.END): WorkerState.GONE,
    (WorkerState.DISTRUSTED, WorkerEvent.FINISH): WorkerState.DISTRUSTED,
    (WorkerState.DISTRUSTED, WorkerEvent.ASK): WorkerState.DISTRUSTED,
    (WorkerState.DISTRUSTED, WorkerEvent.KILL): WorkerState.DISTRUSTED,
    (WorkerState.DISTRUSTED, WorkerEvent.DISTRUST): WorkerState.DISTRUSTED,
    (WorkerState.DISTRUSTED, WorkerEvent.END): WorkerState.GONE,
}
