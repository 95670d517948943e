"""What is known of a task that has ended: when, where and how, and where its outcome is. A pure module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.ledger.watching import KEPT_COUNT, Ending
from concurrent.scheduling.tasks.explanation import Explanation, has_ended, shown_time
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED, OUT_OF_MEMORY, TIMED_OUT

__all__ = ["explanation_of_ended"]

HOW_BY_STATUS: Final = {
    FINISHED: "it finished",
    FAILED: "it failed",
    DIED: "it failed by the death of workers",
    CANCELLED: "it was cancelled",
    TIMED_OUT: "it was ended, for a limit of time had passed",
    OUT_OF_MEMORY: "it was ended, for it took more memory than it may",
}

NOT_KNOWN: Final = (
    "when, where and how is not known any more: the master remembers the last "
    f"{KEPT_COUNT:,} tasks that have finished since it started, and as many that have ended otherwise"
)


def explanation_of_ended(
    job: JobRecord, task_id: int, ending: Ending | None, run: tuple[int, float] | None, clock: float
) -> Explanation:
    """Return what is known of a task that has ended.

    :param ending: how it ended; None if that is not known any more.
    :param run: the process that ran it, and since when, in seconds since the epoch; None if nobody told of it.
    :param clock: the time of day, in seconds since the epoch.
    """
    blank = has_ended(task_id, job.title)
    if ending is None:
        return replace(blank, history=(NOT_KNOWN,))
    return replace(
        blank,
        slave=ending.slave,
        history=tuple(_history(ending, run, clock)),
        then=_place_of_outcome(job, ending.outcome),
    )


def _history(ending: Ending, run: tuple[int, float] | None, clock: float) -> Iterator[str]:
    ago = f" {shown_time(clock - ending.at)} ago" if ending.at and clock else ""
    place = f", at {ending.slave}" if ending.slave else ""
    yield f"{HOW_BY_STATUS.get(ending.status, 'it ended')}{ago}{place}"
    if run is not None and ending.at:
        worker, since = run
        yield f"its last run took {shown_time(ending.at - since)}, in process {worker}"
    elif ending.slave:
        yield "how long it ran is not known: slaves tell of tasks only that run for a while"
    if ending.tries:
        yield f"it was tried {_times(ending.tries)} more, for it had raised or passed a limit"
    if ending.deaths:
        yield f"a worker had died of it {_times(ending.deaths)} before"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _place_of_outcome(job: JobRecord, number: int) -> str:
    life = job.life
    if number <= job.outbox.consumed_to:
        keeps = life is not None and life.spec.keeps_results
        return "its program has taken its outcome" + ("; the job keeps it all the same" if keeps else "")
    if number <= job.outbox.given_to:
        return "its outcome was given to its program, which has not taken it yet"
    if life is not None and not life.is_attached:
        return "its outcome is kept until a program goes on with the job"
    return "its outcome is kept, and is given to its program when that has taken earlier ones"
