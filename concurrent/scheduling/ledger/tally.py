"""How far a job is with all that belongs to it: its own tasks, and those of its task systems. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.failures import FailureRow, Failures
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.records import JobRecord

__all__ = ["JobTally", "earlier", "failures_of", "tally_of"]


@dataclass(slots=True)
class JobTally:
    """See the module.

    :param open: how many tasks have no outcome.
    :param unread: how many results no program has dealt with; that of a task system is one.
    :param first_run_at: when the first task began to run, in seconds since the epoch; 0 if none has.
    """

    open: int = 0
    unread: int = 0
    first_run_at: float = 0.0
    counts: OutcomeCounts = field(default_factory=OutcomeCounts)

    @property
    def pushed(self) -> int:
        """How many tasks there have been."""
        return self.open + self.counts.finished + self.counts.failed + self.counts.cancelled


def tally_of(job: JobRecord, life: JobLife, jobs: Mapping[int, JobRecord]) -> JobTally:
    """Return how far a job is.

    :param jobs: all that there are, by their numbers.
    """
    tally = JobTally(unread=life.outbox.ended_to - life.outbox.consumed_to)
    tally.counts.add_all(life.of_systems)
    systems = [jobs[number] for number in life.systems]
    for one in (job, *systems):
        assert one.life is not None, "a task system of a job that has a life has one"
        tally.open += len(one.number_by_id)
        tally.counts.add_all(one.counts)
        tally.unread += one.life.has_ended
        tally.first_run_at = earlier(tally.first_run_at, one.life.first_run_at)
    return tally


def failures_of(life: JobLife, jobs: Mapping[int, JobRecord]) -> list[FailureRow]:
    """Return how tasks of a job have failed, those of its task systems too.

    :param jobs: all that there are, by their numbers.
    """
    failures = Failures()
    for one in (life, *(jobs[number].life for number in life.systems)):
        assert one is not None, "a task system of a job that has a life has one"
        failures.add(one.failures.rows())
    return failures.rows()


def earlier(first: float, second: float) -> float:
    """Return the earlier of two moments; 0 is none."""
    return min(first, second) if first and second else first or second
