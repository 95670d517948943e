"""Has tasks begin at once because somebody wants that, not because they failed: it costs them nothing. Pure.

A task that a slave has is ended there and queued again under a new number, so that nothing which the slave says
of it later is taken for a word on the next run. One that waits for its next try waits no more.
"""

from __future__ import annotations

from concurrent.scheduling.ledger.events import Command, TasksAgain
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.running import RunningTasks
from concurrent.scheduling.ledger.states import TaskState

__all__ = ["Again"]


class Again:
    """See the module.

    :param running: what slaves run, as they tell.
    """

    def __init__(self, places: Places, running: RunningTasks) -> None:
        self._places = places
        self._running = running

    def told(self, event: TasksAgain) -> list[Command]:
        """Have tasks begin at once that somebody has named; those that are queued already do not change."""
        known = self._places.task_by_number
        return self.begin([known[number] for number in dict.fromkeys(event.numbers) if number in known])

    def begin(self, tasks: list[TaskRecord]) -> list[Command]:
        """Have tasks begin at once; those that are queued or offered already do not change."""
        places = self._places
        held = [task for task in tasks if task.state is TaskState.HELD]
        waiting = [task for task in tasks if task.state is TaskState.WAITING]
        refused = [task for task in tasks if task.state is TaskState.REFUSED]
        commands = self._ended(held)
        for task in (*waiting, *refused):
            places.refusals.forget(task)
            places.retries.forget(task)
        commands += places.jobs.retried(waiting, [0.0] * len(waiting))
        places.requeue([*held, *waiting, *refused])
        return commands

    def _ended(self, held: list[TaskRecord]) -> list[Command]:
        """End tasks at the slaves that have them, and at those that may have them still."""
        places = self._places
        commands: list[Command] = [*self._running.drop(task.number for task in held)]
        commands += places.end_copies(held)
        commands += places.take_out(held)
        for task in held:
            places.refusals.forget(task)
        return commands + places.renumber_all(held)
