"""What the ledger keeps of each task, owner and slave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.keptoutbox import KeptOutbox
from concurrent.scheduling.ledger.lanes import OwnerLanes
from concurrent.scheduling.ledger.offers import NOTHING_USED, Usage, demand_of, fitting
from concurrent.scheduling.ledger.outbox import Outbox
from concurrent.scheduling.ledger.recorded import SlaveDrained
from concurrent.scheduling.ledger.states import NEXT_BY_EVENT, TaskEvent, TaskState
from concurrent.scheduling.ledger.status import DRAINED, DRAINING, JOINED, SILENT, OwnerRow, SlaveRow
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.terms import Terms

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.taskqueue import TaskQueue

__all__ = ["JobRecord", "SlaveRecord", "TaskRecord", "undergo_all"]

QUEUED = TaskState.QUEUED

AHEAD_SHARE: Final = 2.0
"""Tasks of a slave that wants to hold so many times what it runs at once are short."""

MISFITS_MAX: Final = 10
"""For so many programs it is shown what is wrong with a slave, the latest ones."""

EVIDENCE_BYTES_MAX: Final = 64 << 10
"""So much of what a slave says of the death of a worker is kept; the rest is cut off."""


class TaskRecord:
    """What the master knows of one task. ``tries`` counts how often it is tried again."""

    __slots__ = (
        "client_id",
        "evidence",
        "number",
        "owner",
        "payload",
        "slave",
        "state",
        "terms",
        "tries",
    )

    def __init__(self, number: int, owner: JobRecord, client_id: int, payload: Any, terms: Terms) -> None:
        self.number = number
        self.owner = owner
        self.client_id = client_id
        self.payload = payload
        self.terms = terms
        self.state = QUEUED
        self.slave = 0
        self.tries = 0
        self.evidence: tuple[bytes, ...] = ()

    def undergo(self, event: TaskEvent) -> None:
        """Go over to the state that follows, see ``states.py``.

        :raises AssertionError: if that cannot happen to it, with its story; also under ``python -O``.
        """
        try:
            self.state = NEXT_BY_EVENT[event][self.state]
        except KeyError as error:
            raise self.misplaced(event) from error

    def misplaced(self, event: TaskEvent) -> AssertionError:
        """Return what is raised if something befalls it that cannot."""
        return AssertionError(f"{self.story()}; it cannot be {event.value}")

    def story(self, place: str = "") -> str:
        """Return one line on what has become of it.

        :param place: words on who has it, after its state.
        """
        name = f" ({self.terms.name})" if self.terms.name else ""
        retry = self.terms.retry
        tries = f", and {self.tries} of {retry.times} more tries have begun" if retry is not None else ""
        return (
            f"task {self.number}{name} of {self.owner.name} is {self.state.name.lower()}{place}, "
            f"{len(self.evidence)} of {self.terms.attempts_max} attempts ended in the worker's death{tries}"
        )

    def add_evidence(self, slave: SlaveRecord, words: Any) -> None:
        """Take note that a worker died of it.

        :param words: what the slave says of that, UTF-8.
        """
        attempt = f"attempt {len(self.evidence) + 1} of {self.terms.attempts_max}"
        self.evidence += (attempt.encode() + _said(slave, words),)

    def has_evidence(self, slave: SlaveRecord, words: Any) -> bool:
        """Tell whether it is known that a slave said this of the death of a worker."""
        return any(one.endswith(_said(slave, words)) for one in self.evidence)


def _said(slave: SlaveRecord, words: Any) -> bytes:
    """Return what a slave says of the death of a worker, and which slave, as it is kept."""
    return f" on {slave.name}: ".encode() + bytes(words)[:EVIDENCE_BYTES_MAX].replace(b"\0", b"?")


def undergo_all(tasks: Iterable[TaskRecord], event: TaskEvent) -> None:
    """Have tasks go over to the state that follows, see :meth:`TaskRecord.undergo`."""
    following = NEXT_BY_EVENT[event]
    try:
        for task in tasks:
            task.state = following[task.state]
    except KeyError as error:
        raise task.misplaced(event) from error


@dataclass(slots=True, eq=False)
class JobRecord:
    """What one owner, an application or task system, has the master do; ``owner`` is its number.

    ``queue`` is where its tasks wait. ``life`` is what outlives its sessions; None if nothing does. It has so
    many turns and shares of slaves as its ``weight`` is.
    """

    owner: int
    name: str
    outbox: Outbox | KeptOutbox
    queue: TaskQueue
    life: JobLife | None = None
    weight: int = 1
    queued_count: int = 0
    number_by_id: dict[int, int] = field(default_factory=dict)
    next_id: int = 0
    counts: OutcomeCounts = field(default_factory=OutcomeCounts)
    lanes: OwnerLanes = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = OwnerLanes(self)

    def used(self, first_id: int) -> SchedulingError:
        """Return the error for a task that it pushes under a number which it has used."""
        return SchedulingError(
            f"{self.name} pushed task {first_id}, but the next one is {self.next_id} or later",
            thing="first_id",
            value=first_id,
            remedy="Number tasks upwards and use no number twice in a registration",
        )

    @property
    def title(self) -> str:
        """What people call it: the name that its user gave it, or else that of the node which began it."""
        return self.name if self.life is None else self.life.spec.name or self.name

    @property
    def is_kept(self) -> bool:
        """Whether it goes on while no program is there."""
        return self.life is not None and self.life.spec.keep_s > 0

    @property
    def may_run(self) -> bool:
        """Whether its tasks may be given to slaves."""
        return self.life is None or self.life.may_run

    @property
    def given_count(self) -> int:
        """How many of its tasks are at the slaves or on the way there."""
        return len(self.number_by_id) - self.queued_count

    @property
    def rank(self) -> tuple[bool, int]:
        """How much it matters to who looks: those with open tasks first, then the newest."""
        return bool(self.number_by_id), self.owner

    def status(self) -> OwnerRow:
        """Return what is shown of the owner."""
        return OwnerRow(
            number=self.owner,
            name=self.name,
            queued=self.queued_count,
            open=len(self.number_by_id),
            finished=self.counts.finished,
            failed=self.counts.failed,
            cancelled=self.counts.cancelled,
        )


@dataclass(slots=True, eq=False)
class SlaveRecord:
    """One registration of a slave, and what it holds.

    ``reported_at`` counts the reports of all slaves up to the latest of this one. ``refused_count`` is how many
    tasks it handed back without being asked. ``is_heard`` is set by whatever it says of its tasks. While it
    ``is_silent`` or drained its window is 0; ``wanted_window`` is what it asks for. It ``returns`` if it goes
    on with what it holds when it is cut off. When it is back, ``brought_again`` has the numbers of tasks whose
    outcomes it may have reported before, and whether it has them again by now.
    ``data`` is what it said of itself (``SlaveNode.describe``): plain values that nobody has checked. Of these
    ``offers`` are what it has for tasks that claim something, in units by name, and ``claimed`` is what the
    tasks that it holds claim together. ``lacks`` is why it wants no tasks, as it says; mostly nothing.
    ``misfits`` is what is wrong with it for owners: by their numbers, what they are called and some words.
    ``drain`` says who wants it to get nothing more; None if nobody does.
    """

    slave: int
    name: str
    workers: int
    window: int
    held: dict[int, TaskRecord] = field(default_factory=dict)
    counts: OutcomeCounts = field(default_factory=OutcomeCounts)
    died_count: int = 0
    task_s: float = 0.0
    reported_at: int = 0
    is_asked_back: bool = False
    is_heard: bool = False
    is_silent: bool = False
    tells_running: bool = False
    wanted_window: int = 0
    returns: bool = False
    brought_again: dict[int, bool] = field(default_factory=dict)
    refused_count: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)
    claimed: Usage = field(default_factory=Usage)
    lacks: str = ""
    misfits: dict[int, tuple[str, str]] = field(default_factory=dict)
    drain: SlaveDrained | None = None

    @property
    def may_have_more(self) -> bool:
        """Whether it may be given tasks, if it wants any."""
        return not self.is_silent and self.drain is None

    def could(self, claim: Claim) -> bool:
        """Return whether it could meet a claim if nothing else were there."""
        return claim.cpu <= self.workers and fitting(claim, self.offers, NOTHING_USED) > 0

    def fit(self, claim: Claim) -> int:
        """Return how many more tasks with a claim it may be given, beside what it holds with claims.

        It may be given as many times what it can run at once as it wants to hold of all tasks, so that it need
        not wait for the master between two short ones; of long ones no more than it can run at once. Tasks
        without a claim that it holds are in no task's way: a device shall not be idle for them.
        """
        window, workers = self.window, self.workers
        is_short = self.task_s > 0 and window >= AHEAD_SHARE * workers
        return self._fit(claim, window / workers) if is_short else self.free(claim)

    def free(self, claim: Claim) -> int:
        """Return how many more tasks with a claim could run now, beside those with claims that it holds."""
        return self._fit(claim, min(1.0, self.window / self.workers))

    def _fit(self, claim: Claim, share: float) -> int:
        if share <= 0.0:
            return 0
        places = demand_of(claim).places
        most = int(self.workers // places * share)
        fit = min(most, (round(share * self.workers) - self.claimed.places) // places)
        return min(fit, fitting(claim, self.offers, self.claimed, max(1.0, share))) if fit > 0 else 0

    @property
    def is_idle(self) -> bool:
        """Whether it takes tasks and has workers without any."""
        return self.room > 0 and len(self.held) < self.workers

    @property
    def host(self) -> str:
        """The machine that it says it is on; empty if it does not say."""
        return str(self.data.get("host", ""))

    @property
    def given_name(self) -> str:
        """What its owner calls it (``concurrent slave --name``); empty if it has no name."""
        return str(self.data.get("name", ""))

    @property
    def room(self) -> int:
        """How many more tasks the slave takes now."""
        return self.window - len(self.held)

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """How much it matters to who looks: those that hold tasks, that lost workers, then the newest."""
        return bool(self.held), self.died_count > 0, self.slave

    @property
    def drain_state(self) -> str:
        """How far it is drained: ``DRAINING`` while it has tasks, then ``DRAINED``; empty if it is not."""
        if self.drain is None:
            return ""
        return DRAINING if self.held else DRAINED

    @property
    def state(self) -> str:
        """One word on it, for people: how far it is drained, or whether anything is heard of it."""
        return self.drain_state or (SILENT if self.is_silent else JOINED)

    @property
    def unfit(self) -> tuple[str, ...]:
        """What is wrong with it for owners, the latest of them, a line each."""
        return tuple(f"{words}, for {who}" for who, words in list(self.misfits.values())[-MISFITS_MAX:])

    def status(self) -> SlaveRow:
        """Return what is shown of the slave."""
        drain = self.drain
        return SlaveRow(
            number=self.slave,
            name=self.name,
            workers=self.workers,
            window=self.window,
            held=len(self.held),
            done=self.counts.finished + self.counts.failed,
            failed=self.counts.failed,
            refused=self.refused_count,
            workers_died=self.died_count,
            task_s=self.task_s,
            silent=self.is_silent,
            lacks=self.lacks,
            unfit=self.unfit,
            drain=self.drain_state,
            drained_by="" if drain is None else drain.by,
            drained_at=0.0 if drain is None else drain.at,
            drain_ends_at=0.0 if drain is None else drain.ends_at,
        )
