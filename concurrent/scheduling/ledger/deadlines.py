"""Tasks that may be open for so long only after they were submitted. Pure; the ledger owns it.

What was submitted together has one entry, so a deadline costs a batch something, and not a task.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """See the module."""

    def __init__(self, alarms: Alarms) -> None:
        self._times: Timetable[_Batch] = Timetable(alarms, Alarm.DEADLINES)

    def add(self, owner: int, first_id: int, count: int, deadline_s: float, submitted_at: float) -> None:
        """Take note of tasks that were submitted together.

        :param submitted_at: the time of day, in seconds since the epoch; 0: now.
        """
        self._times.add(_Batch(owner, first_id, count), deadline_s, since=submitted_at)

    def due(
        self, now: float, clock: float, jobs: Mapping[int, JobRecord], tasks: Mapping[int, TaskRecord]
    ) -> list[TaskRecord]:
        """Return the tasks that are open though their deadline has passed."""
        found: list[TaskRecord] = []
        for owner, first_id, size in self._times.due(now, clock):
            job = jobs.get(owner)
            if job is not None:
                numbers = job.number_by_id
                ids = range(first_id, first_id + size)
                found += [tasks[numbers[one]] for one in ids if one in numbers]
        return found


def overdue(task: TaskRecord, place: str) -> bytes:
    """Return the payload of a task whose deadline has passed.

    :param place: where it is, in words.
    """
    return Ended(f"its deadline of {task.terms.deadline_s:g} s has passed while it {place}").payload()
