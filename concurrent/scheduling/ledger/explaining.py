"""Why tasks do not run now: explanations from what the ledger knows. Pure: nothing is changed by asking.

An explanation is bounded, whatever there is: it has each reason once, and slaves are counted. All slaves are
looked at once for each claim that is asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from concurrent.core.rows import ROWS_MAX
from concurrent.core.typed import typed
from concurrent.scheduling.ledger.explainingended import explanation_of_ended
from concurrent.scheduling.ledger.hindrances import Hindrances, hindrances, misfits_of
from concurrent.scheduling.ledger.infeasible import FAIL_S
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.returning import AWAITED_S
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.claim import NO_CLAIM, Claim
from concurrent.scheduling.tasks.explanation import (
    AT_SLAVE,
    BETWEEN_TRIES,
    KEPT_BACK,
    OFFERED,
    QUEUED,
    REFUSED,
    RUNNING,
    Explanation,
    JobExplanation,
    Wait,
    not_there,
    shown_tasks,
    shown_time,
)

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.ledger import Ledger

__all__ = ["Explainer"]

AHEAD_MAX: Final = 10_000
"""So many tasks that come before one are counted; then it is said that there are more."""

LOOKED_MAX: Final = 100_000
"""So many tasks outside lanes are looked at for those of one job."""

LONG_S: Final = 5.0
"""What has waited for so long is shown in the status, in seconds."""

WAITS_MAX: Final = 10
"""So many kinds of tasks that wait are shown there; all slaves are looked at for each claim of these."""

KINDS_MAX: Final = 1000
"""So many kinds of tasks are looked at for that."""

HOLDERS_MAX: Final = 3
"""So many tasks are named that have what others wait for, those that have had it for longest."""

EVIDENCE_MAX: Final = 10
"""So many deaths of workers are told, the last ones."""

TEXT_CHARS_MAX: Final = 300


class _Found(NamedTuple):
    """What becomes of a task, by its state."""

    state: str
    waits_for: str = ""
    because: tuple[str, ...] = ()
    then: str = ""


class Explainer:
    """See the module. Make one for each moment that is asked about: it remembers what it has found of slaves.

    ``trouble`` says why the scheduler decides nothing now; it is empty if it does.

    :param clock: the time of day, in seconds since the epoch.
    :param kept_free: the number of the slave that is kept free, 0 if none is, and for which claim.
    """

    def __init__(
        self, ledger: Ledger, clock: float, trouble: str = "", kept_free: tuple[int, Claim] = (0, NO_CLAIM)
    ) -> None:
        self._ledger = ledger
        self._places = ledger.places
        self._clock = clock
        self.trouble = trouble
        self._kept_free = kept_free
        self._found: dict[tuple[Claim, frozenset[int]], Hindrances] = {}
        self._find_by_state: dict[TaskState, Callable[[TaskRecord], _Found]] = {
            TaskState.QUEUED: self._queued,
            TaskState.PUSHED: self._pushed,
            TaskState.HELD: self._held,
            TaskState.REFUSED: self._refused,
            TaskState.WAITING: self._waiting,
        }

    def task(self, task: TaskRecord) -> Explanation:
        """Explain an open task."""
        found = self._find_by_state[task.state](task)
        asks = task.terms.as_map()
        asks.pop("name", None)
        slave = self._ledger.slaves.get(task.slave) if task.state is TaskState.HELD else None
        return Explanation(
            task=task.number,
            id=task.client_id,
            owner=task.owner.title,
            name=task.terms.name,
            state=found.state,
            age_s=self._places.arrivals.age_s(task.number),
            asks=asks,
            waits_for=found.waits_for,
            able=self._hindrances(task).able,
            slaves=len(self._ledger.slaves),
            slave=slave.name if slave is not None else "",
            because=found.because,
            history=tuple(self._history(task)),
            then=found.then,
        )

    def of_job(self, job: JobRecord, task_id: int) -> Explanation:
        """Explain a task by the number that its program gave it, also one that is not open.

        :param task_id: from 0 on.
        """
        number = job.number_by_id.get(task_id)
        if number is not None:
            return self.task(self._ledger.task_by_number[number])
        if task_id < job.next_id:
            watcher = self._ledger.jobs.watcher
            ending = watcher.ending(job.owner, task_id) if watcher is not None else None
            run = self._ledger.running.last_run(job.owner, task_id)
            return explanation_of_ended(job, task_id, ending, run, self._clock)
        return not_there(task_id, job.title, because="the master has not got it, or not yet")

    def job(self, job: JobRecord) -> JobExplanation:
        """Explain what tasks of a job wait for, and those of its task systems."""
        owners = self._ledger.owners
        systems = job.life.systems if job.life is not None else ()
        parts = [job, *(owners[number] for number in systems if number in owners)]
        waits = [wait for part in parts for wait in self._waits(part)]
        waits += self._waits_elsewhere(set(parts))
        shown = nlargest(ROWS_MAX, waits, key=lambda wait: wait[0])
        waiting = sum(part.queued_count for part in parts)
        life = job.life
        reason = life.held_because if life is not None else ""
        return JobExplanation(
            owner=job.title,
            open=sum(len(part.number_by_id) for part in parts),
            at_slaves=max(0, sum(part.given_count for part in parts) - (sum(n for n, _ in waits) - waiting)),
            reason=reason or self._ledger.jobs.shortage.reason_for(job.owner),
            waits=tuple(Wait(count, self.task(first)) for count, first in shown),
            left_out=len(waits) - len(shown),
            unfit=tuple(misfits_of(job.owner, self._ledger.slaves)),
        )

    def most_waiting(self) -> Wait | None:
        """Return the kind of open tasks of which most wait at the master; None if none does."""
        jobs = {job for job in self._ledger.owners.values() if job.number_by_id}
        waits = [*islice((wait for job in jobs for wait in self._waits(job)), KINDS_MAX)]
        waits += self._waits_elsewhere(jobs)
        most = max(waits, key=lambda wait: wait[0], default=None)
        return Wait(most[0], self.task(most[1])) if most is not None else None

    def long_waits(self) -> tuple[Wait, ...]:
        """Return what has waited at the master for a while: the kinds of tasks of which there are most."""
        jobs = (job for job in self._ledger.owners.values() if job.queued_count)
        waits = islice((wait for job in jobs for wait in self._waits(job)), KINDS_MAX)
        age_s = self._places.arrivals.age_s
        long = [(count, first) for count, first in waits if age_s(first.number) >= LONG_S]
        return tuple(
            Wait(count, self.task(first)) for count, first in nlargest(WAITS_MAX, long, key=lambda one: one[0])
        )

    def _waits(self, job: JobRecord) -> Iterator[tuple[int, TaskRecord]]:
        """Yield how many tasks of a job wait in each lane, and the first of these."""
        for lane in job.lanes:
            yield lane.count, self._ledger.task_by_number[lane.first_number()]

    def _waits_elsewhere(self, jobs: set[JobRecord]) -> Iterable[tuple[int, TaskRecord]]:
        """Return the same of tasks that wait in no lane: on the work queue, after refusals, between tries."""
        pushed = islice(self._ledger.pushed.values(), LOOKED_MAX)
        refused = (task for job in jobs for task in self._ledger.refusals.tasks_of(job.owner))
        retried = (then.task for then in islice(self._places.retries.waiting.values(), LOOKED_MAX))
        groups: dict[object, tuple[int, TaskRecord]] = {}
        for source in (pushed, refused, retried):
            for task in source:
                if task.owner in jobs:
                    key = task.owner, task.terms, task.state
                    count, first = groups.get(key, (0, task))
                    groups[key] = count + 1, first
        return groups.values()

    def _hindrances(self, task: TaskRecord) -> Hindrances:
        claim = task.terms.resources
        refusers = self._ledger.refusals.refusers_by_number.get(task.number, frozenset())
        found = self._found.get((claim, refusers))
        if found is None:
            found = hindrances(self._ledger.claims, self._places.book, claim, refusers)
            self._found[claim, refusers] = found
        return found

    def _queued(self, task: TaskRecord) -> _Found:
        if task.owner.queue is self._places.parked:
            return self._kept_back(task.owner)
        found = self._hindrances(task)
        claim = task.terms.resources
        misfits = misfits_of(task.owner.owner, self._ledger.slaves)
        said = self._said_by_scheduler(claim)
        lines = (*self._holders(claim), *found.lines, *misfits, *said, *self._turn(task))
        then = found.then
        if found.is_infeasible and self._ledger.infeasible.fails:
            then += f"; it fails after {FAIL_S:.0f} s of that"
        return _Found(QUEUED, found.waits_for, lines, then)

    def _holders(self, claim: Claim) -> Iterator[str]:
        """Yield which tasks have had the tokens for a while that a claim is short of."""
        claims = self._ledger.claims
        if not claim or claims.tokens_left(claim) > 0 or not claims.are_tokens_enough(claim):
            return
        names = [name for name in claim.names() if name in claims.tokens]
        runs = self._ledger.running.claiming(names, self._ledger.slaves, self._clock)
        for run in runs[:HOLDERS_MAX]:
            name = f" ({run.name})" if run.name else ""
            note = f": {run.note}" if run.note else ""
            what = " and ".join(names)
            yield f"{run.owner}/{run.id}{name} has {what} for {shown_time(run.run_s)} at {run.slave}{note}"
        if len(runs) > HOLDERS_MAX:
            yield f"and {shown_tasks(len(runs) - HOLDERS_MAX)} more"

    def _said_by_scheduler(self, claim: Claim) -> Iterator[str]:
        number, other = self._kept_free
        slave = self._ledger.slaves.get(number)
        if slave is not None and claim and claim != other:
            yield f"{slave.name} is kept free for tasks with {other}, which others have overtaken"
        if self.trouble:
            yield self.trouble

    def _turn(self, task: TaskRecord) -> Iterator[str]:
        """Yield what goes before a task, or takes turns with it."""
        lane = task.owner.lanes.lane(task.terms)
        ahead = 0
        for one in islice(lane.tasks, AHEAD_MAX):
            if one is task:
                break
            ahead += one.state is TaskState.QUEUED
        else:
            ahead = AHEAD_MAX
        if ahead:
            more = "or more " if ahead == AHEAD_MAX else ""
            yield f"{ahead:,} {more}tasks of its kind go before it"
        if kinds := len(lane.group) - 1:
            yield f"{kinds:,} other kinds of tasks of its job wait, too: priority and age decide between them"
        queue = lane.group.queue
        if queue is not None and (jobs := len(queue.groups) - 1):
            yield f"{jobs:,} other jobs take turns with its own"

    def _kept_back(self, job: JobRecord) -> _Found:
        """Return why nothing of a job may run."""
        life = job.life
        assert life is not None, "a job without a life may always run"
        if life.is_cancelled:
            return _Found(KEPT_BACK, "its end", ("its job was cancelled",), "it ends as cancelled")
        if life.held_because:
            then = f"'{typed('release', job.title)}' has its job run"
            return _Found(KEPT_BACK, "the release of its job", (f"its job is held: {life.held_because}",), then)
        names = list(self._ledger.returning.awaited)
        why = f"the master has just started; slaves may come back with it: {_some(names)}"
        then = f"it may be given to others when they are back, or {AWAITED_S:.0f} s after the start"
        return _Found(KEPT_BACK, "slaves from before the start", (why,), then)

    def _pushed(self, task: TaskRecord) -> _Found:
        found = self._hindrances(task)
        lines = (*found.lines, *misfits_of(task.owner.owner, self._ledger.slaves))
        return _Found(OFFERED, "a slave that takes it", lines, "the first slave that has room for it takes it")

    def _held(self, task: TaskRecord) -> _Found:
        slave = self._ledger.slaves[task.slave]
        run = self._ledger.running.row(task.number, self._ledger.slaves, self._clock)
        lines: list[str] = []
        if slave.is_silent:
            silent_s = self._places.book.silent_s(slave)
            since = f" for {silent_s:.0f} s" if silent_s >= 1 else ""
            lines.append(f"{slave.name} is silent{since}: nobody knows what it does")
        if slave.drain is not None:
            lines.append(f"{slave.name} is drained by {slave.drain.by}: what has begun there may end")
        lines += misfits_of(task.owner.owner, {task.slave: slave})
        if run is not None:
            lines.append(f"it has run for {shown_time(run.run_s)} in process {run.worker}")
            lines += [run.note] if run.note else []
            waits_for = f"a word of {slave.name}" if slave.is_silent else ""
            return _Found(RUNNING, waits_for, tuple(lines), self._end_of(task, slave, run.run_s))
        ahead = next(
            (index for index, one in enumerate(islice(slave.held, AHEAD_MAX)) if one == task.number), AHEAD_MAX
        )
        workers = "1 worker" if slave.workers == 1 else f"{slave.workers} workers"
        lines.append(
            f"{slave.name} has {len(slave.held):,} tasks for {workers}; {ahead:,} of these came before it"
        )
        if ahead < slave.workers:
            return _Found(AT_SLAVE, "", tuple(lines), "it has begun, most likely: a slave tells after a while")
        waits_for = f"a word of {slave.name}" if slave.is_silent else f"a worker of {slave.name}"
        return _Found(
            AT_SLAVE, waits_for, tuple(lines), "it begins when a worker is free, or is given to another slave"
        )

    def _end_of(self, task: TaskRecord, slave: SlaveRecord, run_s: float) -> str:
        """Return when a run ends."""
        timeout_s = task.terms.timeout_s
        if slave.drain is not None and slave.drain.ends_at:
            left_s = slave.drain.ends_at - self._clock
            return f"its run is ended in {shown_time(left_s)}, and begins again at another slave"
        if timeout_s is None:
            return "it runs until it ends by itself"
        return f"its run is ended in {shown_time(timeout_s - run_s)}, when it has taken {timeout_s:g} s"

    def _refused(self, task: TaskRecord) -> _Found:
        found = self._hindrances(task)
        lines = (*found.lines, *misfits_of(task.owner.owner, self._ledger.slaves))
        return _Found(REFUSED, found.waits_for, lines, found.then)

    def _waiting(self, task: TaskRecord) -> _Found:
        retry, then = task.terms.retry, self._places.retries.waiting[task.number]
        times = retry.times if retry is not None else task.tries
        because = _cut(then.reason) if then.reason else "it raised or passed a limit before the master started"
        delay = f"in {shown_time(then.at - self._clock)}" if then.at else "soon"
        return _Found(
            BETWEEN_TRIES,
            "its next try",
            (because,),
            f"it is queued again {delay}: try {task.tries + 1} of {times + 1}",
        )

    def _history(self, task: TaskRecord) -> Iterator[str]:
        for words in task.evidence[-EVIDENCE_MAX:]:
            yield _cut(words.decode("utf-8", "replace"))
        if task.tries and task.terms.retry is not None:
            yield f"{task.tries} of {task.terms.retry.times} more tries were needed so far"
        refusers = self._ledger.refusals.refusers_by_number.get(task.number, ())
        if refusers:
            names = [one.name for key in refusers if (one := self._ledger.slaves.get(key)) is not None]
            who = "1 slave has" if len(refusers) == 1 else f"{len(refusers)} slaves have"
            yield f"{who} refused it, or lost a worker over it: {_some(names)}"
        if copies := self._places.copies.names_by_number.get(task.number):
            yield f"slaves had it that were silent or lost, and may still run it: {_some(sorted(copies))}"


def _some(names: list[str]) -> str:
    """Return a few names."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _cut(text: str) -> str:
    """Return the first line of a text, or its beginning."""
    lines = text.splitlines() or [""]
    first = lines[0]
    return first if len(first) <= TEXT_CHARS_MAX else first[:TEXT_CHARS_MAX] + "..."
