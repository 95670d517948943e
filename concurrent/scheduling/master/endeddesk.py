"""Remembers how tasks ended, for people: counts by function, failures by kind, the latest. Loop thread only.

It is told once for what ends together. Of tasks that finished nothing is looked at but whether their terms are
the same; only what failed is read, task by task.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from concurrent.scheduling.ledger.arrivals import Arrivals
from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.failures import in_few_words
from concurrent.scheduling.ledger.latelyended import Where
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.master.failurewords import failure_of
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED
from concurrent.scheduling.telemetry.endedtasks import EndedTask, EndedTasks, FinishedBatch
from concurrent.scheduling.telemetry.failuregroups import Failed, FailureGroups, cut_exception
from concurrent.scheduling.telemetry.failuretexts import FailureTexts
from concurrent.scheduling.telemetry.jobmark import JobMark
from concurrent.scheduling.telemetry.rates import Rate
from concurrent.scheduling.wire.failure import FailureText

__all__ = ["OTHER", "EndedDesk"]

NAMES_MAX: Final = 1000
ALL_NAMES_MAX: Final = 10_000
"""So many functions of one job are told apart, and so many of all."""

LABELS_MAX: Final = 200
OTHER: Final = "other"
"""So many functions are told apart in figures that are stored elsewhere, and what stands for the rest."""

TIDY_MIN: Final = 100
"""Up to so many jobs nobody looks which of them are gone."""

There = tuple[str, float, float]
"""The name of the slave at which tasks ended together, when that was, and how long tasks took there lately."""

_terms_of = attrgetter("terms")


class EndedDesk:
    """See the module. A watcher of the ledger.

    ``counts_by_job`` has how tasks ended, by the number of their job and by their name; where that is empty
    they are not told apart. ``totals`` has the same of all jobs since the master started, for a few functions
    and :data:`OTHER`; ``tries`` counts those that failed and were not the last, ``deaths`` those of workers.

    :param maker_of: returns who made a job, see ``jobmakers.py``.
    :param clock: returns the time of day, in seconds since the epoch.
    """

    def __init__(
        self, ledger: Ledger, maker_of: Callable[[JobRecord], str], clock: Callable[[], float]
    ) -> None:
        self.failures = FailureGroups()
        self.tasks = EndedTasks()
        self.texts = FailureTexts()
        self.rate = Rate(clock())
        self.counts_by_job: dict[int, dict[str, OutcomeCounts]] = {}
        self.totals: dict[str, OutcomeCounts] = {}
        self.tries = 0
        self.deaths = 0
        self._ledger = ledger
        self._maker_of = maker_of
        self._clock = clock
        self._mark_by_job: dict[int, JobMark] = {}
        self._name_count = 0
        self._tidy_at = TIDY_MIN

    def ended(
        self,
        job: JobRecord,
        tasks: list[TaskRecord],
        statuses: list[int],
        payloads: list[Any],
        where: Where,
    ) -> None:
        """Know how tasks of a job have ended."""
        slave, at = where
        now = at or self._clock()
        self.rate.note(now, len(tasks))
        mark = self._mark_by_job.get(job.owner) or self._mark(job)
        terms = tasks[0].terms
        names = [terms.name]
        if len(tasks) > 1 and list(map(_terms_of, tasks)).count(terms) != len(tasks):
            names = [task.terms.name for task in tasks]
            for name, status in zip(names, statuses, strict=True):
                self._count(job.owner, name, [status])
        else:
            self._count(job.owner, terms.name, statuses)
        record = self._ledger.slaves.get(tasks[0].slave) if slave else None
        there = slave, now, record.task_s if record is not None else 0.0
        if statuses.count(FINISHED) == len(tasks):
            self._finished(mark, tasks, names, there)
            return
        finished: list[TaskRecord] = []
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            if status == FINISHED:
                finished.append(task)
            else:
                self._unfinished(mark, task, status, payload, there)
        if finished:
            self._finished(mark, finished, [task.terms.name for task in finished], there)

    def tried(self, tries: list[tuple[TaskRecord, int, Any]]) -> None:
        """Know of tries of tasks, with status and payload, that were not the last ones."""
        now = self._clock()
        self.tries += len(tries)
        for task, status, payload in tries:
            mark = self._mark_by_job.get(task.owner.owner) or self._mark(task.owner)
            self._failed(mark, task, status, payload, now, is_last=False)

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

    def _finished(self, mark: JobMark, tasks: list[TaskRecord], names: list[str], there: There) -> None:
        slave, now, usual_s = there
        ids = [task.client_id for task in tasks]
        self.tasks.add_finished(FinishedBatch(mark, ids, names, slave, now, FINISHED, usual_s))

    def _unfinished(self, mark: JobMark, task: TaskRecord, status: int, payload: Any, there: There) -> None:
        _, now, usual_s = there
        exception, said = "", None
        if status != CANCELLED:
            found = self._failed(mark, task, status, payload, now)
            text = found.traceback or found.message
            exception = cut_exception(found.type)
            said = self.texts.add(found.where, text, in_few_words(found.type, text))
        arrivals: Arrivals = self._ledger.places.arrivals
        self.tasks.add(
            EndedTask(
                mark,
                task.client_id,
                task.terms.name,
                status,
                self._slave_of(task),
                now,
                now - arrivals.age_s(task.number),
                task.tries,
                len(task.evidence),
                exception,
                said,
                usual_s,
            )
        )

    def _failed(
        self,
        mark: JobMark,
        task: TaskRecord,
        status: int,
        payload: Any,
        now: float,
        *,
        is_last: bool = True,
    ) -> FailureText:
        """Count a failure; return what it says."""
        self.deaths += status == DIED
        found = failure_of(status, payload)
        text = found.traceback or found.message
        self.failures.note(
            mark,
            Failed(
                now,
                task.client_id,
                task.terms.name,
                found.type,
                self._slave_of(task),
                f"{found.where}\n{text}" if found.where else text,
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
        if name in self.totals:
            return name
        if len(self.totals) >= LABELS_MAX:
            self.totals.setdefault(OTHER, OutcomeCounts())
            return OTHER
        self.totals[name] = OutcomeCounts()
        return name

    def _count(self, owner: int, name: str, statuses: list[int]) -> None:
        self._counts(owner, name).add(statuses)
        totals = self.totals.get(name) or self.totals[self.label(name)]
        totals.add(statuses)

    def _counts(self, owner: int, name: str) -> OutcomeCounts:
        by_name = self.counts_by_job[owner]
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
        self.counts_by_job[job.owner] = {}
        return mark

    def _tidy(self) -> None:
        """Forget counts of jobs that are gone."""
        owners = self._ledger.owners
        for owner in [owner for owner in self._mark_by_job if owner not in owners]:
            del self._mark_by_job[owner]
            self._name_count -= len(self.counts_by_job.pop(owner))
        self._tidy_at = max(TIDY_MIN, 2 * len(self._mark_by_job))
