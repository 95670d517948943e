"""Remembers how tasks ended, for people: counts by function, failures by kind, the latest. Loop thread only.

It is told once for what ends together, which it keeps as it is: it is counted when somebody asks, and now and
then. Only what has not finished is looked at at once, task by task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final

from concurrent.scheduling.ledger.arrivals import Arrivals
from concurrent.scheduling.ledger.counts import ONE_FINISHED, OutcomeCounts
from concurrent.scheduling.ledger.failures import Failure, in_few_words
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.ledger.watching import KEPT_COUNT, Ending, Where
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED
from concurrent.scheduling.telemetry.endedtasks import EndedBatch, EndedTask, EndedTasks
from concurrent.scheduling.telemetry.failuregroups import Failed, FailureGroups, cut_exception
from concurrent.scheduling.telemetry.failuretexts import FailureTexts
from concurrent.scheduling.telemetry.jobmark import JobMark
from concurrent.scheduling.telemetry.rates import Rate

__all__ = ["OTHER", "EndedDesk"]

NAMES_MAX: Final = 1000
ALL_NAMES_MAX: Final = 10_000
"""So many functions of one job are told apart, and so many of all."""

LABELS_MAX: Final = 200
OTHER: Final = "other"
"""So many functions are told apart in figures that are stored elsewhere, and what stands for the rest."""

TIDY_MIN: Final = 100
"""Up to so many jobs nobody looks which of them are gone."""

UNCOUNTED_MAX: Final = 100
"""So many reports of slaves wait to be counted together, which is quicker than one by one."""

UNREADABLE: Final = Failure()

_terms_of = attrgetter("terms")


class EndedDesk:
    """See the module. A watcher of the ledger.

    ``tries`` counts those that failed and were not the last, ``deaths`` those of workers.

    :param maker_of: returns who made a job, see ``jobmakers.py``.
    :param clock: returns the time of day, in seconds since the epoch.
    :param kept_count: so many tasks that have finished are remembered, and as many others.
    """

    def __init__(
        self,
        ledger: Ledger,
        maker_of: Callable[[JobRecord], str],
        clock: Callable[[], float],
        *,
        kept_count: int = KEPT_COUNT,
    ) -> None:
        self.failures = FailureGroups()
        self.texts = FailureTexts()
        self.tries = 0
        self.deaths = 0
        self._tasks = EndedTasks(kept_count)
        self._rate = Rate(clock())
        self._counts_by_job: dict[int, dict[str, OutcomeCounts]] = {}
        self._totals: dict[str, OutcomeCounts] = {}
        self._uncounted: list[EndedBatch] = []
        self._ledger = ledger
        self._maker_of = maker_of
        self._clock = clock
        self._mark_by_job: dict[int, JobMark] = {}
        self._name_count = 0
        self._tidy_at = TIDY_MIN

    @property
    def tasks(self) -> EndedTasks:
        """The tasks that have ended lately."""
        self._count()
        return self._tasks

    @property
    def rate(self) -> Rate:
        """How fast tasks end."""
        self._count()
        return self._rate

    @property
    def counts_by_job(self) -> Mapping[int, Mapping[str, OutcomeCounts]]:
        """How tasks ended, by the number of their job and by their name; those without are not told apart."""
        self._count()
        return self._counts_by_job

    @property
    def totals(self) -> Mapping[str, OutcomeCounts]:
        """How tasks of all jobs ended since the master started, for a few functions and :data:`OTHER`."""
        self._count()
        return self._totals

    def ended(
        self,
        tasks: list[TaskRecord],
        ids: list[int],
        statuses: list[int],
        failures: Sequence[Failure | None],
        where: Where,
    ) -> None:
        """Know how tasks of one job have ended, see :class:`IWatcher`."""
        job = tasks[0].owner
        mark = self._mark_by_job.get(job.owner) or self._mark(job)
        names = _names(tasks) if len(tasks) > 1 else (tasks[0].terms.name,)
        last_outcome = job.outbox.ended_to
        finished = 1 if statuses == ONE_FINISHED else statuses.count(FINISHED)
        self._uncounted.append((mark, ids, statuses, finished, names, where, last_outcome))
        if finished != len(ids):
            first_outcome = last_outcome - len(ids) + 1
            for place, task in enumerate(tasks):
                if statuses[place] != FINISHED:
                    failure = failures[place] if failures else None
                    self._unfinished(mark, task, (statuses[place], failure), where, first_outcome + place)
        if len(self._uncounted) >= UNCOUNTED_MAX:
            self._count()

    def tried(self, tries: list[tuple[TaskRecord, int, Failure | None]]) -> None:
        """Know of tries of tasks that were not the last ones, see :class:`IWatcher`."""
        now = self._clock()
        self.tries += len(tries)
        for task, status, failure in tries:
            self._failed(self.mark_of(task.owner), task, (status, failure), now, is_last=False)
            tries_count = task.tries + (status != DIED)
            self._tasks.tried(task.owner.owner, task.client_id, tries_count, len(task.evidence))

    def ending(self, owner: int, task_id: int) -> Ending | None:
        """Return how a task ended; None if it is not known any more, see :class:`IWatcher`."""
        task = self.tasks.find(owner, task_id)
        if task is None:
            return None
        slave = "" if task.status == CANCELLED else task.slave
        deaths = task.deaths - (task.status == DIED)
        return Ending(task.status, task.outcome, slave, task.at, task.tries, deaths)

    def total(self) -> OutcomeCounts:
        """Return how all tasks have ended since the master started."""
        total = OutcomeCounts()
        for counts in self.totals.values():
            total.add_all(counts)
        return total

    def restored(self) -> None:
        """Know how tasks of jobs failed before a start of the master, as their history has it."""
        for job in self._ledger.owners.values():
            if job.life is not None:
                for name, exception, count, text in job.life.failures.rows():
                    self.failures.told(self.mark_of(job), name, exception, count, text)

    def mark_of(self, job: JobRecord) -> JobMark:
        """Return what is remembered of a job when it is gone."""
        return self._mark_by_job.get(job.owner) or self._mark(job)

    def _unfinished(
        self, mark: JobMark, task: TaskRecord, how: tuple[int, Failure | None], where: Where, outcome: int
    ) -> None:
        """Keep a task that failed or was cancelled, and what is known of that."""
        status, _ = how
        at = where[1] or self._clock()
        exception, said = "", None
        if status != CANCELLED:
            found = self._failed(mark, task, how, at)
            exception = cut_exception(found.type)
            said = self.texts.add(found.where, found.text, in_few_words(found.type, found.text))
        arrivals: Arrivals = self._ledger.places.arrivals
        self._tasks.add(
            EndedTask(
                mark,
                task.client_id,
                task.terms.name,
                status,
                self._slave_of(task),
                at,
                at - arrivals.age_s(task.number),
                task.tries,
                len(task.evidence),
                exception,
                said,
                where[2],
                outcome,
            )
        )

    def _failed(
        self,
        mark: JobMark,
        task: TaskRecord,
        how: tuple[int, Failure | None],
        at: float,
        *,
        is_last: bool = True,
    ) -> Failure:
        """Count a failure; return what it says."""
        status, failure = how
        self.deaths += status == DIED
        found = failure or UNREADABLE
        self.failures.note(
            mark,
            Failed(
                at,
                task.client_id,
                task.terms.name,
                found.type,
                self._slave_of(task),
                f"{found.where}\n{found.text}" if found.where else found.text,
                found.output,
                is_last,
            ),
        )
        return found

    def _slave_of(self, task: TaskRecord) -> str:
        slave = self._ledger.slaves.get(task.slave)
        return slave.name if slave is not None else ""

    def label(self, name: str) -> str:
        """Return as which function tasks with a name are counted in ``totals``, from now on."""
        if name in self._totals:
            return name
        if len(self._totals) >= LABELS_MAX:
            self._totals.setdefault(OTHER, OutcomeCounts())
            return OTHER
        self._totals[name] = OutcomeCounts()
        return name

    def _count(self) -> None:
        """Count what was not counted yet."""
        uncounted, self._uncounted = self._uncounted, []
        for batch in uncounted:
            mark, ids, statuses, finished, names, (_, at, _), _ = batch
            self._rate.note(at or self._clock(), len(ids))
            if finished:
                self._tasks.add_batch(batch)
            if len(names) == 1 and finished == len(ids):
                self._counts(mark.owner, names[0]).finished += finished
                self._total_of(names[0]).finished += finished
            elif len(names) == 1:
                self._add(mark.owner, names[0], statuses)
            else:
                for name, status in zip(names, statuses, strict=True):
                    self._add(mark.owner, name, [status])

    def _add(self, owner: int, name: str, statuses: list[int]) -> None:
        self._counts(owner, name).add(statuses)
        self._total_of(name).add(statuses)

    def _total_of(self, name: str) -> OutcomeCounts:
        return self._totals.get(name) or self._totals[self.label(name)]

    def _counts(self, owner: int, name: str) -> OutcomeCounts:
        by_name = self._counts_by_job[owner]
        counts = by_name.get(name)
        if counts is None:
            if len(by_name) >= NAMES_MAX or self._name_count >= ALL_NAMES_MAX:
                return by_name.setdefault("", OutcomeCounts())
            counts = by_name[name] = OutcomeCounts()
            self._name_count += 1
        return counts

    def _mark(self, job: JobRecord) -> JobMark:
        """Begin to remember a job."""
        if len(self._mark_by_job) >= self._tidy_at:
            self._tidy()
        mark = self._mark_by_job[job.owner] = JobMark(job.owner, job.title, self._maker_of(job))
        self._counts_by_job[job.owner] = {}
        return mark

    def _tidy(self) -> None:
        """Forget counts of jobs that are gone."""
        self._count()
        owners = self._ledger.owners
        for owner in [owner for owner in self._mark_by_job if owner not in owners]:
            del self._mark_by_job[owner]
            self._name_count -= len(self._counts_by_job.pop(owner))
        self._tidy_at = max(TIDY_MIN, 2 * len(self._mark_by_job))


def _names(tasks: list[TaskRecord]) -> Sequence[str]:
    """Return the names of tasks, or one for all."""
    terms = tasks[0].terms
    if list(map(_terms_of, tasks)).count(terms) == len(tasks):
        return (terms.name,)
    return [task.terms.name for task in tasks]
