"""What slaves say of the tasks that they have, and what becomes of these. A pure module."""

from __future__ import annotations

from typing import Any, Final

from concurrent.scheduling.ledger.endings import MAYBE_AGAIN, has_another_try, sorted_out
from concurrent.scheduling.ledger.events import (
    CancelRun,
    Command,
    SlaveFits,
    SlaveLacks,
    TasksDone,
    TasksFailed,
    TasksReturned,
    TasksRunning,
    TasksTaken,
    WindowChanged,
)
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord, undergo_all
from concurrent.scheduling.ledger.running import RunningTasks
from concurrent.scheduling.ledger.states import TaskEvent, TaskState
from concurrent.scheduling.tasks.outcome import DIED, ENDINGS, FAILED

__all__ = ["Reports"]

SORTED_OUT: Final = MAYBE_AGAIN | {DIED}
"""How an attempt may end that need not be the last one."""


class Reports:
    """See the module. ``dropped_count`` words came too late: of tasks that had ended, or that others have.

    :param running: what slaves run, as they tell.
    """

    def __init__(self, places: Places, running: RunningTasks) -> None:
        self.dropped_count = 0
        self._places = places
        self._running = running

    def window_changed(self, event: WindowChanged) -> list[Command]:
        """Take note of how many tasks a slave wants to hold."""
        slave = self._places.slaves.get(event.slave)
        if slave is None:
            return []
        return self._places.book.window_wanted(slave, event.window)

    def lacks(self, event: SlaveLacks) -> list[Command]:
        """Take note of why a slave wants no tasks, for those who ask."""
        slave = self._places.slaves.get(event.slave)
        if slave is not None:
            slave.lacks = event.reason
        return []

    def fits(self, event: SlaveFits) -> list[Command]:
        """Take note of what is wrong with a slave for an owner, for those who ask."""
        slave = self._places.slaves.get(event.slave)
        if slave is not None and event.words:
            slave.misfits[event.owner] = event.program, event.words
        elif slave is not None:
            slave.misfits.pop(event.owner, None)
        return []

    def done(self, event: TasksDone) -> list[Command]:
        """End tasks, or have others try them whose worker has died."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            self.dropped_count += len(event.numbers)
            return []
        pop = slave.held.pop
        tasks: list[Any] = []
        for number in event.numbers:
            tasks.append(pop(number, None))
        if slave.claimed.places:
            places.claims.release(slave, tasks)
        statuses, payloads = event.statuses, event.payloads
        if places.ending.runs:
            places.ending.over(event.slave, event.numbers)
        commands = places.book.reported(slave)
        if None in tasks and (places.copies or places.pushed):
            commands += self._take_late(slave, event, tasks)
        if None in tasks or not SORTED_OUT.isdisjoint(statuses):
            found = sorted_out(slave, tasks, statuses, payloads)
            tasks, statuses, payloads = found.tasks, found.statuses, found.payloads
            self.dropped_count += found.dropped_count
            places.refusals.avoid(slave.slave, found.died, places.slaves.values())
            places.requeue(found.died)
            places.claims.hold_all(slave, found.back)
            commands += places.jobs.tried(found.newly_died)
            if found.retried:
                commands += places.try_again(found.retried, event.at)
        if places.claims.short_until:
            places.claims.note_short(tasks)
        slave.counts.add(statuses)
        slave.task_s = event.task_s
        closed = places.end(tasks, statuses, payloads, (slave.name, event.at, event.task_s))
        return commands + closed if commands else closed

    def returned(self, event: TasksReturned) -> list[Command]:
        """Queue tasks again that a slave has not begun; it gets none again that it refused unasked."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            return []
        pop = slave.held.pop
        tasks = [task for number in event.numbers if (task := pop(number, None)) is not None]
        if event.is_refused or (slave.window and not slave.is_asked_back):
            slave.refused_count += len(tasks)
            places.refusals.note(event.slave, tasks)
        slave.is_asked_back = slave.is_asked_back and event.is_refused
        places.claims.release(slave, tasks)
        places.ending.over(event.slave, event.numbers)
        places.requeue(tasks)
        return places.book.heard(slave) if not event.is_refused else []

    def taken(self, event: TasksTaken) -> list[Command]:
        """Take note of what a slave took from the work queue."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            return []
        places.has_taken = True
        taken: list[TaskRecord] = []
        stale: list[int] = []
        held = slave.held
        for number in event.numbers:
            if number in held:
                continue  # it was sent to this slave
            task = places.pushed.pop(number, None)
            if task is None:
                if (event.slave, number) not in places.ending.runs:
                    stale.append(number)
                continue
            task.slave = event.slave
            held[number] = task
            taken.append(task)
        undergo_all(taken, TaskEvent.TAKEN)
        self.dropped_count += len(stale)
        return [CancelRun(event.slave, stale)] if stale else []

    def tell_running(self, event: TasksRunning) -> list[Command]:
        """Take note of what a slave has run for a while."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            return []
        commands = places.book.heard(slave)
        slave.tells_running = True
        stale: list[int] = []
        for number in event.numbers:
            task = places.task_by_number.get(number)
            if task is None:
                if (event.slave, number) not in places.ending.runs:
                    stale.append(number)
            elif task.terms.resources and number in slave.held:
                places.claims.note_long(task.terms.resources)
            elif task.state is TaskState.QUEUED and places.copies.has(slave.name, number):
                places.resume(slave, [task])
        if stale:
            commands.append(CancelRun(event.slave, stale))
        return commands + self._running.take(event, slave.held)

    def failed(self, event: TasksFailed) -> list[Command]:
        """End tasks that nobody can be given; whom they were meant for has not got them."""
        places = self._places
        columns = zip(event.numbers, event.failures, strict=True)
        found = [(task, one) for number, one in columns if (task := places.task_by_number.get(number))]
        tasks, failures = [task for task, _ in found], [failure for _, failure in found]
        places.take_out(tasks)
        for task in tasks:
            places.ending.over(task.slave, [task.number])
        return places.end(tasks, [FAILED] * len(tasks), failures)

    def _take_late(self, slave: SlaveRecord, event: TasksDone, tasks: list[TaskRecord | None]) -> list[Command]:
        """Put into ``tasks`` what was taken from the slave, or by it without a word, and is not finished.

        What would be tried again is left out: the next try is under way already, and costs none.
        """
        places = self._places
        late: dict[int, TaskRecord] = {}
        known = {task.number for task in tasks if task is not None}  # a number that comes twice counts once
        for index, number in enumerate(event.numbers):
            status = event.statuses[index]
            if tasks[index] is None and status in ENDINGS and number not in known:
                if number in places.pushed or places.copies.has(slave.name, number):
                    task = places.task_by_number[number]
                    if not has_another_try(task, status):
                        tasks[index] = late[number] = task
                        known.add(number)
        return [*places.take_out(late.values())]
