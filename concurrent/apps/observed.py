"""What a master answers to those who look at a running cluster, as types. A pure module.

They are what the methods of ``observeapi.py`` return; the documents of its JSON API are made of them, and
programs read them with ``from_json``. A list is an object: ``items`` are the rows that were asked for,
``total`` is how many there are, and ``left_out`` how many of these come after them. Units come last in names:
``_s`` is seconds, ``_bytes`` bytes, ``_at`` seconds since the epoch, 0 for what has not happened or is not
known.

Everybody who may see a cluster sees counts, names and times. What tasks print, raise and say of themselves is
for those who may touch their job; for others it is empty, and ``is_yours`` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from concurrent.apps.jobstatus import JobRow
from concurrent.apps.troublelist import TroublesList
from concurrent.core.status import Status
from concurrent.scheduling.tasks.explanation import Explanation

__all__ = [
    "BETWEEN_TRIES",
    "CANCELLED",
    "FAILED",
    "FINISHED",
    "RUNNING",
    "STATES",
    "WAITING",
    "Bar",
    "ChangesStatus",
    "CountsStatus",
    "EndedStatus",
    "FailureRow",
    "FailuresStatus",
    "FunctionRow",
    "HealthStatus",
    "JobsStatus",
    "LaneRow",
    "NowStatus",
    "OutputRow",
    "OutputStatus",
    "OutputsList",
    "ProgressRow",
    "ProgressStatus",
    "SeriesStatus",
    "SlaveDetails",
    "SlaveLog",
    "TaskDetails",
    "TaskRow",
    "TasksList",
    "TimelineStatus",
    "WorkerRow",
    "WorkersList",
]

WAITING: Final = "waiting"
"""It waits for a slave, or at one for a worker."""
BETWEEN_TRIES: Final = "between tries"
"""It raised, and is tried again later."""
RUNNING: Final = "running"
FINISHED: Final = "finished"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"

STATES: Final = (RUNNING, FAILED, BETWEEN_TRIES, WAITING, CANCELLED, FINISHED)
"""What ``state`` of a task may be, in the order in which tasks are listed."""

Bar = tuple[int, int, float, float, float, int, int]
"""Runs of one function that followed each other on one worker: the place of its lane in ``lanes`` and of the
function in ``functions``, when the first began (since the epoch), how long it was to the end of the last, how
long they took together (all in seconds), how many there were, and how many of these failed."""


@dataclass(frozen=True, slots=True)
class CountsStatus(Status):
    """How many tasks are in which state. ``failed`` has those whose worker died or that passed a limit, too."""

    waiting: int
    between_tries: int
    running: int
    finished: int
    failed: int
    cancelled: int

    @property
    def open(self) -> int:
        """How many have not ended."""
        return self.waiting + self.between_tries + self.running

    @property
    def total(self) -> int:
        """How many there are."""
        return self.open + self.finished + self.failed + self.cancelled


@dataclass(frozen=True, slots=True)
class EndedStatus(Status):
    """How many tasks have ended in which way since the master started, also of jobs that it knows no more."""

    finished: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class NowStatus(Status):
    """Whether a cluster moves at this moment, and if not, why.

    :param moves: whether tasks run or have just ended, and there are more.
    :param words: one line for people: how fast it moves, or why it does not; it may be that no task is open.
    :param troubles: what a person should look at, also while it moves; mostly nothing.
    :param ended_per_s: how many tasks ended in a second, of the last ten.
    :param left_s: how long the open tasks take at that rate; None while nobody can tell, as of tasks that hang.
    :param counts: of the tasks of all jobs that the master knows; it forgets those of programs that have left.
    :param busy: how many of the workers have a task.
    :param owners: how many jobs, programs and task systems there are.
    """

    at: float
    moves: bool
    words: str
    troubles: TroublesList
    ended_per_s: float
    left_s: float | None
    counts: CountsStatus
    ended: EndedStatus
    busy: int
    workers: int
    slaves: int
    owners: int


@dataclass(frozen=True, slots=True)
class ProgressRow(Status):
    """How far the tasks of one function are that belong to one job.

    :param owner: the number of the job, program or task system at the master.
    :param job: what people call that; ``job_id`` is its id, empty of a program all of which ends with it.
    :param function: the name of the class or function; empty for those that are not told apart.
    """

    owner: int
    job: str
    job_id: str
    function: str
    counts: CountsStatus


@dataclass(frozen=True, slots=True)
class ProgressStatus(Status):
    """How far each function of each job is, the newest jobs first; ``counts`` is of all, listed or not."""

    items: tuple[ProgressRow, ...]
    total: int
    left_out: int
    counts: CountsStatus


@dataclass(frozen=True, slots=True)
class TaskRow(Status):
    """One task.

    :param task: its number at the master; 0 of one that has ended.
    :param id: the number that its program gave it: ``JOB/ID`` names it as long as the job is known.
    :param owner: the number of its job, program or task system at the master.
    :param job: what people call that, or its id where several are called the same.
    :param name: what the task is: the name of its class or function.
    :param state: one of ``STATES``.
    :param slave: which has it, or had it last; empty if none has.
    :param worker: the process that runs it, or ran it last; 0 if that is not known.
    :param since_at: since when it runs, or when it ended.
    :param tries: how often it was tried again because it raised.
    :param deaths: how many workers died of it.
    :param exception: the type of what it raised, if it has failed.
    :param words: how it failed, or how far it says that it is.
    :param run_s: how long its last run took; 0 while it runs, and if that is not known: slaves tell only of
        tasks that run for a while.
    :param usual_s: how long tasks took lately at its slave when it ended; 0 if that is not known.
    """

    task: int
    id: int
    owner: int
    job: str
    name: str
    state: str
    slave: str
    worker: int
    since_at: float
    tries: int
    deaths: int
    exception: str
    words: str
    is_yours: bool
    run_s: float
    usual_s: float

    @property
    def title(self) -> str:
        """By what it is known as long as its job is."""
        return f"{self.job}/{self.id}"


@dataclass(frozen=True, slots=True)
class TasksList(Status):
    """Tasks: those that run, those that failed, and in each state the newest first.

    :param known: how many of them can be asked for. Of those that have ended only the latest are remembered; of
        very many that wait only the newest are looked at.
    """

    items: tuple[TaskRow, ...]
    total: int
    left_out: int
    known: int


@dataclass(frozen=True, slots=True)
class JobsStatus(Status):
    """Jobs, the newest first."""

    items: tuple[JobRow, ...]
    total: int
    left_out: int


@dataclass(frozen=True, slots=True)
class WorkerRow(Status):
    """A worker process of a slave, as the slave says.

    :param pid: its process.
    :param cpu: how many processors it used lately.
    :param task: the number of the task that it runs; -1 if it runs none, or none for long.
    :param name: what that task is, or the last one was, and ``job`` whose.
    :param since_at: since when it runs that.
    :param done: how many tasks it has run.
    """

    pid: int
    cpu: float
    memory_bytes: int
    task: int
    name: str
    job: str
    since_at: float
    done: int


@dataclass(frozen=True, slots=True)
class SlaveDetails(Status):
    """A slave and its workers.

    :param state: ``joined``, ``silent``, ``draining`` while it is given nothing more and has tasks, ``drained``
        when it has none.
    :param words: who drained it, or why it wants no tasks, and what it has not of what programs need; mostly
        empty.
    :param drained_at: since when it is given nothing more, and ``drain_ends_at`` when what it runs is ended.
    :param host: the machine that it says it is on.
    :param page: where its own page is, as ``HOST:PORT``; empty if nobody can reach that.
    :param held: how many tasks it has, and ``busy`` how many workers have one.
    :param task_s: how long its tasks took lately.
    :param cpu: how many processors its own process and its workers used lately, and ``memory_bytes`` how much
        memory they have; ``machine_cpu`` of its ``machine_cpus`` processors are used by whomever. All are 0 of
        a slave that does not say.
    :param told_at: when it last said something of its workers.
    """

    number: int
    name: str
    host: str
    page: str
    state: str
    words: str
    drained_at: float
    drain_ends_at: float
    workers: int
    busy: int
    held: int
    done: int
    failed: int
    refused: int
    workers_died: int
    task_s: float
    cpu: float
    memory_bytes: int
    machine_cpu: float
    machine_cpus: int
    machine_used_bytes: int
    machine_bytes: int
    told_at: float
    processes: tuple[WorkerRow, ...]


@dataclass(frozen=True, slots=True)
class WorkersList(Status):
    """The slaves of a master and their workers; those that need to be looked at come first."""

    items: tuple[SlaveDetails, ...]
    total: int
    left_out: int


@dataclass(frozen=True, slots=True)
class FailureRow(Status):
    """Tasks of one function of one job that failed with one exception.

    :param owner: the number of the job, program or task system at the master, which may be gone.
    :param job: what people call that, or its id where several are called the same.
    :param function: the name of the tasks; with ``exception`` empty: all that are not told apart any more.
    :param count: how many failed, and ``tried_again`` how many tries did that were not the last ones.
    :param slaves: where, the latest first: not all of them if there are many.
    :param tasks: some of them, the latest first, as ``JOB/ID``.
    :param text: the traceback of the last one, and ``output`` the end of what it has printed.
    """

    owner: int
    job: str
    function: str
    exception: str
    count: int
    tried_again: int
    first_at: float
    last_at: float
    slaves: tuple[str, ...]
    tasks: tuple[str, ...]
    text: str
    output: str
    is_yours: bool


@dataclass(frozen=True, slots=True)
class FailuresStatus(Status):
    """Failures by job, function and exception, the latest first; ``failed`` is how many tasks of all groups."""

    items: tuple[FailureRow, ...]
    total: int
    left_out: int
    failed: int


@dataclass(frozen=True, slots=True)
class LaneRow(Status):
    """A worker as a lane of a timeline: the name of its slave, and its process."""

    slave: str
    worker: int


@dataclass(frozen=True, slots=True)
class FunctionRow(Status):
    """A function in a timeline: its name, and the number and name of the job whose tasks it is of."""

    owner: int
    job: str
    name: str


@dataclass(frozen=True, slots=True)
class TimelineStatus(Status):
    """What ran where, as bars in the order in which the master heard of them.

    :param items: see ``Bar``.
    :param after: what to ask for to get those that come after these.
    :param is_anew: whether these do not follow those that were asked for: some between were dropped, or the
        master has started again.
    """

    lanes: tuple[LaneRow, ...]
    functions: tuple[FunctionRow, ...]
    items: tuple[Bar, ...]
    total: int
    left_out: int
    after: int
    is_anew: bool


@dataclass(frozen=True, slots=True)
class SeriesStatus(Status):
    """Figures of the cluster in time.

    :param names: what each column of ``items`` is; the first is when, in seconds since the epoch.
    :param after: what to ask for to get the points that come after these.
    """

    resolution_s: float
    names: tuple[str, ...]
    items: tuple[tuple[float, ...], ...]
    total: int
    left_out: int
    after: float


@dataclass(frozen=True, slots=True)
class ChangesStatus(Status):
    """What somebody needs who looks again and again.

    :param after: what to ask for the next time, with ``points_after``.
    """

    now: NowStatus
    progress: ProgressStatus
    bars: TimelineStatus
    points: SeriesStatus
    after: int
    points_after: float


@dataclass(frozen=True, slots=True)
class TaskDetails(Status):
    """All that is known of one task.

    :param row: of one that has ended and is not known any more only ``id`` and ``job``.
    :param came_at: when the master got it, to a second or so.
    :param explanation: what becomes of it; None to who may not touch its job.
    :param text: how it failed, with its traceback if that is kept, else what is kept and why it is no more.
    :param output: the end of what it printed.
    """

    row: TaskRow
    came_at: float
    explanation: Explanation | None
    text: str
    output: str


@dataclass(frozen=True, slots=True)
class OutputStatus(Status):
    """The end of what a task has printed; ``is_running`` tells whether more may come."""

    output: str
    is_running: bool


@dataclass(frozen=True, slots=True)
class OutputRow(Status):
    """The end of what a task has printed.

    :param task: as ``JOB/ID``.
    :param name: what it is; empty if that is not known any more, and so is ``state``.
    """

    task: str
    name: str
    state: str
    output: str


@dataclass(frozen=True, slots=True)
class OutputsList(Status):
    """What tasks of a job have printed: those that have ended, the first ones first, then those that run.

    :param open: how many tasks of the job have not ended.
    :param after: what to ask for to get what comes after these, with what runs then.
    """

    items: tuple[OutputRow, ...]
    total: int
    left_out: int
    open: int
    after: int


@dataclass(frozen=True, slots=True)
class SlaveLog(Status):
    """The last lines of the log of a slave, without what tasks print.

    :param slave: its name.
    :param total: how many there are to be had; ``left_out`` of them come before these.
    :param after: what to ask for to get those that come after these.
    """

    slave: str
    items: tuple[str, ...]
    total: int
    left_out: int
    after: int


@dataclass(frozen=True, slots=True)
class HealthStatus(Status):
    """Whether a master works: ``ok``, or ``words`` say why it accepts no more tasks or gives none out."""

    ok: bool
    words: str
