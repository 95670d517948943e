"""By which names jobs are told apart: what people call them, or ids where several are called the same. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from concurrent.scheduling.ledger.records import JobRecord

__all__ = ["names_of_jobs"]


def names_of_jobs(jobs: Mapping[int, JobRecord]) -> dict[int, str]:
    """Return the name of each job by its number, so that ``NAME/ID`` means one task.

    :param jobs: all that there are, by their numbers.
    """
    counts = Counter(job.title for job in jobs.values())
    return {
        number: job.title if job.life is None or counts[job.title] == 1 else job.life.spec.job_id
        for number, job in jobs.items()
    }
