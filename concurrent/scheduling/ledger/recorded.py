"""What a journal keeps: the events of which a ledger is made again. Plain data, in columns.

It is who has what done, what became of it and what was dealt with; not who had it meanwhile, which is settled
anew. They are told again in their order. One may be left out when telling the others gives the same ledger.
``owner`` and ``slave`` are the numbers that the master gave to them. Payloads are opaque. Nobody assigns to the
fields; they are not frozen, since it takes several times as long to make what is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = [
    "CodeDefined",
    "JobBegun",
    "JobClosed",
    "JobHeld",
    "JobNoted",
    "JobReleased",
    "OutcomesConsumed",
    "OwnerJoined",
    "OwnerLeft",
    "Recordable",
    "SessionAttached",
    "SlaveDrained",
    "SlaveJoined",
    "SlaveLost",
    "SlaveResumed",
    "SystemEnded",
    "SystemLosses",
    "SystemPushed",
    "SystemStepped",
    "TasksEnded",
    "TasksNamed",
    "TasksRenumbered",
    "TasksRetried",
    "TasksSubmitted",
    "TasksTried",
]


@dataclass(slots=True)
class OwnerJoined:
    """An application or a task system registered; it may submit tasks.

    :param job: what it asked for; None if nothing of it outlives its session.
    :param weight: how many turns and shares of slaves it has, where others have one.
    """

    owner: int
    name: str
    job: JobSpec | None = None
    weight: int = 1


@dataclass(slots=True)
class OwnerLeft:
    """An owner said goodbye or was lost; its tasks are freed, and nothing is kept of its job."""

    owner: int


@dataclass(slots=True)
class SessionAttached:
    """A session goes on with the job of an owner; it has nothing yet of what was not consumed.

    :param attachment: which session of this job it says it is: the newest comes back with the number that it
        was given, any other takes the job over with 0. As recorded, what this one was given.
    :param from_start: whether it wants what was consumed before, too.
    :param node: the program. The newest may also come with the number before, for it may never have heard of
        its own.
    """

    owner: int
    attachment: int = 0
    from_start: bool = False
    node: str = ""


@dataclass(slots=True)
class JobBegun:
    """The program of a job has pushed all that it begins with.

    :param left_over: how many tasks of a former program, whose first push was cut, it has not pushed again.
    """

    owner: int
    left_over: int = 0


@dataclass(slots=True)
class JobClosed:
    """Nothing more of a job runs; its outcomes and its history stay.

    :param how: in a word: "finished", "cancelled".
    :param at: when, in seconds since the epoch.
    """

    owner: int
    how: str
    at: float


@dataclass(slots=True)
class JobHeld:
    """Nothing of a job may run for now.

    :param reason: why, for people; empty: it is not held any more, though nobody has released it.
    :param is_unfit: whether that is because its code does not run at this master, but would at another one.
    """

    owner: int
    reason: str
    is_unfit: bool = False


@dataclass(slots=True)
class JobReleased:
    """Somebody has a job run that was held, and it is not held for the same reason again.

    :param reason: as recorded, why it was held.
    """

    owner: int
    reason: str = ""


@dataclass(slots=True)
class JobNoted:
    """What a master remembers of a job besides its tasks; the newest one counts.

    :param first_run_at: when its first task began to run, in seconds since the epoch; 0 if none has.
    :param failures: rows of the name of the tasks, the type of the exception, how many there were, and the
        text of the last one.
    :param finished: how many tasks had a result of its task systems that have left; so ``failed`` and
        ``cancelled``.
    """

    owner: int
    first_run_at: float
    failures: list[tuple[str, str, int, str]]
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(slots=True)
class CodeDefined:
    """``owner`` sent the blob of its code that has this index; they are numbered from 0."""

    owner: int
    index: int
    blob: Any


@dataclass(slots=True)
class TasksSubmitted:
    """``owner`` handed over ``len(payloads)`` tasks, numbered by it from ``first_id``.

    ``terms`` is what they ask for, up to the first of ``changes``: places among them, and the terms from there.

    :param first_number: the ledger's number of the first one, and the others count on from there; 0 before it
        has given them numbers.
    :param at: when, in seconds since the epoch; 0 if it is not known.
    """

    owner: int
    first_id: int
    payloads: list[Any]
    terms: Terms = DEFAULT_TERMS
    changes: Sequence[tuple[int, Terms]] = ()
    first_number: int = 0
    at: float = 0.0

    def parts(self) -> Iterator[tuple[int, int, Terms]]:
        """Yield where tasks with equal terms begin and end, and their terms."""
        start, terms = 0, self.terms
        for end, following in (*self.changes, (len(self.payloads), terms)):
            yield start, end, terms
            start, terms = end, following


@dataclass(slots=True)
class TasksNamed:
    """Texts by which a program that starts again knows its tasks, from ``first_id`` on."""

    owner: int
    first_id: int
    keys: list[str]


@dataclass(slots=True)
class TasksTried:
    """A worker died of each of these tasks, by the owner's numbers, and they have attempts left.

    :param evidence: what is known of that, one text in UTF-8 for each.
    """

    owner: int
    ids: list[int]
    evidence: list[bytes]


@dataclass(slots=True)
class TasksRetried:
    """Tasks of an owner raised or passed a limit, and are tried again; columns of one length.

    :param tries: which try that will be, 1 for the first one after the failure.
    :param at: when, in seconds since the epoch; 0: at once.
    """

    owner: int
    ids: list[int]
    tries: list[int]
    at: list[float]


@dataclass(slots=True)
class TasksRenumbered:
    """The ledger numbered these tasks anew, by the owner's numbers; in their order from ``first_number``."""

    owner: int
    ids: list[int]
    first_number: int


