"""The ledger: every task's state, decided without any input or output.

Events go in, commands come out (``events.py``), in the order in which they are to be carried out. No socket,
thread, file or clock is inside, so the same ledger runs in the master, in the tests and in the simulator, and
the same events give the same commands. It is owned by one thread. Who gets which task is not decided here but
by a scheduler. What it chooses is an event too, which :meth:`Ledger.assign` and its like apply unmade.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.endings import sorted_out
from concurrent.scheduling.ledger.events import (
    Accept,
    BytesConsumed,
    CancelRequested,
    CancelRun,
    CheckQueue,
    CodeDefined,
    Command,
    Event,
    JobBegun,
    JobCancelled,
    JobClosed,
    JobHeld,
    JobReleased,
    OutcomesConsumed,
    OutcomesRecalled,
    OwnerJoined,
    OwnerLeft,
    PushedLost,
    Recordable,
    RefusedByAll,
    RefusedPassedOn,
    SessionAttached,
    SessionDetached,
    SlaveAsked,
    SlaveAway,
    SlaveBack,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlavesGone,
    StoreChanged,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
    SystemTaken,
    TasksAssigned,
    TasksDone,
    TasksFailed,
    TasksMoved,
    TasksNamed,
    TasksOffered,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TimePassed,
    WindowChanged,
)
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.lifetimes import Lifetimes
from concurrent.scheduling.ledger.places import OFFER_AGAIN_S, PUSHED_LOST_S, Places
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.restoring import Restoring
from concurrent.scheduling.ledger.returning import Returning
from concurrent.scheduling.ledger.running import RunningTasks
from concurrent.scheduling.ledger.states import NEXT_BY_EVENT, TaskEvent, TaskState
from concurrent.scheduling.ledger.status import LedgerStatus, status_of
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Ledger"]

QUEUED, PUSHED, HELD = TaskState.QUEUED, TaskState.PUSHED, TaskState.HELD

PASSED_ON: Final = (CodeDefined, TasksNamed, SystemPushed, SystemLosses, JobBegun)
"""What the ledger has a journal keep, and hardly needs to know itself."""

TAKEN: Final = NEXT_BY_EVENT[TaskEvent.TAKEN]

LOOK_S: Final = 1.0
"""How often it is looked for slaves that report nothing."""

RETURN_S: Final = 60.0
"""So long a session that was lost has to come back to its job."""

OFFER_AGAIN_MAX_S: Final = 60.0
"""Tasks that all slaves have refused are offered to them again later each time, up to so long."""


class Ledger(Places):
    """Every task that was submitted, until its outcome was consumed."""

    def __init__(self, *, return_s: float = RETURN_S, **limits: Any) -> None:
        """Begin with nothing.

        :param return_s: how long a session of a job that was lost has to come back, and a slave that is silent.
        :param limits: those of :class:`Places`.
        """
        super().__init__(return_s=return_s, **limits)
        self.lifetimes = Lifetimes(self, return_s)
        self.returning = Returning(self, self.lifetimes, return_s)
        self.alarms.set(Alarm.SILENCE, 0.0)
        self.dropped_count = 0
        self.running = RunningTasks()
        self._unaccepted = self.jobs.acceptance.batches
        self._apply_by_type: dict[type, Any] = {
            OwnerJoined: self.lifetimes.joined,
            OwnerLeft: self.lifetimes.left,
            SessionAttached: self.jobs.attached,
            SessionDetached: self.jobs.detached,
            JobCancelled: self.lifetimes.cancelled,
            JobClosed: self.lifetimes.closed,
            JobHeld: self.lifetimes.held,
            JobReleased: self.lifetimes.released,
            SystemStepped: self.jobs.stepped,
            SystemEnded: self.lifetimes.system_ended,
            SystemTaken: self.lifetimes.system_taken,
            OutcomesConsumed: self.jobs.consumed,
            OutcomesRecalled: self.jobs.recalled,
            BytesConsumed: self.jobs.bytes_consumed,
            StoreChanged: self.jobs.store_changed,
            TasksSubmitted: self._tasks_submitted,
            CancelRequested: self.lifetimes.cancel_requested,
            SlaveJoined: self.returning.joined,
            SlaveAway: self.returning.away,
            SlaveBack: self.returning.back,
            SlaveHolding: self.returning.holding,
            SlaveLost: self.returning.lost,
            SlavesGone: self.returning.gone,
            WindowChanged: self._window_changed,
            TasksDone: self._tasks_done,
            TasksFailed: self._tasks_failed,
            TasksReturned: self._tasks_returned,
            TasksTaken: self._tasks_taken,
            TasksRunning: self._tasks_running,
            TasksAssigned: lambda event: self.assign(event.slave, event.count, self._lane(event.lane)),
            TasksOffered: lambda event: self.offer(event.count, self._lane(event.lane)),
            SlaveAsked: self._slave_asked,
            RefusedPassedOn: lambda _event: self.pass_on(),
            PushedLost: self.pushed_lost,
            TimePassed: self._time_passed,
            **dict.fromkeys(PASSED_ON, self.jobs.record),
        }
        self._look_by_alarm: dict[Alarm, Callable[[float], list[Command]]] = {
            Alarm.SILENCE: self._look_for_silent,
            Alarm.QUEUE: self._look_at_queue,
            Alarm.REFUSALS: self._look_at_refusals,
            Alarm.SHORTAGE: lambda _now: self.jobs.shortage.look(),
            Alarm.JOBS: self.lifetimes.look,
            Alarm.RETURNS: self.returning.look,
        }

    @property
    def deadline(self) -> float:
        """When ``TimePassed`` has to come, in seconds: 0 at once, infinity if it need not come."""
        return self.alarms.deadline

    def apply(self, event: Event) -> list[Command]:
        """Take one event into account and return what is to be done, in order.

        :raises SchedulingError: if an owner submits under a registration that is not known, or says something
            of numbers that it cannot know.
        :raises LimitExceeded: if an owner submits though too much of it is not accepted.
        """
        commands: list[Command] = self._apply_by_type[type(event)](event)
        return commands + self.jobs.accept_more() if self._unaccepted else commands

    def restore(self, events: Iterable[Recordable]) -> None:
        """Take in what a journal has kept, before anything else happens.

        All jobs are without a session then. Tasks wait until the slaves that were known are back, or are said
        to be gone (``SlavesGone``), or a short while has passed.

        :param events: in the order in which they were recorded.
        """
        Restoring(self, self.lifetimes, self.returning).tell(events)

    def status(self) -> LedgerStatus:
        """Return counts and a bounded part of lists; any thread may read them."""
        return status_of(self)

    def _lane(self, key: tuple[int, Terms] | None) -> Lane | None:
        return self.owners[key[0]].lanes.lane(key[1]) if key is not None else None

    def _slave_asked(self, event: SlaveAsked) -> list[Command]:
        self.ask_back(event.slave)
        return []

    def _tasks_submitted(self, event: TasksSubmitted) -> list[Command]:
        if event.changes:
            return self._stretches_submitted(event)
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
            owner.queue.added(lane, len(event.payloads))
        return self.jobs.submitted(event, sum(map(len, event.payloads)))

    def _stretches_submitted(self, event: TasksSubmitted) -> list[Command]:
        """Take tasks with different terms, each stretch as if it had come alone; accept them with one word."""
        accepts: list[Command] = []
        start, terms = 0, event.terms
        for end, following in (*event.changes, (len(event.payloads), terms)):
            part = TasksSubmitted(event.owner, event.first_id + start, event.payloads[start:end], terms)
            accepts += [one for one in self._tasks_submitted(part) if type(one) is Accept]
            start, terms = end, following
        return self.jobs.submission(event) + accepts[-1:]

    def _time_passed(self, event: TimePassed) -> list[Command]:
        """Look at what is due."""
        self.lifetimes.clock = event.clock
        commands: list[Command] = []
        for alarm in self.alarms.ring(event.now):
            commands += self._look_by_alarm[alarm](event.now)
        return commands

    def _look_for_silent(self, now: float) -> list[Command]:
        """Look for slaves that report nothing, and give what they have not begun to others if these are idle.

        What they run waits for them, until it is too late.
        """
        self.alarms.set(Alarm.SILENCE, LOOK_S)
        self.running.drop_what_is_over()
        commands = self.book.look_for_silent(now)
        if commands:
            commands += self.pushed_lost()  # it may lie in the silent slave's pipe
        for slave in self.book.to_relieve():
            kept = self.running.begun(slave) if self.book.may_return(slave, now) else ()
            tasks = [task for number, task in slave.held.items() if number not in kept]
            if tasks:
                commands.append(TasksMoved(slave.slave, len(tasks)))
                self.move(slave, tasks)
        return commands

    def _window_changed(self, event: WindowChanged) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        return self.book.window_wanted(slave, event.window)

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
        commands = self.book.reported(slave)
        if None in tasks and (self.copies or self.pushed):
            commands += self._take_late(slave, event, tasks)
        if None in tasks or DIED in statuses:
            found = sorted_out(slave, tasks, statuses, payloads)
            tasks, statuses, payloads = found.tasks, found.statuses, found.payloads
            self.dropped_count += found.dropped_count
            self.refusals.avoid(slave.slave, found.retry, self.slaves.values())
            self.requeue(found.retry)
            commands += self.jobs.tried(found.tried)
        slave.counts.add(statuses)
        slave.task_s = event.task_s
        closed = self.end(tasks, statuses, payloads)
        return commands + closed if commands else closed

    def _tasks_failed(self, event: TasksFailed) -> list[Command]:
        """End tasks that nobody can be given; whom they were meant for has not got them."""
        columns = zip(event.numbers, event.failures, strict=True)
        found = [(task, one) for number, one in columns if (task := self.task_by_number.get(number))]
        tasks, failures = [task for task, _ in found], [failure for _, failure in found]
        self.take_out(tasks)
        return self.end(tasks, [FAILED] * len(tasks), failures)

    def _take_late(self, slave: SlaveRecord, event: TasksDone, tasks: list[TaskRecord | None]) -> list[Command]:
        """Put into ``tasks`` what was taken from the slave, or by it without a word, and is not finished."""
        late: dict[int, TaskRecord] = {}
        known = {task.number for task in tasks if task is not None}  # a number that comes twice counts once
        for index, number in enumerate(event.numbers):
            is_outcome = event.statuses[index] in (FINISHED, FAILED)
            if tasks[index] is None and is_outcome and number not in known:
                if number in self.pushed or self.copies.has(slave.name, number):
                    tasks[index] = late[number] = self.task_by_number[number]
                    known.add(number)
        return self.take_out(late.values())

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
        self.requeue(tasks)
        return self.book.heard(slave)

    def _look_at_queue(self, _now: float) -> list[Command]:
        """Look whether what is offered is taken: the pipe of a slave that is lost may swallow it."""
        if not self.pushed:
            return []
        is_stuck = not self._has_taken and any(slave.is_idle for slave in self.slaves.values())
        self._has_taken = False
        self.alarms.set(Alarm.QUEUE, PUSHED_LOST_S)
        return [CheckQueue()] if is_stuck else []

    def _look_at_refusals(self, _now: float) -> list[Command]:
        """Offer again what all slaves have refused, later each time."""
        stuck = self.refusals.stuck(self.slaves.values())
        if not stuck:
            self._refused_again_s = OFFER_AGAIN_S
            if self.refusals.waiting_count:
                self.alarms.set(Alarm.REFUSALS, self._refused_again_s)
            return []
        self._refused_again_s = min(2 * self._refused_again_s, OFFER_AGAIN_MAX_S)
        counts = Counter(task.owner.owner for task in stuck)
        has_lost_workers = any(task.evidence for task in stuck)
        story = self.explain(stuck[0].number)
        said = RefusedByAll(list(counts), list(counts.values()), has_lost_workers, story)
        for task in stuck:
            self.refusals.forget(task)
        self.requeue(stuck)
        return [said]

    def _tasks_taken(self, event: TasksTaken) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        self._has_taken = True
        stale: list[int] = []
        held = slave.held
        for number in event.numbers:
            if number in held:
                continue  # it was sent to this slave
            task = self.pushed.pop(number, None)
            if task is None:
                stale.append(number)
                continue
            if task.state not in TAKEN:
                task.undergo(TaskEvent.TAKEN)  # raises with its story
            task.state = TAKEN[task.state]
            task.slave = event.slave
            held[number] = task
        self.dropped_count += len(stale)
        return [CancelRun(event.slave, stale)] if stale else []

    def _tasks_running(self, event: TasksRunning) -> list[Command]:
        slave = self.slaves.get(event.slave)
        if slave is None:
            return []
        commands = self.book.heard(slave)
        slave.tells_running = True
        stale: list[int] = []
        for number in event.numbers:
            task = self.task_by_number.get(number)
            if task is None:
                stale.append(number)
            elif task.state is QUEUED and self.copies.has(slave.name, number):
                self.resume(slave, [task])
        if stale:
            commands.append(CancelRun(event.slave, stale))
        return commands + self.running.take(event, slave.held)
