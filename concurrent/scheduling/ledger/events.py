"""What happened (past tense) and what to do about it (imperative), as plain data.

Events go into :class:`concurrent.scheduling.ledger.ledger.Ledger`, commands come out of it. Each carries a
whole batch in columns, so that the cost of an object is shared by many tasks. ``owner`` and ``slave``
are the positive numbers that the master gave to one registration: a node that registers again gets
another number, so nothing that an old registration says can be taken for the new one's word.
Payloads are opaque: ``bytes`` or :class:`concurrent.transport.frames.Frame`. Nobody assigns to the fields of
either; they are not frozen, since it takes several times as long to make what is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = [
    "Accept",
    "AskBack",
    "BytesConsumed",
    "CancelRequested",
    "CancelRun",
    "CheckQueue",
    "Command",
    "Deliver",
    "Event",
    "OutcomesConsumed",
    "OwnerJoined",
    "OwnerLeft",
    "ProbeStore",
    "Push",
    "PushedLost",
    "Record",
    "Recordable",
    "RefusedByAll",
    "RefusedPassedOn",
    "Send",
    "SessionAttached",
    "SessionDetached",
    "SlaveAsked",
    "SlaveHolding",
    "SlaveJoined",
    "SlaveLost",
    "SlaveSilent",
    "StoreChanged",
    "TasksAssigned",
    "TasksDone",
    "TasksEnded",
    "TasksFailed",
    "TasksMoved",
    "TasksOffered",
    "TasksReturned",
    "TasksRunning",
    "TasksSubmitted",
    "TasksTaken",
    "TellHeld",
    "TellRunning",
    "TimePassed",
    "WindowChanged",
]


@dataclass(slots=True)
class OwnerJoined:
    """An application or a task system registered; it may submit tasks."""

    owner: int
    name: str


@dataclass(slots=True)
class OwnerLeft:
    """An owner said goodbye or was lost; its tasks are freed."""

    owner: int


@dataclass(slots=True)
class SessionAttached:
    """A session goes on with the job of an owner; it has nothing yet of what was not consumed."""

    owner: int


@dataclass(slots=True)
class SessionDetached:
    """The session of an owner has ended, and its job goes on."""

    owner: int


@dataclass(slots=True)
class OutcomesConsumed:
    """``owner`` has dealt with its outcomes up to a number, see ``Deliver.up_to``; they may be forgotten."""

    owner: int
    up_to: int


@dataclass(slots=True)
class BytesConsumed:
    """``owner``, whose protocol does not name outcomes, has dealt with so many bytes of them."""

    owner: int
    size_bytes: int


@dataclass(slots=True)
class TasksSubmitted:
    """``owner`` handed over ``len(payloads)`` tasks, numbered by it from ``first_id``.

    ``terms`` is what they ask for, up to the first of ``changes``: places among them, and the terms from there.
    """

    owner: int
    first_id: int
    payloads: list[Any]
    terms: Terms = DEFAULT_TERMS
    changes: Sequence[tuple[int, Terms]] = ()


@dataclass(slots=True)
class CancelRequested:
    """``owner`` wants nothing more of the tasks that it numbered ``ids``."""

    owner: int
    ids: list[int]


@dataclass(slots=True)
class SlaveJoined:
    """A slave of at least one worker registered; it takes up to ``window`` tasks at a time.

    ``data`` is what it said of itself.
    """

    slave: int
    name: str
    workers: int
    window: int
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class SlaveHolding:
    """A slave that has come back tells what it has from an earlier session: ``finished`` is reported soon."""

    slave: int
    running: list[int]
    finished: list[int]


@dataclass(slots=True)
class SlaveLost:
    """A slave is gone; what it held goes to others."""

    slave: int
    reason: str


@dataclass(slots=True)
class WindowChanged:
    """A slave wants to hold up to ``window`` tasks from now on; 0 while it drains."""

    slave: int
    window: int


@dataclass(slots=True)
class TasksDone:
    """A slave reports attempts that ended; columns of one length, see ``outcome.py``.

    ``task_s`` is how long its tasks took lately, in seconds; 0 if it does not know.
    """

    slave: int
    numbers: list[int]
    statuses: list[int]
    payloads: list[Any]
    task_s: float = 0.0


@dataclass(slots=True)
class TasksFailed:
    """The master itself cannot do these tasks, which no slave has got; columns of one length.

    :param failures: why, each as a payload (``wire/failure.py``).
    """

    numbers: list[int]
    failures: list[Any]


@dataclass(slots=True)
class TasksReturned:
    """A slave hands back tasks that it has not started; this costs them no attempt.

    If it was not asked, and wants to hold tasks, it refuses these: others get them, and not it again.
    """

    slave: int
    numbers: list[int]


@dataclass(slots=True)
class TasksTaken:
    """A slave reports the tasks that it took from the shared work socket."""

    slave: int
    numbers: list[int]


@dataclass(slots=True)
class TasksRunning:
    """A slave tells of tasks that have run for a while; columns of one length.

    :param workers: the numbers of the processes that run them.
    :param run_s: how long each has run.
    :param notes: what is unusual about each, in a few words; mostly nothing.
    :param now: the time, in seconds since the epoch.
    """

    slave: int
    numbers: list[int]
    workers: list[int]
    run_s: list[float]
    notes: list[str]
    now: float


@dataclass(slots=True)
class StoreChanged:
    """What the store of payloads has in files.

    :param problem: why it cannot write now; nothing if it can.
    :param place: the folder of the files.
    """

    stored_bytes: int = 0
    problem: str = ""
    place: str = ""


@dataclass(slots=True)
class TasksAssigned:
    """A scheduler has chosen that a slave gets up to ``count`` tasks; ``Ledger.assign`` does the same.

    :param lane: owner and terms of the lane that they come from; None for all lanes, in their order.
    """

    slave: int
    count: int
    lane: tuple[int, Terms] | None = None


@dataclass(slots=True)
class TasksOffered:
    """A scheduler has chosen that up to ``count`` tasks are offered to all; ``Ledger.offer`` does the same."""

    count: int
    lane: tuple[int, Terms] | None = None


@dataclass(slots=True)
class SlaveAsked:
    """A scheduler has chosen to ask a slave for unstarted tasks; ``Ledger.ask_back`` does the same."""

    slave: int


@dataclass(slots=True)
class RefusedPassedOn:
    """What slaves refused goes to others that have room; ``Ledger.pass_on`` does the same."""


@dataclass(slots=True)
class PushedLost:
    """What lies on the shared work socket seems lost: slaves have idle workers and take none of it."""


@dataclass(slots=True)
class TimePassed:
    """The time that ``Ledger.deadline`` asked for has come, or nearly so.

    :param now: the time, in seconds since any fixed instant.
    """

    now: float


@dataclass(slots=True)
class Send:
    """Send these tasks of one owner to one slave."""

    slave: int
    owner: int
    numbers: list[int]
    payloads: list[Any]


@dataclass(slots=True)
class Push:
    """Put these tasks of one owner on the shared work socket."""

    owner: int
    numbers: list[int]
    payloads: list[Any]


@dataclass(slots=True)
class CancelRun:
    """Tell a slave to drop these tasks, running or not."""

    slave: int
    numbers: list[int]


@dataclass(slots=True)
class AskBack:
    """Ask a slave to hand back up to ``count`` tasks that it has not started."""

    slave: int
    count: int


@dataclass(slots=True)
class SlaveSilent:
    """Say that a slave holds tasks and reports nothing; or that it reports again.

    :param held_count: how many it holds; 0 if it reports again.
    """

    slave: int
    held_count: int = 0


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
class Accept:
    """Tell an owner that the master answers for its tasks up to a number; what it submitted is recorded."""

    owner: int
    last_id: int


@dataclass(slots=True)
class TasksEnded:
    """What a journal keeps of tasks that have ended: their outcomes, by the owner's numbers."""

    owner: int
    ids: list[int]
    statuses: list[int]
    payloads: list[Any]


Recordable = OwnerJoined | OwnerLeft | TasksSubmitted | TasksEnded | OutcomesConsumed
"""What a journal keeps: who has what done, what became of it and what was dealt with, not who had it."""


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


Event = (
    OwnerJoined
    | OwnerLeft
    | SessionAttached
    | SessionDetached
    | OutcomesConsumed
    | BytesConsumed
    | StoreChanged
    | TasksSubmitted
    | CancelRequested
    | SlaveJoined
    | SlaveHolding
    | SlaveLost
    | WindowChanged
    | TasksDone
    | TasksFailed
    | TasksReturned
    | TasksTaken
    | TasksRunning
    | TasksAssigned
    | TasksOffered
    | SlaveAsked
    | RefusedPassedOn
    | PushedLost
    | TimePassed
)
Command = (
    Record
    | Accept
    | Send
    | Push
    | CancelRun
    | AskBack
    | CheckQueue
    | SlaveSilent
    | TasksMoved
    | RefusedByAll
    | ProbeStore
    | TellHeld
    | TellRunning
    | Deliver
)
