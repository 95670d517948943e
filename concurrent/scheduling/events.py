"""What happens at a master and what is done about it, for schedulers of plug-ins.

The names are public here; where they are made is an affair of the framework.
"""

from __future__ import annotations

from concurrent.scheduling.ledger.events import (
    AskBack,
    CancelRequested,
    CancelRun,
    Command,
    Deliver,
    Event,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    RefusalsOutdated,
    Send,
    SlaveJoined,
    SlaveLost,
    SlaveSilent,
    TasksDone,
    TasksFailed,
    TasksMoved,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TellRunning,
    TimePassed,
    WindowChanged,
)

__all__ = [
    "AskBack",
    "CancelRequested",
    "CancelRun",
    "Command",
    "Deliver",
    "Event",
    "OwnerJoined",
    "OwnerLeft",
    "Push",
    "PushedLost",
    "RefusalsOutdated",
    "Send",
    "SlaveJoined",
    "SlaveLost",
    "SlaveSilent",
    "TasksDone",
    "TasksFailed",
    "TasksMoved",
    "TasksReturned",
    "TasksRunning",
    "TasksSubmitted",
    "TasksTaken",
    "TellRunning",
    "TimePassed",
    "WindowChanged",
]
