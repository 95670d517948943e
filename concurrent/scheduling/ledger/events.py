"""What happened (past tense) and what to do about it (imperative), as plain data.

Events go into :class:`concurrent.scheduling.ledger.ledger.Ledger`, commands come out of it. Each carries a
whole batch in columns, so that the cost of an object is shared by many tasks. ``owner`` and ``slave``
are the positive numbers that the master gave to one registration: a node that registers again gets
another number, so nothing that an old registration says can be taken for the new one's word.
Payloads are opaque: ``bytes`` or :class:`concurrent.transport.frames.Frame`. Nobody assigns to the fields of
either; they are not frozen, since it takes several times as long to make what is. The events that a journal
keeps are made in ``recorded.py``, commands in ``commands.py``; all have their names here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from concurrent.scheduling.ledger.commands import (
    Accept,
    AskBack,
    CancelRun,
    CheckQueue,
    Command,
    Deliver,
    FailInfeasible,
    ForgetJob,
    ProbeStore,
    Push,
    Recall,
    Record,
    RefusedByAll,
    Send,
    SlaveHeard,
    SlaveSilent,
    TasksMoved,
    TellDrained,
    TellHeld,
    TellInfeasible,
    TellRunning,
    TellUnread,
    TellWaiting,
)
from concurrent.scheduling.ledger.recorded import (
    CodeDefined,
    JobBegun,
    JobClosed,
    JobHeld,
    JobNoted,
    JobReleased,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Recordable,
    SessionAttached,
    SlaveDrained,
    SlaveJoined,
    SlaveLost,
    SlaveResumed,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
    TasksEnded,
    TasksNamed,
    TasksRenumbered,
    TasksRetried,
    TasksSubmitted,
    TasksTried,
)
from concurrent.scheduling.tasks.terms import Terms

__all__ = [
    "Accept",
    "AskBack",
    "BytesConsumed",
    "CancelRequested",
    "CancelRun",
    "CheckQueue",
    "CodeDefined",
    "Command",
    "Deliver",
    "Event",
    "FailInfeasible",
    "ForgetJob",
    "JobBegun",
    "JobCancelled",
    "JobClosed",
    "JobHeld",
    "JobNoted",
    "JobReleased",
    "OutcomesConsumed",
    "OutcomesRecalled",
    "OwnerJoined",
    "OwnerLeft",
    "ProbeStore",
    "Push",
    "PushedLost",
    "Recall",
    "Record",
    "Recordable",
    "RefusedByAll",
    "RefusedPassedOn",
    "Send",
    "SessionAttached",
    "SessionDetached",
    "SlaveAsked",
    "SlaveAway",
    "SlaveBack",
    "SlaveDrained",
    "SlaveFits",
    "SlaveHeard",
    "SlaveHolding",
    "SlaveJoined",
    "SlaveLacks",
    "SlaveLost",
    "SlaveResumed",
    "SlaveSilent",
    "SlavesGone",
    "StoreChanged",
    "SystemEnded",
    "SystemLosses",
    "SystemPushed",
    "SystemStepped",
    "SystemTaken",
    "TasksAgain",
    "TasksAssigned",
    "TasksDone",
    "TasksEnded",
    "TasksFailed",
    "TasksMoved",
    "TasksNamed",
    "TasksOffered",
    "TasksRenumbered",
    "TasksRetried",
    "TasksReturned",
    "TasksRunning",
    "TasksSubmitted",
    "TasksTaken",
    "TasksTried",
    "TellDrained",
    "TellHeld",
    "TellInfeasible",
    "TellRunning",
    "TellUnread",
    "TellWaiting",
    "TimePassed",
    "WindowChanged",
]


@dataclass(slots=True)
class SessionDetached:
    """The session of an owner has ended, and its job goes on."""

    owner: int


@dataclass(slots=True)
class JobCancelled:
    """Somebody wants nothing more of a job: its open tasks are cancelled, and no others are taken."""

    owner: int


@dataclass(slots=True)
class SystemTaken:
    """An application has dealt with the outcome of its task system ``owner``: nothing more is wanted of it."""

    owner: int


@dataclass(slots=True)
class OutcomesRecalled:
    """What ``Recall`` asked for, or a beginning of it; columns of one length, and empty if nothing is there.

    :param first: the delivery number of the first one.
    """

    owner: int
    first: int
    ids: list[int]
    statuses: list[int]
    payloads: list[Any]


@dataclass(slots=True)
class BytesConsumed:
    """``owner``, whose protocol does not name outcomes, has dealt with so many bytes of them."""

    owner: int
    size_bytes: int


@dataclass(slots=True)
class CancelRequested:
    """``owner`` wants nothing more of the tasks that it numbered ``ids``.

    :param grace_s: how long one that runs has to end by itself, in seconds.
    :param by: who wants that, if it is not the owner; the outcomes say so.
    """

    owner: int
    ids: list[int]
    grace_s: float = 0.0
    by: str = ""


@dataclass(slots=True)
class TasksAgain:
    """Somebody wants tasks to begin at once: those that wait for their next tries, and those that slaves have,
    which are ended there. It costs them no attempt and no try.
    """

    numbers: list[int]


@dataclass(slots=True)
class SlaveAway:
    """Nothing arrives from a slave any more. It may be paused or cut off, and come back."""

    slave: int


@dataclass(slots=True)
class SlaveBack:
    """The session of a slave goes on, from which nothing had arrived; what it holds it still has."""

    slave: int


@dataclass(slots=True)
class SlaveHolding:
    """A slave that has come back tells of all that it has of the master; it comes before what it reports else.

    :param running: the numbers of tasks that wait or run there.
    :param finished: those that have ended there, whose outcomes it brings again.
    """

    slave: int
    running: list[int]
    finished: list[int]


@dataclass(slots=True)
class SlavesGone:
    """Slaves of these names do not come back, though their loss was not told."""

    names: list[str]


@dataclass(slots=True)
class WindowChanged:
    """A slave wants to hold up to ``window`` tasks from now on; 0 while it drains."""

    slave: int
    window: int


@dataclass(slots=True)
class SlaveLacks:
    """A slave tells why it wants no tasks: what its machine is short of.

    :param reason: for people, in a few words; empty when that is over.
    """

    slave: int
    reason: str


@dataclass(slots=True)
class SlaveFits:
    """A slave tells whether it has what the code of an owner needs.

    :param program: what people call the owner.
    :param words: what is wrong, to go on behind the name of the slave; empty if nothing is.
    """

    slave: int
    owner: int
    program: str
    words: str


@dataclass(slots=True)
class TasksDone:
    """A slave reports attempts that ended; columns of one length, see ``outcome.py``.

    ``task_s`` is how long its tasks took lately, in seconds; 0 if it does not know. ``at`` is when it came, in
    seconds since the epoch; 0 if that is not known.
    """

    slave: int
    numbers: list[int]
    statuses: list[int]
    payloads: list[Any]
    task_s: float = 0.0
    at: float = 0.0


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

    :param is_refused: whether it refuses them whatever it wants to hold and was asked.
    """

    slave: int
    numbers: list[int]
    is_refused: bool = False


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
    :param is_vital: whether nothing may be accepted while it cannot write, for that is where it is kept.
    """

    stored_bytes: int = 0
    problem: str = ""
    place: str = ""
    is_vital: bool = False


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
    :param clock: the time, in seconds since the epoch; 0 if it is not known.
    """

    now: float
    clock: float = 0.0


Event = (
    Recordable
    | SessionDetached
    | JobCancelled
    | SystemTaken
    | OutcomesRecalled
    | BytesConsumed
    | StoreChanged
    | CancelRequested
    | TasksAgain
    | SlaveAway
    | SlaveBack
    | SlaveHolding
    | SlavesGone
    | WindowChanged
    | SlaveLacks
    | SlaveFits
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
