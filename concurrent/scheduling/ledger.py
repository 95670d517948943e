"""The ledger: every task's state, decided without any input or output.

Events go in, commands come out (``events.py``); no socket, thread, file or clock is inside, so the same
ledger runs in the master, in the tests and in the simulator. It is owned by one thread. Who gets which
task is not decided here but by a scheduler, which calls :meth:`Ledger.assign` or :meth:`Ledger.offer`.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.core.rows import chosen_rows
from concurrent.scheduling.events import (
    CancelRequested,
    CancelRun,
    Command,
    Deliver,
    Event,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    RefusalsOutdated,
    Send,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.outcome import CANCELLED, DIED
from concurrent.scheduling.records import OwnerRecord, SlaveRecord, TaskRecord
from concurrent.scheduling.refusals import Refusals
from concurrent.scheduling.running import RunningTasks
from concurrent.scheduling.states import NEXT_STATES, TaskState
from concurrent.scheduling.taskqueue import TaskQueue

__all__ = ["Ledger"]

QUEUED, PUSHED, HELD, REFUSED, CLOSED = TaskState

LATELY: Final = 4
"""A slave has reported lately if the others have since then reported fewer times than this, each."""


class Ledger:
    """Every task that was accepted and whose outcome has not been handed over.

    :param batch_max: how many tasks of one owner go into one command; also the turn that one owner
        gets before the next one's tasks, so that a flood from one does not starve another.
    """

    def __init__(self, *, batch_max: int = 1000) -> None:
        self.queue = TaskQueue(batch_max)
        self.owners: dict[int, OwnerRecord] = {}
        self.slaves: dict[int, SlaveRecord] = {}
        self.task_by_number: dict[int, TaskRecord] = {}
        self.pushed: dict[int, TaskRecord] = {}
        self.window_total = 0
        self.open_bytes = 0
        self.accepted_count = 0
        self.accepted_bytes = 0
        self.dropped_count = 0
        self.refusals = Refusals()
        self.running = RunningTasks()
        self._by_report: OrderedDict[int, SlaveRecord] = OrderedDict()
        self._report_count = 0
        self._next_number = 1
        self._apply_by_type: dict[type, Any] = {
            OwnerJoined: self._owner_joined,
            OwnerLeft: self._owner_left,
            TasksSubmitted: self._tasks_submitted,
            CancelRequested: self._cancel_requested,
            SlaveJoined: self._slave_joined,
            SlaveLost: self._slave_lost,
            WindowChanged: self._window_changed,
            TasksDone: self._tasks_done,
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
    def held_total(self) -> int:
        """How many tasks the slaves have."""
        elsewhere = self.queued_count + len(self.pushed) + self.refusals.waiting_count
        return len(self.task_by_number) - elsewhere

    def apply(self, event: Event) -> list[Command]:
        """Take one event into account and return what is to be done, in order.

        :raises SchedulingError: if an owner submits under a registration that is not known.
        """
        commands: list[Command] = self._apply_by_type[type(event)](event)
        return commands

    def assign(self, slave: int, count: int) -> list[Command]:
        """Give up to ``count`` queued tasks to ``slave``, in the fair order of the owners."""
        record = self.slaves[slave]
        commands: list[Command] = []
        while count > 0 and self.queue.count:
            batch = self.queue.take(count)
            count -= len(batch)
            commands.append(self._hold(record, batch))
        return commands

    def let_in(self) -> list[Send]:
        """Give tasks beyond their windows to slaves, of owners that have less than their share there.

        Every owner of open tasks may have an equal part of all windows. Call it when no slave has
        room: what one owner has filled them with is then in nobody's way.
        """
        if len(self.owners) == 1:
            return []
        commands: list[Send] = []
        share = self.window_total // max(1, sum(map(_is_open, self.owners.values())))
        for owner in list(self.queue.owners):
            count = min(owner.queued_count, share - owner.given_count)
            if count > 0:
                commands += self._spread(owner, count)
        return commands

    def offer(self, count: int) -> list[Command]:
        """Put up to ``count`` queued tasks on the shared work socket."""
        commands: list[Command] = []
        while count > 0 and self.queue.count:
            batch = self.queue.take(count)
            for task in batch:
                task.state = PUSHED
                self.pushed[task.number] = task
            count -= len(batch)
            code_count = max(task.code_count for task in batch)
            numbers = [task.number for task in batch]
            payloads = [task.payload for task in batch]
            commands.append(Push(batch[0].owner.owner, code_count, numbers, payloads))
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
        return (
            f"task {number} of {task.owner.name} is {task.state.name.lower()}{place}, "
            f"{len(task.evidence)} of {task.attempts_max} attempts ended in the worker's death"
        )

    def snapshot(self) -> dict[str, Any]:
        """Return counts and a bounded part of lists, as plain values that may be read by any thread."""
        return {
            "accepted": self.accepted_count,
            "queued": self.queued_count,
            "pushed": len(self.pushed),
            "refused": self.refusals.waiting_count,
            "open": len(self.task_by_number),
            "open_bytes": self.open_bytes,
            "dropped_late": self.dropped_count,
            "slave_count": len(self.slaves),
            "owner_count": len(self.owners),
            "slaves": [one.describe() for one in chosen_rows(self.slaves.values(), attrgetter("rank"))],
            "owners": [one.describe() for one in chosen_rows(self.owners.values(), attrgetter("rank"))],
        }

    def _hold(self, slave: SlaveRecord, batch: list[TaskRecord]) -> Send:
        """Give a batch of one owner's tasks to a slave."""
        held = slave.held
        key = slave.slave
        numbers: list[int] = []
        payloads: list[Any] = []
        code_count = 0
        for task in batch:
            task.state = HELD
            task.slave = key
            number = task.number
            held[number] = task
            numbers.append(number)
            payloads.append(task.payload)
            if task.code_count > code_count:
                code_count = task.code_count
        return Send(key, batch[0].owner.owner, code_count, numbers, payloads)

    def _spread(self, owner: OwnerRecord, count: int) -> list[Send]:
        """Give up to ``count`` tasks of an owner to slaves that get on, the latest to report first."""
        patience = LATELY * len(self.slaves)
        slaves = [
            slave
            for slave in islice(reversed(self._by_report.values()), count)
            if self._report_count - slave.reported_at <= patience
        ]
        sends: list[Send] = []
        for index, slave in enumerate(slaves):
            part = min(-(-count // (len(slaves) - index)), slave.window + slave.room)
            if part > 0:
                batch = self.queue.take(part, owner)
                count -= len(batch)
                sends.append(self._hold(slave, batch))
        return sends

    def _owner_joined(self, event: OwnerJoined) -> list[Command]:
        self.owners[event.owner] = OwnerRecord(event.owner, event.name)
        return []

    def _owner_left(self, event: OwnerLeft) -> list[Command]:
        owner = self.owners.pop(event.owner, None)
        if owner is None:
            return []
        self.queue.drop(owner)
        running: dict[int, list[int]] = {}
        for number in owner.number_by_id.values():
            task = self.task_by_number.pop(number)
            self.open_bytes -= len(task.payload)
            self.pushed.pop(number, None)
            self.refusals.forget(task)
            if task.state is HELD:
                del self.slaves[task.slave].held[number]
                running.setdefault(task.slave, []).append(number)
            task.state = CLOSED
        return [CancelRun(slave, numbers) for slave, numbers in running.items()]

    def _tasks_submitted(self, event: TasksSubmitted) -> list[Command]:
        owner = self.owners.get(event.owner)
        if owner is None:
            raise SchedulingError(
                f"tasks came from owner {event.owner}, which is not registered",
                thing="owner",
                value=event.owner,
                remedy="Register first; a registration ends when its connection is given up",
            )
        if event.first_id < owner.next_id:
            raise SchedulingError(
                f"{owner.name} pushed task {event.first_id}, but the next one is {owner.next_id} or later",
                thing="first_id",
                value=event.first_id,
                remedy="Number tasks upwards and use no number twice in a registration",
            )
        number = self._next_number
        client_id = event.first_id
        number_by_id = owner.number_by_id
        append = owner.queue.append
        task_by_number = self.task_by_number
        for payload in event.payloads:
            task = TaskRecord(number, owner, client_id, payload, event)
            task_by_number[number] = task
            number_by_id[client_id] = number
            append(task)
            number += 1
            client_id += 1
        count = client_id - event.first_id
        size_bytes = sum(map(len, event.payloads))
        owner.next_id = client_id
        self._next_number = number
        self.accepted_count += count
        self.accepted_bytes += size_bytes
        self.open_bytes += size_bytes
        self.queue.added(owner, count)
        return []

    def _cancel_requested(self, event: CancelRequested) -> list[Command]:
        owner = self.owners.get(event.owner)
        if owner is None:
            return []
        cancelled: dict[int, TaskRecord] = {}
        running: dict[int, list[int]] = {}
        for client_id in event.ids:
            task = self.task_by_number.get(owner.number_by_id.get(client_id, 0))
            if task is None or client_id in cancelled:
                continue
            cancelled[client_id] = task
            if task.state is QUEUED:
                self.queue.pass_over([task])
            elif task.state is HELD:
                del self.slaves[task.slave].held[task.number]
                running.setdefault(task.slave, []).append(task.number)
            elif task.state is PUSHED:
                del self.pushed[task.number]
        commands: list[Command] = [CancelRun(slave, numbers) for slave, numbers in running.items()]
        tasks, count = list(cancelled.values()), len(cancelled)
        commands += self._close(tasks, [CANCELLED] * count, [b""] * count)
        for task in tasks:  # one that was queued is in the queue until its turn
            task.payload = b""
        return commands

    def _slave_joined(self, event: SlaveJoined) -> list[Command]:
        self.window_total += event.window
        slave = SlaveRecord(event.slave, event.name, event.workers, event.window)
        self.slaves[event.slave] = self._by_report[event.slave] = slave
        return []

    def _slave_lost(self, event: SlaveLost) -> list[Command]:
        slave = self.slaves.pop(event.slave, None)
        if slave is None:
            return []
        del self._by_report[event.slave]
        self.window_total -= slave.window
        self._pushed_lost()  # it may lie in the lost slave's pipe
        self._requeue(list(slave.held.values()))
        return []

    def _window_changed(self, event: WindowChanged) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is not None:
            self.window_total += event.window - slave.window
            slave.window = event.window
        return []

    def _tasks_done(self, event: TasksDone) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            self.dropped_count += len(event.numbers)
            return []
        pop = slave.held.pop
        tasks: list[Any] = [pop(number, None) for number in event.numbers]
        statuses, payloads = event.statuses, event.payloads
        if None in tasks or DIED in statuses:
            tasks, statuses, payloads = self._final(slave, tasks, statuses, payloads)
        self._report_count += 1
        slave.reported_at = self._report_count
        self._by_report.move_to_end(event.slave)
        slave.counts.add(statuses)
        slave.task_s = event.task_s
        return self._close(tasks, statuses, payloads)

    def _final(
        self,
        slave: SlaveRecord,
        tasks: list[TaskRecord | None],
        statuses: list[int],
        payloads: list[Any],
    ) -> tuple[list[TaskRecord], list[int], list[Any]]:
        """Return the outcomes that are final; queue again tasks of which another worker may die."""
        final_tasks: list[TaskRecord] = []
        final_statuses: list[int] = []
        outcomes: list[Any] = []
        retry: list[TaskRecord] = []
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            if task is None:
                self.dropped_count += status != CANCELLED  # it answers what was asked for
                continue
            outcome = payload
            if status == DIED:
                slave.died_count += 1
                task.add_evidence(slave, payload)
                if len(task.evidence) < task.attempts_max:
                    retry.append(task)
                    continue
                outcome = b"\0".join(task.evidence)
            final_tasks.append(task)
            final_statuses.append(status)
            outcomes.append(outcome)
        self._requeue(retry)
        return final_tasks, final_statuses, outcomes

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
        return []

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
            task.state = HELD
            task.slave = event.slave
            slave.held[number] = task
        self.dropped_count += len(stale)
        return [CancelRun(event.slave, stale)] if stale else []

    def _tasks_running(self, event: TasksRunning) -> list[Command]:
        slave = self.slaves.get(event.slave)
        return [] if slave is None else [*self.running.take(event, slave.held)]

    def _time_passed(self, _event: TimePassed) -> list[Command]:
        self.running.drop_what_is_over()
        return []

    def _pushed_lost(self, _event: PushedLost | None = None) -> list[Command]:
        """Queue again what nobody reported taken; new numbers tell it from copies that still turn up."""
        lost = list(self.pushed.values())
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
        """End tasks that nobody holds now: their outcomes are in the commands from now on, and nowhere else."""
        task_by_number = self.task_by_number
        if self.refusals:
            for task in tasks:
                self.refusals.forget(task)
        for task in tasks:
            del task_by_number[task.number]
            del task.owner.number_by_id[task.client_id]
            task.state = CLOSED
        self.open_bytes -= sum([len(task.payload) for task in tasks])
        owners = {task.owner.owner for task in tasks}
        if len(owners) == 1:
            tasks[0].owner.counts.add(statuses)
            return [Deliver(owners.pop(), [task.client_id for task in tasks], statuses, payloads)]
        deliver_by_owner = {owner: Deliver(owner) for owner in owners}
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            deliver = deliver_by_owner[task.owner.owner]
            deliver.ids.append(task.client_id)
            deliver.statuses.append(status)
            deliver.payloads.append(payload)
        for owner, deliver in deliver_by_owner.items():
            self.owners[owner].counts.add(deliver.statuses)
        return list(deliver_by_owner.values())

    def _requeue(self, tasks: list[TaskRecord]) -> None:
        """Put tasks back at the front of their owners' queues, in their old order; not refused ones."""
        others = self.refusals.keep(tasks) if self.refusals else tasks
        for task in others:
            if QUEUED not in NEXT_STATES[task.state]:
                raise AssertionError(f"cannot queue again: {self.explain(task.number)}")
        self.queue.put_back(others)


def _is_open(owner: OwnerRecord) -> bool:
    return bool(owner.number_by_id)
