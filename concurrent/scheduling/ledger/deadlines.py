"""Tasks that may be open for so long only after they were submitted. Pure; the ledger owns it.

What was submitted together has one entry, so a deadline costs a batch something, and not a task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.ledger.timetable import Timetable
from concurrent.scheduling.tasks.outcome import Ended

__all__ = ["Deadlines", "overdue"]


class _Batch(NamedTuple):
    owner: int
    first_id: int
    size: int


class Deadlines:
    """See the module.

    :param jobs: who there is that may have submitted tasks, by number.
    :param tasks: the open ones, by number.
    """

    def __init__(self, alarms: Alarms, jobs: Mapping[int, JobRecord], tasks: Mapping[int, TaskRecord]) -> None:
        self._jobs = jobs
        self._tasks = tasks
        self._times: Timetable[_Batch] = Timetable(alarms, Alarm.DEADLINES, self._is_open)

    def add(self, owner: int, first_id: int, count: int, deadline_s: float, submitted_at: float) -> None:
        """Take note of tasks that were submitted together.

        :param submitted_at: the time of day, in seconds since the epoch; 0: now.
        """
        self._times.add(_Batch(owner, first_id, count), deadline_s, since=submitted_at)

    def due(self, now: float, clock: float) -> list[TaskRecord]:
        """Return the tasks that are open though their deadline has passed.

        :param now: the time, in seconds since any fixed instant.
        :param clock: the time of day, in seconds since the epoch; 0 if it is not known.
        """
        tasks = self._tasks
        return [tasks[number] for batch in self._times.due(now, clock) for number in self._open_numbers(batch)]

    def _is_open(self, batch: _Batch) -> bool:
        return next(self._open_numbers(batch), 0) > 0

    def _open_numbers(self, batch: _Batch) -> Iterator[int]:
        """Yield the numbers of those tasks of a batch that are open, in the order of their ids."""
        job = self._jobs.get(batch.owner)
        numbers = job.number_by_id if job is not None else {}
        ids = range(batch.first_id, batch.first_id + batch.size)
        if len(ids) > len(numbers):  # most have ended
            return (number for one, number in numbers.items() if one in ids)
        return (numbers[one] for one in ids if one in numbers)


def overdue(task: TaskRecord, place: str) -> bytes:
    """Return the payload of a task whose deadline has passed.

    :param place: where it is, in words.
    """
    return Ended(f"its deadline of {task.terms.deadline_s:g} s has passed while it {place}").payload()
