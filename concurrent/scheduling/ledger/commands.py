"""What a ledger wants done, as plain data: commands, to be carried out in their order.

As with events, each carries a whole batch in columns, and nobody assigns to its fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from concurrent.scheduling.ledger.recorded import Recordable
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = [
    "Accept",
    "AskBack",
    "CancelRun",
    "CheckQueue",
    "Command",
    "Deliver",
    "FailInfeasible",
    "ForgetJob",
    "ProbeStore",
    "Push",
    "Recall",
    "Record",
    "RefusedByAll",
    "Send",
    "SlaveHeard",
    "SlaveSilent",
    "TasksMoved",
    "TellDrained",
    "TellHeld",
    "TellInfeasible",
    "TellRunning",
    "TellUnread",
    "TellWaiting",
]


@dataclass(slots=True)
class Send:
    """Send these tasks of one owner to one slave.

    :param terms: what all of them ask for.
    """

    slave: int
    owner: int
    numbers: list[int]
    payloads: list[Any]
    terms: Terms = DEFAULT_TERMS


@dataclass(slots=True)
class Push:
    """Put these tasks of one owner on the shared work socket.

    :param terms: what all of them ask for.
    """

    owner: int
    numbers: list[int]
    payloads: list[Any]
    terms: Terms = DEFAULT_TERMS


@dataclass(slots=True)
class CancelRun:
    """Tell a slave to drop these tasks, running or not.

    :param grace_s: how long one that runs has after it was asked to end, in seconds; 0: it is killed.
    """

    slave: int
    numbers: list[int]
    grace_s: float = 0.0


@dataclass(slots=True)
class AskBack:
    """Ask a slave to hand back up to ``count`` tasks that it has not started."""

    slave: int
    count: int


@dataclass(slots=True)
class SlaveSilent:
    """Say that nothing is heard of a slave, or of the tasks that it holds; it gets no more until it is.

    :param held_count: how many it holds.
    """

    slave: int
    held_count: int


@dataclass(slots=True)
class SlaveHeard:
    """Say that a slave which was silent is heard of again."""

    slave: int


@dataclass(slots=True)
class TasksMoved:
    """Say that tasks of a silent slave are offered to others."""

    slave: int
    count: int


@dataclass(slots=True)
class CheckQueue:
    """See whether what is offered has left the master though nobody takes it; then say ``PushedLost``."""


@dataclass(slots=True)
class RefusedByAll:
    """Say that all slaves refused tasks, which are offered to them again.

    :param owners: whose tasks; ``counts`` has how many of each.
    :param has_lost_workers: whether workers died of some of them.
    :param story: of one of them.
    """

    owners: list[int]
    counts: list[int]
    has_lost_workers: bool
    story: str


@dataclass(slots=True)
class ProbeStore:
    """Find out whether files can be written, and say ``StoreChanged`` in any case."""


@dataclass(slots=True)
class TellDrained:
    """Tell a slave that it is drained, and have it get nothing more; or that it is not any more.

    :param by: who wants that; nothing if it takes tasks again.
    """

    slave: int
    by: str


@dataclass(slots=True)
class TellHeld:
    """Tell owners why their tasks are not accepted for now.

    :param reason: what is short, by name and figure; nothing if there is room again.
    :param is_news: whether this was not so before.
    """

    owners: list[int]
    reason: str
    is_news: bool


@dataclass(slots=True)
class TellRunning:
    """Tell an owner which of its tasks have begun to run and will take a while."""

    owner: int
    ids: list[int]


@dataclass(slots=True)
class TellWaiting:
    """Tell an owner which of its tasks, that ran, wait again: for their next tries, or for another slave."""

    owner: int
    ids: list[int]


@dataclass(slots=True)
class Accept:
    """Tell an owner that the master answers for its tasks up to a number; what it submitted is recorded."""

    owner: int
    last_id: int


@dataclass(slots=True)
class Recall:
    """Read outcomes of a job back from the journal, once they are kept there; then say ``OutcomesRecalled``.

    :param first: the delivery number of the first one.
    :param count: how many at most; fewer may be brought.
    """

    owner: int
    first: int
    count: int


@dataclass(slots=True)
class TellUnread:
    """Say that a job will be forgotten though outcomes of it were not read.

    :param left_s: in how many seconds.
    """

    owner: int
    unread_count: int
    left_s: float


@dataclass(slots=True)
class ForgetJob:
    """Forget what belongs to a job besides the ledger, which knows it no more, and say so.

    :param name: of the job.
    :param reason: why, for people.
    :param unread_count: how many outcomes of it nobody has read.
    """

    owner: int
    name: str
    reason: str
    unread_count: int


@dataclass(slots=True)
class TellInfeasible:
    """Tell an owner of tasks that no slave could meet which has joined.

    :param why: what of their claim is missing.
    :param fails: whether they will fail if this stays so.
    """

    owner: int
    count: int
    why: str
    fails: bool


@dataclass(slots=True)
class FailInfeasible:
    """End tasks that no slave could meet for a while: ``TasksFailed`` says with which failures.

    :param why: what is missing.
    """

    numbers: list[int]
    why: str


@dataclass(slots=True)
class Record:
    """Keep this where it outlives the master, before any command that comes after this one is carried out."""

    what: Recordable


@dataclass(slots=True)
class Deliver:
    """Give outcomes to their owner, each once in a session.

    :param up_to: the number of the last of them; those of a job are numbered from 1.
    """

    owner: int
    ids: list[int]
    statuses: list[int]
    payloads: list[Any]
    up_to: int


Command = (
    Record
    | Accept
    | Send
    | Push
    | CancelRun
    | AskBack
    | CheckQueue
    | SlaveSilent
    | SlaveHeard
    | TasksMoved
    | RefusedByAll
    | ProbeStore
    | TellDrained
    | TellHeld
    | TellRunning
    | TellWaiting
    | TellInfeasible
    | FailInfeasible
    | Recall
    | TellUnread
    | ForgetJob
    | Deliver
)
