"""By which names jobs are told apart: what people call them, or ids where several are called the same.

Loop thread only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.dispatcher import Dispatcher

__all__ = ["jobs_called", "names_of_jobs", "numbers_called"]


def names_of_jobs(jobs: Mapping[int, JobRecord]) -> dict[int, str]:
    """Return the name of each job by its number, so that ``NAME/ID`` means one task.

    :param jobs: all that there are, by their numbers.
    """
    counts = Counter(job.title for job in jobs.values())
    return {
        number: job.title if job.life is None or counts[job.title] == 1 else job.life.spec.job_id
        for number, job in jobs.items()
    }


def jobs_called(jobs: Iterable[JobRecord], name: str) -> list[JobRecord]:
    """Return the jobs and programs that have a name or an id."""
    return [
        job
        for job in jobs
        if name in (job.title, job.name) or (job.life is not None and job.life.spec.job_id == name)
    ]


def numbers_called(dispatcher: Dispatcher, name: str) -> set[int]:
    """Return the numbers of the jobs and programs that have a name or an id, and of their task systems."""
    found: set[int] = set()
    for job in jobs_called(dispatcher.ledger.owners.values(), name):
        found.add(job.owner)
        found.update(dispatcher.jobs.systems_of(job))
    return found
