"""The ledger: every task's state, decided without any input or output.

Events go in, commands come out (``events.py``); no socket, thread, file or clock is inside, so the same
ledger runs in the master, in the tests and in the simulator. It is owned by one thread. Who gets which
task is not decided here but by a scheduler, which calls :meth:`Ledger.assign` or :meth:`Ledger.offer`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.copies import Copies
from concurrent.scheduling.ledger.endings import sorted_out
from concurrent.scheduling.ledger.events import (
    BytesConsumed,
    CancelRequested,
    CancelRun,
    Command,
    Event,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    RefusalsOutdated,
    Send,
    SessionAttached,
    SessionDetached,
    SlaveJoined,
    SlaveLost,
    StoreChanged,
    TasksDone,
    TasksFailed,
    TasksMoved,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.jobs import Jobs
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.refusals import Refusals
from concurrent.scheduling.ledger.running import RunningTasks
from concurrent.scheduling.ledger.slavebook import SlaveBook
from concurrent.scheduling.ledger.states import NEXT_BY_EVENT, TaskEvent, TaskState
from concurrent.scheduling.ledger.status import LedgerStatus, status_of
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED

__all__ = ["Ledger"]

QUEUED, PUSHED, HELD = TaskState.QUEUED, TaskState.PUSHED, TaskState.HELD
GIVEN = NEXT_BY_EVENT[TaskEvent.GIVEN]
ENDED = NEXT_BY_EVENT[TaskEvent.ENDED]


class Ledger:
    """Every task that was accepted and whose outcome has not been handed over.

    ``jobs`` has what was accepted and the outcomes; ``owners`` are its records by number.

    :param batch_max: how many tasks of one owner go into one command; also the turn that one owner
        gets before the next one's tasks, so that a flood from one does not starve another.
    :param memory_bytes_max: how much memory tasks and outcomes may take, see ``budget.py``.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param is_recorded: whether there is a journal: then ``Record`` commands say what it has to keep.
    """

    def __init__(
        self,
        *,
        batch_max: int = 1000,
        memory_bytes_max: int = 128 << 20,
        disk_bytes_max: int = 16 << 30,
        is_recorded: bool = False,
    ) -> None:
        self.queue = TaskQueue(batch_max)
        self.task_by_number: dict[int, TaskRecord] = {}
        self.budget = Budget(self.task_by_number, memory_bytes_max, disk_bytes_max)
        self.jobs = Jobs(self.budget, is_recorded=is_recorded)
        self.owners = self.jobs.by_number
        self._book = SlaveBook()
        self.slaves = self._book.slaves
        self.pushed: dict[int, TaskRecord] = {}
        self.dropped_count = 0
        self.refusals = Refusals()
        self.running = RunningTasks()
        self._copies = Copies()
        self._next_number = 1
        self._apply_by_type: dict[type, Any] = {
            OwnerJoined: self.jobs.begin,
            OwnerLeft: self._owner_left,
            SessionAttached: self.jobs.attached,
            SessionDetached: self.jobs.detached,
            OutcomesConsumed: self.jobs.consumed,
            BytesConsumed: self.jobs.bytes_consumed,
            StoreChanged: self.jobs.store_changed,
            TasksSubmitted: self._tasks_submitted,
            CancelRequested: self._cancel_requested,
            SlaveJoined: self._slave_joined,
            SlaveLost: self._slave_lost,
            WindowChanged: self._window_changed,
            TasksDone: self._tasks_done,
            TasksFailed: self._tasks_failed,
            TasksReturned: self._tasks_returned,
            TasksTaken: self._tasks_taken,
            TasksRunning: self._tasks_running,
            PushedLost: self._pushed_lost,
            RefusalsOutdated: self._refusals_outdated,
            TimePassed: self._time_passed,
        }

    @property
    def queued_count(self) -> int:
        """How many tasks wait for a slave, and may go to any."""
        return self.queue.count

    @property
    def window_total(self) -> int:
        """How many tasks the slaves want to hold together."""
        return self._book.window_total

    @property
    def held_total(self) -> int:
        """How many tasks the slaves have."""
        elsewhere = self.queued_count + len(self.pushed) + self.refusals.waiting_count
        return len(self.task_by_number) - elsewhere

    def apply(self, event: Event) -> list[Command]:
        """Take one event into account and return what is to be done, in order.

        :raises SchedulingError: if an owner submits under a registration that is not known, or says something
            of numbers that it cannot know.
        :raises LimitExceeded: if an owner submits though too much of it is not accepted.
        """
        commands: list[Command] = self._apply_by_type[type(event)](event)
        return commands + self.jobs.accept_more() if self.jobs.acceptance.batches else commands

    @property
    def lanes(self) -> list[Lane]:
        """The lanes with waiting tasks: owners in the order of their turns, the lanes of each by rank."""
        return self.queue.lanes

    @property
    def next_lane(self) -> Lane | None:
        """The lane whose turn it is; None if no task waits."""
        return self.queue.next_lane

    def assign(self, slave: int, count: int, lane: Lane | None = None) -> list[Command]:
        """Give up to ``count`` queued tasks to ``slave``.

        :param lane: where they are taken from; None for all lanes, in their order.
        """
        record = self.slaves[slave]
        commands: list[Command] = []
        while count > 0 and (batch := self.queue.take(count, lane)):
            count -= len(batch)
            commands.append(self._hold(record, batch))
        return commands

    def offer(self, count: int, lane: Lane | None = None) -> list[Command]:
        """Put up to ``count`` queued tasks on the shared work socket.

        :param lane: where they are taken from; None for all lanes, in their order.
        """
        commands: list[Command] = []
        while count > 0 and (batch := self.queue.take(count, lane)):
            count -= len(batch)
            for task in batch:
                task.undergo(TaskEvent.OFFERED)
                self.pushed[task.number] = task
            numbers = [task.number for task in batch]
            payloads = [task.payload for task in batch]
            commands.append(Push(batch[0].owner.owner, numbers, payloads))
        return commands

    def pass_on(self) -> list[Send]:
        """Give tasks that slaves refused to others. Schedulers do not see such tasks."""
        return [self._hold(slave, batch) for slave, batch in self.refusals.take(self.slaves.values())]

    def ask_back(self, slave: int) -> bool:
        """Return whether ``slave`` may be asked for unstarted tasks: once until it has answered."""
        record = self.slaves[slave]
        may_ask = not record.is_asked_back
        record.is_asked_back = True
        return may_ask

    def explain(self, number: int) -> str:
        """Return one line on where the task with this number is."""
        task = self.task_by_number.get(number)
        if task is None:
            return f"task {number} is not known: never accepted, or its outcome was handed over"
        place = f" by {self.slaves[task.slave].name}" if task.slave else ""
        return task.story(place)

    def status(self) -> LedgerStatus:
        """Return counts and a bounded part of lists; any thread may read them."""
        return status_of(self)

    def _hold(self, slave: SlaveRecord, batch: list[TaskRecord]) -> Send:
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
        except KeyError:
            task.undergo(TaskEvent.GIVEN)  # raises with its story
            raise
        return Send(key, batch[0].owner.owner, numbers, payloads)

    def _owner_left(self, event: OwnerLeft) -> list[Command]:
        owner = self.jobs.end(event.owner)
        if owner is None:
            return []
        self.queue.drop(owner)
        running: dict[int, list[int]] = {}
        commands = self._end_copies(self.task_by_number[one] for one in owner.number_by_id.values())
        for number in owner.number_by_id.values():
            task = self.task_by_number.pop(number)
            self.budget.open_bytes -= len(task.payload)
            self.pushed.pop(number, None)
            self.refusals.forget(task)
            if task.state is HELD:
                del self.slaves[task.slave].held[number]
                running.setdefault(task.slave, []).append(number)
            task.undergo(TaskEvent.ENDED)
        commands = self.jobs.record(event) + commands
        return [*commands, *(CancelRun(slave, numbers) for slave, numbers in running.items())]

    def _tasks_submitted(self, event: TasksSubmitted) -> list[Command]:
        owner = self.jobs.submitter(event)
        number = self._next_number
        client_id = event.first_id
        number_by_id = owner.number_by_id
        terms = event.terms
        lane = owner.lanes.lane(terms)
        append = lane.tasks.append
        task_by_number = self.task_by_number
        for payload in event.payloads:
            task = TaskRecord(number, owner, client_id, payload, terms)
            task_by_number[number] = task
            number_by_id[client_id] = number
            append(task)
            number += 1
            client_id += 1
        owner.next_id = client_id
        self._next_number = number
        if event.payloads:
            self.queue.added(lane, len(event.payloads))
        return self.jobs.submitted(event, sum(map(len, event.payloads)))

    def _cancel_requested(self, event: CancelRequested) -> list[Command]:
        owner = self.owners.get(event.owner)
        if owner is None:
            return []
        cancelled: dict[int, TaskRecord] = {}
        for client_id in event.ids:
            task = self.task_by_number.get(owner.number_by_id.get(client_id, 0))
            if task is not None:
                cancelled[client_id] = task
        commands = self._take_out(cancelled.values())
        tasks, count = list(cancelled.values()), len(cancelled)
        commands += self._close(tasks, [CANCELLED] * count, [b""] * count)
        for task in tasks:  # one that was queued is in the queue until its turn
            task.payload = b""
        return commands

    def _take_out(self, tasks: Iterable[TaskRecord]) -> list[Command]:
        """Take tasks that end from where they are; return what is to be done about it."""
        running: dict[int, list[int]] = {}
        for task in tasks:
            if task.state is QUEUED:
                self.queue.pass_over([task])
            elif task.state is HELD:
                del self.slaves[task.slave].held[task.number]
                running.setdefault(task.slave, []).append(task.number)
            elif task.state is PUSHED:
                del self.pushed[task.number]
        return [CancelRun(slave, numbers) for slave, numbers in running.items()]

    def _slave_joined(self, event: SlaveJoined) -> list[Command]:
        self._book.join(event)
        return []

    def _slave_lost(self, event: SlaveLost) -> list[Command]:
        slave = self._book.lose(event.slave)
        if slave is not None:
            self._pushed_lost()  # it may lie in the lost slave's pipe
            self._move_all(slave)
        return []

    def _move_all(self, slave: SlaveRecord) -> None:
        """Queue again what a slave has, though it may go on with it."""
        tasks = list(slave.held.values())
        slave.held.clear()
        slave.is_asked_back = False
        self._copies.note(slave.name, tasks)
        self._requeue(tasks)

    def _time_passed(self, event: TimePassed) -> list[Command]:
        """Look for slaves that report nothing, and give what they have to others as far as these are idle."""
        self.running.drop_what_is_over()
        commands = self._book.look_for_silent(event.now)
        if commands:
            self._pushed_lost()  # it may lie in the silent slave's pipe
        for slave in self._book.to_relieve():
            commands.append(TasksMoved(slave.slave, len(slave.held)))
            self._move_all(slave)
        return commands

    def _window_changed(self, event: WindowChanged) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        return self._book.window_wanted(slave, event.window)

    def _tasks_done(self, event: TasksDone) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            self.dropped_count += len(event.numbers)
            return []
        pop = slave.held.pop
        tasks: list[Any] = []
        for number in event.numbers:
            tasks.append(pop(number, None))
        statuses, payloads = event.statuses, event.payloads
        commands = self._book.reported(slave)
        if None in tasks and (self._copies or self.pushed):
            commands += self._take_late(slave, event, tasks)
        if None in tasks or DIED in statuses:
            found = sorted_out(slave, tasks, statuses, payloads)
            tasks, statuses, payloads = found.tasks, found.statuses, found.payloads
            self.dropped_count += found.dropped_count
            self.refusals.avoid(slave.slave, found.retry, self.slaves.values())
            self._requeue(found.retry)
        slave.counts.add(statuses)
        slave.task_s = event.task_s
        return commands + self._close(tasks, statuses, payloads)

    def _tasks_failed(self, event: TasksFailed) -> list[Command]:
        """End tasks that nobody can be given; whom they were meant for has not got them."""
        columns = zip(event.numbers, event.failures, strict=True)
        found = [(task, one) for number, one in columns if (task := self.task_by_number.get(number))]
        tasks, failures = [task for task, _ in found], [failure for _, failure in found]
        self._take_out(tasks)
        return self._close(tasks, [FAILED] * len(tasks), failures)

    def _take_late(self, slave: SlaveRecord, event: TasksDone, tasks: list[TaskRecord | None]) -> list[Command]:
        """Put into ``tasks`` what was taken from the slave, or by it without a word, and is not finished."""
        late: dict[int, TaskRecord] = {}
        known = {task.number for task in tasks if task is not None}  # a number that comes twice counts once
        for index, number in enumerate(event.numbers):
            is_outcome = event.statuses[index] in (FINISHED, FAILED)
            if tasks[index] is None and is_outcome and number not in known:
                if number in self.pushed or self._copies.has(slave.name, number):
                    tasks[index] = late[number] = self.task_by_number[number]
                    known.add(number)
        return self._take_out(late.values())

    def _tasks_returned(self, event: TasksReturned) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        pop = slave.held.pop
        tasks = [task for number in event.numbers if (task := pop(number, None)) is not None]
        if slave.window and not slave.is_asked_back:
            slave.refused_count += len(tasks)
            self.refusals.note(event.slave, tasks)
        slave.is_asked_back = False
        self._requeue(tasks)
        return self._book.heard(slave)

    def _refusals_outdated(self, _event: RefusalsOutdated) -> list[Command]:
        stuck = self.refusals.stuck(self.slaves.values())
        for task in stuck:
            self.refusals.forget(task)
        self._requeue(stuck)
        return []

    def _tasks_taken(self, event: TasksTaken) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        stale: list[int] = []
        for number in event.numbers:
            if number in slave.held:
                continue  # it was sent to this slave
            task = self.pushed.pop(number, None)
            if task is None:
                stale.append(number)
                continue
            task.undergo(TaskEvent.TAKEN)
            task.slave = event.slave
            slave.held[number] = task
        self.dropped_count += len(stale)
        return [CancelRun(event.slave, stale)] if stale else []

    def _tasks_running(self, event: TasksRunning) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        commands = self._book.heard(slave)
        slave.tells_running = True
        stale: list[int] = []
        for number in event.numbers:
            task = self.task_by_number.get(number)
            if task is None:
                stale.append(number)
            elif task.state is QUEUED and self._copies.has(slave.name, number):  # it may go on with it
                self.queue.remove(task)
                task.undergo(TaskEvent.RESUMED)
                task.slave = event.slave
                slave.held[number] = task
        if stale:
            commands.append(CancelRun(event.slave, stale))
        return commands + self.running.take(event, slave.held)

    def _pushed_lost(self, _event: PushedLost | None = None) -> list[Command]:
        """Queue again what nobody reported taken; new numbers tell it from copies that still turn up."""
        lost = list(self.pushed.values())
        self._copies.end(lost)
        self.pushed.clear()
        for task in lost:
            del self.task_by_number[task.number]
            task.number = self._next_number
            self._next_number += 1
            self.task_by_number[task.number] = task
            task.owner.number_by_id[task.client_id] = task.number
        self._requeue(lost)
        return []

    def _close(self, tasks: list[TaskRecord], statuses: list[int], payloads: list[Any]) -> list[Command]:
        """End tasks that nobody holds now: their outcomes are their jobs' from now on."""
        if not tasks:
            return []
        task_by_number = self.task_by_number
        commands = self._end_copies(tasks) if self._copies.names_by_number else []
        if self.refusals.refusers_by_number:
            for task in tasks:
                self.refusals.forget(task)
        size_bytes = 0
        task = tasks[0]
        try:
            for task in tasks:
                task.state = ENDED[task.state]
                del task_by_number[task.number]
                del task.owner.number_by_id[task.client_id]
                size_bytes += len(task.payload)
        except KeyError:
            task.undergo(TaskEvent.ENDED)  # raises with its story
            raise
        self.budget.open_bytes -= size_bytes
        return commands + self.jobs.ended(tasks, statuses, payloads)

    def _end_copies(self, tasks: Iterable[TaskRecord]) -> list[Command]:
        """Have slaves drop tasks that end and were taken from them."""
        if not self._copies:
            return []
        numbers_by_name = self._copies.end(tasks)
        return [
            CancelRun(slave.slave, numbers_by_name[slave.name])
            for slave in self.slaves.values()
            if numbers_by_name and slave.name in numbers_by_name
        ]

    def _requeue(self, tasks: list[TaskRecord]) -> None:
        """Put tasks back at the front of their owners' queues, in their old order; not refused ones."""
        self.queue.put_back(self.refusals.keep(tasks) if self.refusals else tasks)