@dataclass(slots=True)
class TasksEnded:
    """Tasks have ended: their outcomes, by the owner's numbers.

    :param first_outcome: the delivery number of the first one, and the others count on from there. Where it
        leaves a gap, all before it were consumed.
    """

    owner: int
    ids: list[int]
    statuses: list[int]
    payloads: list[Any]
    first_outcome: int = 0


@dataclass(slots=True)
class OutcomesConsumed:
    """``owner`` has dealt with its outcomes up to a number, see ``Deliver.up_to``; they may be forgotten.

    As recorded it says how far the job was then, so that what it made superfluous can be left out.

    :param next_id: the least number that the owner had not used.
    :param finished: how many of its tasks had a result; so ``failed`` and ``cancelled``.
    """

    owner: int
    up_to: int
    next_id: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


@dataclass(slots=True)
class SystemPushed:
    """An application handed over a task system; ``owner`` is the system as an owner of tasks.

    :param application: the owner that pushed it, whose job it belongs to.
    :param system_id: what the application numbered it.
    :param code_count: how many blobs of code it needs; they are recorded as those of ``owner``.
    """

    owner: int
    application: int
    system_id: int
    code_count: int
    payload: Any


@dataclass(slots=True)
class SystemStepped:
    """A task system is so far that it can go on from here; the newest one counts.

    :param checkpoint: what it goes on from.
    :param consumed_to: the number of the last outcome that it has dealt with.
    :param next_id: the first number of a task that it had not pushed.
    """

    owner: int
    checkpoint: Any
    consumed_to: int
    next_id: int


@dataclass(slots=True)
class SystemLosses:
    """The processes that a task system has lost since it got further; the newest one counts.

    :param losses: rows of when, in seconds since the epoch; what is known of it, for people; and whether the
        process had been given the system.
    """

    owner: int
    losses: list[tuple[float, str, bool]]


@dataclass(slots=True)
class SystemEnded:
    """A task system has ended, see ``outcome.py`` for the status; what it pushed is not wanted any more.

    The owner leaves when its application has dealt with that.
    """

    owner: int
    status: int
    payload: Any


@dataclass(slots=True)
class SlaveJoined:
    """A slave of at least one worker registered; it takes up to ``window`` tasks at a time.

    Only those that may come back are recorded, by name and process.

    :param data: what it said of itself.
    :param returns: whether it goes on with what it holds when its session is lost, and comes back with that.
    """

    slave: int
    name: str
    workers: int
    window: int
    data: dict[str, Any] = field(default_factory=dict)
    returns: bool = False


@dataclass(slots=True)
class SlaveLost:
    """A slave is gone; what it held goes to others."""

    slave: int
    reason: str


@dataclass(slots=True)
class SlaveDrained:
    """Somebody wants a slave to get nothing more; what it has not begun goes to others, what it runs may end.

    :param name: of its node, or of one that is away.
    :param by: who wants that.
    :param at: since when, in seconds since the epoch.
    :param given_name: what its owner calls it: one that starts again under that name is drained too.
    :param ends_at: when what it runs is ended and goes to others, in seconds since the epoch; 0: never.
    """

    name: str
    by: str
    at: float
    given_name: str = ""
    ends_at: float = 0.0


@dataclass(slots=True)
class SlaveResumed:
    """A slave that was drained takes tasks again; or it is not remembered any more that it was."""

    name: str


Recordable = (
    OwnerJoined
    | OwnerLeft
    | SessionAttached
    | JobBegun
    | JobClosed
    | JobHeld
    | JobReleased
    | JobNoted
    | CodeDefined
    | TasksSubmitted
    | TasksNamed
    | TasksTried
    | TasksRetried
    | TasksRenumbered
    | TasksEnded
    | OutcomesConsumed
    | SystemPushed
    | SystemStepped
    | SystemLosses
    | SystemEnded
    | SlaveJoined
    | SlaveLost
    | SlaveDrained
    | SlaveResumed
)
