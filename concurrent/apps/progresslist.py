"""How far each function of each job is. Loop thread only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import nlargest
from typing import Final, NamedTuple

from concurrent.apps.jobnames import numbers_called
from concurrent.apps.observed import CountsStatus, ProgressRow, ProgressStatus
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling.ledger.census import OpenCounts, open_counts
from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.dispatcher import Dispatcher

__all__ = ["ProgressPart", "counts_of_all", "progress_of", "progress_parts"]

NOTHING_OPEN: Final = OpenCounts()
NOTHING_ENDED: Final = OutcomeCounts()


class ProgressPart(NamedTuple):
    """Tasks of one job that have one name; empty of those that are not told apart."""

    job: JobRecord
    name: str
    opened: OpenCounts
    ended: OutcomeCounts

    @property
    def rank(self) -> tuple[bool, int, int]:
        """How much it matters to who looks: what is open, the newest jobs, what has most open tasks."""
        count = self.opened.waiting + self.opened.between_tries + self.opened.running
        return count > 0, self.job.owner, count

    def row(self) -> ProgressRow:
        """Return what is shown of it."""
        life = self.job.life
        return ProgressRow(
            owner=self.job.owner,
            job=self.job.title,
            job_id=life.spec.job_id if life is not None else "",
            function=self.name,
            counts=_counts(self.opened, self.ended),
        )


def progress_of(dispatcher: Dispatcher, job: str = "") -> ProgressStatus:
    """Return how far each function of each job is, jobs with open tasks first, then the newest.

    :param job: the name or id of a job that is wanted alone; all are if it is empty.
    """
    parts = list(progress_parts(dispatcher))
    if job:
        numbers = numbers_called(dispatcher, job)
        parts = [part for part in parts if part.job.owner in numbers]
        counts = _counts_of(parts)
    else:
        counts = counts_of_all(dispatcher.ledger)
    items = tuple(part.row() for part in nlargest(ROWS_MAX, parts, key=lambda part: part.rank))
    return ProgressStatus(items, len(parts), len(parts) - len(items), counts)


def progress_parts(dispatcher: Dispatcher) -> Iterator[ProgressPart]:
    """Yield all functions of all jobs that have had tasks."""
    open_by_key = open_counts(dispatcher.ledger)
    names_by_owner: dict[int, list[str]] = {}
    for owner, name in open_by_key:
        names_by_owner.setdefault(owner, []).append(name)
    for job in dispatcher.ledger.owners.values():
        ended = dispatcher.ended.counts_by_job.get(job.owner, {})
        for name in dict.fromkeys((*names_by_owner.get(job.owner, ()), *ended)):
            if name:
                opened = open_by_key.get((job.owner, name), NOTHING_OPEN)
                yield ProgressPart(job, name, opened, ended.get(name, NOTHING_ENDED))
        unnamed, rest = open_by_key.get((job.owner, "")), _not_told_apart(job, ended)
        if unnamed is not None or rest != NOTHING_ENDED:
            yield ProgressPart(job, "", unnamed or NOTHING_OPEN, rest)


def counts_of_all(ledger: Ledger) -> CountsStatus:
    """Return how many tasks of all jobs are in which state."""
    ended = OutcomeCounts()
    for job in ledger.owners.values():
        ended.add_all(job.counts)
        if job.life is not None:
            ended.add_all(job.life.of_systems)
    opened = OpenCounts()
    for one in open_counts(ledger).values():
        opened.add_all(one)
    return _counts(opened, ended)


def _counts_of(parts: Iterable[ProgressPart]) -> CountsStatus:
    """Return how many tasks of some functions are in which state."""
    opened, ended = OpenCounts(), OutcomeCounts()
    for part in parts:
        opened.add_all(part.opened)
        ended.add_all(part.ended)
    return _counts(opened, ended)


def _counts(opened: OpenCounts, ended: OutcomeCounts) -> CountsStatus:
    return CountsStatus(
        opened.waiting,
        opened.between_tries,
        opened.running,
        ended.finished,
        ended.failed,
        ended.cancelled,
    )


def _not_told_apart(job: JobRecord, ended: Mapping[str, OutcomeCounts]) -> OutcomeCounts:
    """Return how tasks of a job ended of which it is not known what they were: before a start of the master, or
    those of its former task systems."""
    rest = OutcomeCounts(job.counts.finished, job.counts.failed, job.counts.cancelled)
    if job.life is not None:
        rest.add_all(job.life.of_systems)
    for name, one in ended.items():
        if name:
            rest.finished -= one.finished
            rest.failed -= one.failed
            rest.cancelled -= one.cancelled
    return rest
