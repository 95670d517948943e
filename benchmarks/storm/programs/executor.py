"""A script with a job: started again, it goes on with its futures. ``executor.py MASTER JOB FOLDER COUNT``."""

from __future__ import annotations

import sys
from concurrent.futures import Future, as_completed

from benchmarks.storm.programs.work import note, work
from concurrent.apps import ClusterExecutor

__all__ = ["main"]


def main(master: str, job: str, folder: str, count: int) -> None:
    """Submit the calls, and note each result."""
    with ClusterExecutor(master, job=job, own_modules=["benchmarks"]) as executor:
        number_by_future: dict[Future[int], int] = {
            executor.submit(work, folder, number): number for number in range(count)
        }
        for future in as_completed(number_by_future):
            note(folder, "outcomes", number_by_future[future], future.result())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
