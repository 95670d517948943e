"""Tasks that raised or passed a limit and are tried again, and when. Pure; the ledger owns it.

A task waits here, in no queue, until its time has come. The jitter of a delay depends on the number of the task
and on which try it is, and on nothing else, so the same events lead to the same times.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.states import TaskEvent, TaskState
from concurrent.scheduling.ledger.timetable import Timetable

__all__ = ["NextTry", "Retries"]

SPREAD: Final = 2654435761
"""Multiplied by it, numbers in a row are spread evenly (Knuth's multiplicative hashing)."""

WAITING: Final = TaskState.WAITING


class NextTry(NamedTuple):
    """Which task is tried again, and when.

    :param at: the time of day, in seconds since the epoch; 0 if the ledger has not been told it.
    :param reason: what it raised, or which limit it passed, in a few words; empty if the master has started
        since.
    """

    task: TaskRecord
    at: float
    reason: str


class Retries:
    """See the module. ``waiting`` has what is known of each task that waits, by its number."""

    def __init__(self, alarms: Alarms) -> None:
        self.waiting: dict[int, NextTry] = {}
        self._times: Timetable[tuple[int, int]] = Timetable(alarms, Alarm.RETRIES, self._is_waiting)

    def wait(self, task: TaskRecord, clock: float, reason: str) -> NextTry:
        """Have a task that a slave had wait for its next try, whose count it gets.

        :param clock: the time of day, in seconds since the epoch; 0 if it is not known.
        """
        retry = task.terms.retry
        assert retry is not None
        task.undergo(TaskEvent.RETRIED)
        task.slave = 0
        task.tries += 1
        delay_s = retry.delay_before(task.tries, _chance(task))
        then = self.waiting[task.number] = NextTry(task, clock + delay_s if clock else 0.0, reason)
        self._times.add((task.number, task.tries), delay_s)
        return then

    def told(self, task: TaskRecord, at: float) -> None:
        """Have a task wait that waited before a start of the master; it is in no queue yet.

        :param at: the time of day of its next try, in seconds since the epoch.
        """
        task.state = WAITING
        self.waiting[task.number] = NextTry(task, at, "")
        self._times.add((task.number, task.tries), 0.0, since=at)

    def uncount(self, task: TaskRecord) -> None:
        """Count the next try of a task no more, if it waits for that.

        A slave brings an outcome of it after a start of the master. That may be the very one for which it
        waits, and would be counted twice; if it is a later one the task has a try more than it asked for.
        """
        if task.number in self.waiting:
            task.tries -= 1

    def forget(self, task: TaskRecord) -> None:
        """Have a task wait no more: it has ended, or a slave has it after all."""
        self.waiting.pop(task.number, None)

    def due(self, now: float, clock: float) -> list[TaskRecord]:
        """Return the tasks whose time has come; they are queued again now."""
        return [self.waiting.pop(one[0]).task for one in self._times.due(now, clock) if self._is_waiting(one)]

    def _is_waiting(self, entry: tuple[int, int]) -> bool:
        """Tell whether a task waits for a certain try, by the number of the task and which try it is."""
        then = self.waiting.get(entry[0])
        return then is not None and then.task.tries == entry[1]


def _chance(task: TaskRecord) -> float:
    """Return where within the jitter a try of a task is, from 0 to 1."""
    return ((task.number * SPREAD + task.tries * (SPREAD >> 7)) & 0xFFFF) / 0xFFFF
