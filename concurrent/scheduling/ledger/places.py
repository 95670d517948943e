"""Where each task is at the master, and how it goes from place to place. Pure; the ledger is made of it.

A task waits in a lane, is offered to all slaves, is held by one, or waits for slaves that have not refused it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from concurrent.scheduling.ledger.alarms import Alarms
from concurrent.scheduling.ledger.arrivals import Arrivals
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.copies import Copies
from concurrent.scheduling.ledger.deadlines import Deadlines
from concurrent.scheduling.ledger.endingruns import EndingRuns
from concurrent.scheduling.ledger.events import CancelRun, Command, Send, TasksRenumbered
from concurrent.scheduling.ledger.jobs import Jobs, ReadFailure
from concurrent.scheduling.ledger.lastwords import LastWords
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.refusals import Refusals
from concurrent.scheduling.ledger.retries import Retries
from concurrent.scheduling.ledger.slavebook import SlaveBook
from concurrent.scheduling.ledger.states import NEXT_BY_EVENT, TaskEvent, TaskState
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.ledger.watching import NOWHERE, Where

__all__ = ["Places"]

QUEUED, PUSHED, HELD = TaskState.QUEUED, TaskState.PUSHED, TaskState.HELD
GIVEN = NEXT_BY_EVENT[TaskEvent.GIVEN]
ENDED = NEXT_BY_EVENT[TaskEvent.ENDED]


class Places:
    """See the module.

    ``jobs`` has what was accepted and the outcomes; ``owners`` are its records by number. ``queue`` has the
    tasks that wait for a slave, ``parked`` those of jobs of which nothing may run. ``has_taken`` says that a
    slave has taken something from the work queue since the last look; ``next_number`` is that of the next task.
    ``clock`` is the time of day that was told last, in seconds since the epoch; 0 if none was.

    :param batch_max: how many tasks of one owner go into one command; also the turn that one owner
        gets before the next one's tasks, so that a flood from one does not starve another.
    :param memory_bytes_max: how much memory tasks and outcomes may take, see ``budget.py``.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param kept_bytes_max: how much memory tasks of jobs that are kept may take.
    :param first_number: what the first task is numbered; no number is given twice, also not after a restart.
    :param is_recorded: whether there is a journal: then ``Record`` commands say what it has to keep.
    :param read_failure: returns the type of the exception and the text of a failure, from its payload, for the
        history of jobs that are recorded; None if it cannot be read.
    :param return_s: how long after its last word what a slave runs is given to nobody else, in seconds.
    :param tokens: what there is of it for all slaves together, in units by name; None for nothing.
    """

    def __init__(  # noqa: PLR0913  the limits of a master, by name
        self,
        *,
        batch_max: int = 1000,
        memory_bytes_max: int = 128 << 20,
        disk_bytes_max: int = 16 << 30,
        kept_bytes_max: int = 1 << 30,
        first_number: int = 1,
        is_recorded: bool = False,
        read_failure: ReadFailure | None = None,
        return_s: float,
        tokens: Mapping[str, int] | None = None,
    ) -> None:
        self.arrivals = Arrivals()
        self.queue = TaskQueue(batch_max, self.arrivals, is_by_claim=True)
        self.parked = TaskQueue(batch_max, self.arrivals)
        self.task_by_number: dict[int, TaskRecord] = {}
        self.budget = Budget(self.task_by_number, memory_bytes_max, disk_bytes_max, kept_bytes_max)
        self.alarms = Alarms()
        self.jobs = Jobs(
            self.budget, self.alarms, self.queue, is_recorded=is_recorded, read_failure=read_failure
        )
        self.owners = self.jobs.by_number
        self.book = SlaveBook(return_s)
        self.slaves = self.book.slaves
        self.pushed: dict[int, TaskRecord] = {}
        self.claims = Claims(self.queue, tokens or {})
        self.ending = EndingRuns(self.claims, self.slaves)
        self.refusals = Refusals(self.claims)
        self.retries = Retries(self.alarms)
        self.deadlines = Deadlines(self.alarms, self.owners, self.task_by_number)
        self.has_taken = False
        self.copies = Copies()
        self.last_words = LastWords()
        self.clock = 0.0
        self.next_number = first_number

    def hold(self, slave: SlaveRecord, batch: list[TaskRecord]) -> Send:
        """Give a batch of one owner's tasks to a slave."""
        held = slave.held
        key = slave.slave
        numbers: list[int] = []
        payloads: list[Any] = []
        task = batch[0]
        try:
            for task in batch:
                task.state = GIVEN[task.state]
                task.slave = key
                number = task.number
                held[number] = task
                numbers.append(number)
                payloads.append(task.payload)
        except KeyError as error:
            raise task.misplaced(TaskEvent.GIVEN) from error
        terms = task.terms
        if terms.resources:
            self.claims.hold(slave, terms.resources, len(batch))
        return Send(key, task.owner.owner, numbers, payloads, terms)

    def resume(self, slave: SlaveRecord, tasks: list[TaskRecord]) -> None:
        """Let a slave go on with tasks that it had before; if another slave has one now, the first ends it."""
        waiting = [task for task in tasks if task.state is QUEUED]
        if waiting:
            self.queue.remove(waiting)
        for task in tasks:
            if task.state is HELD:
                self.copies.note(slave.name, [task])
                continue
            if task.state is PUSHED:
                del self.pushed[task.number]
            else:
                self.refusals.forget(task)
                self.retries.forget(task)
            task.undergo(TaskEvent.RESUMED)
            task.slave = slave.slave
            slave.held[task.number] = task
            self.claims.hold_all(slave, [task])

    def is_with(self, slave: SlaveRecord, number: int) -> bool:
        """Tell whether a slave holds a task, or may have it though it was taken from the slave."""
        return number in slave.held or self.copies.has(slave.name, number)

    def take_out(self, tasks: Iterable[TaskRecord], grace_s: float = 0.0) -> list[CancelRun]:
        """Take tasks that end from where they are; return what is to be done about it.

        :param grace_s: how long those that run have to end by themselves, in seconds.
        """
        running: dict[int, list[int]] = {}
        for task in tasks:
            if task.state is QUEUED:
                self.queue.pass_over([task])
            elif task.state is HELD:
                slave = self.slaves[task.slave]
                del slave.held[task.number]
                self.last_words.expect([task])
                self.ending.add(task, grace_s)
                running.setdefault(task.slave, []).append(task.number)
            elif task.state is PUSHED:
                del self.pushed[task.number]
        return [CancelRun(slave, numbers, grace_s) for slave, numbers in running.items()]

    def move(self, slave: SlaveRecord, tasks: list[TaskRecord]) -> None:
        """Queue again tasks that a slave has, though it may go on with them."""
        for task in tasks:
            del slave.held[task.number]
        self.claims.release(slave, tasks)
        slave.is_asked_back = False
        self.copies.note(slave.name, tasks)
        self.requeue(tasks)

    def pushed_lost(self, _event: object = None) -> list[Command]:
        """Queue again what nobody reported taken; new numbers tell it from copies that still turn up."""
        lost = list(self.pushed.values())
        self.copies.end(lost)
        self.pushed.clear()
        commands = self.renumber_all(lost)
        self.requeue(lost)
        return commands

    def renumber_all(self, tasks: list[TaskRecord]) -> list[Command]:
        """Give tasks new numbers, in their order, so that nothing which is said of the old ones counts."""
        commands: list[Command] = []
        in_order = sorted(tasks, key=lambda task: (task.owner.owner, task.number))
        for owner, of_one in groupby(in_order, key=attrgetter("owner.owner")):
            renumbered = TasksRenumbered(owner, [], self.next_number)
            for task in of_one:
                self.renumber(task, self.next_number)
                renumbered.ids.append(task.client_id)
            commands += self.jobs.record(renumbered)
        return commands

    def renumber(self, task: TaskRecord, number: int) -> None:
        """Give a task another number."""
        del self.task_by_number[task.number]
        task.number = number
        self.task_by_number[number] = task
        task.owner.number_by_id[task.client_id] = number
        self.numbered_to(number + 1)

    def numbered_to(self, number: int) -> None:
        """Give the next task this number, or a higher one."""
        self.next_number = max(self.next_number, number)

    def end(
        self,
        tasks: list[TaskRecord],
        statuses: list[int],
        payloads: list[Any],
        where: Where = NOWHERE,
    ) -> list[Command]:
        """End tasks that nobody holds now: their outcomes are their jobs' from now on.

        :param where: which slave said so; if it has no time, that is when the time was told last.
        """
        if not tasks:
            return []
        task_by_number = self.task_by_number
        commands = self.end_copies(tasks) if self.copies.names_by_number else []
        if self.refusals.refusers_by_number:
            for task in tasks:
                self.refusals.forget(task)
        if self.retries.waiting:
            for task in tasks:
                self.retries.forget(task)
        size_bytes = 0
        task = tasks[0]
        try:
            for task in tasks:
                task.state = ENDED[task.state]
                del task_by_number[task.number]
                del task.owner.number_by_id[task.client_id]
                size_bytes += len(task.payload)
        except KeyError as error:
            raise task.misplaced(TaskEvent.ENDED) from error
        self.budget.open_bytes -= size_bytes
        if not where[1]:
            where = where[0], self.clock, where[2]
        ended = self.jobs.ended(tasks, statuses, payloads, where)
        return commands + ended if commands else ended

    def end_copies(self, tasks: Iterable[TaskRecord]) -> list[Command]:
        """Have slaves drop tasks that end and were taken from them."""
        if not self.copies:
            return []
        numbers_by_name = self.copies.end(tasks)
        return [
            CancelRun(slave.slave, numbers_by_name[slave.name])
            for slave in self.slaves.values()
            if numbers_by_name and slave.name in numbers_by_name
        ]

    def try_again(self, retried: list[tuple[TaskRecord, int, Any]], at: float) -> list[Command]:
        """Have tasks that nobody holds now wait for their next tries.

        :param retried: each with the status and the payload of the try that has ended.
        :param at: when that was, in seconds since the epoch; 0: when the time was told last.
        """
        tasks, times = [task for task, _, _ in retried], []
        commands = self.end_copies(tasks)
        for task, reason in zip(tasks, self.jobs.reasons_of(retried), strict=True):
            times.append(self.retries.wait(task, at or self.clock, reason).at)
        return commands + self.jobs.retried(tasks, times)

    def requeue(self, tasks: list[TaskRecord]) -> None:
        """Put tasks back at the front of their owners' queues, in their old order; not refused ones."""
        self.queue.put_back(self.refusals.keep(tasks) if self.refusals else tasks)
