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

from concurrent.scheduling.ledger.again import Again
from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.deadlines import overdue
from concurrent.scheduling.ledger.drains import Drains
from concurrent.scheduling.ledger.events import (
    Accept,
    BytesConsumed,
    CancelRequested,
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
    Push,
    PushedLost,
    Recordable,
    RefusedByAll,
    RefusedPassedOn,
    Send,
    SessionAttached,
    SessionDetached,
    SlaveAsked,
    SlaveAway,
    SlaveBack,
    SlaveDrained,
    SlaveFits,
    SlaveHolding,
    SlaveJoined,
    SlaveLacks,
    SlaveLost,
    SlaveResumed,
    SlavesGone,
    StoreChanged,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
    SystemTaken,
    TasksAgain,
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
from concurrent.scheduling.ledger.infeasible import Infeasible
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.lifetimes import Lifetimes
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import TaskRecord, undergo_all
from concurrent.scheduling.ledger.reports import Reports
from concurrent.scheduling.ledger.restoring import Restoring
from concurrent.scheduling.ledger.returning import Returning
from concurrent.scheduling.ledger.running import RunningTasks
from concurrent.scheduling.ledger.states import TaskEvent, TaskState
from concurrent.scheduling.ledger.status import LedgerStatus, status_of
from concurrent.scheduling.tasks.outcome import GRACE_S, TIMED_OUT
from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Ledger"]

PASSED_ON: Final = (CodeDefined, TasksNamed, SystemPushed, SystemLosses, JobBegun)
"""What the ledger has a journal keep, and hardly needs to know itself."""

LOOK_S: Final = 1.0
"""How often it is looked for slaves that report nothing."""

RETURN_S: Final = 60.0
"""So long a session that was lost has to come back to its job."""

PUSHED_LOST_S: Final = 1.0
"""After so long in which idle slaves take nothing from the work queue, what lies on it is offered again."""

OFFER_AGAIN_S: Final = 1.0
"""After so long, and then later each time, tasks that all slaves have refused are offered to them again."""

OFFER_AGAIN_MAX_S: Final = 60.0
"""Tasks that all slaves have refused are offered to them again later each time, up to so long."""


class Ledger:
    """Every task that was submitted, until its outcome was consumed.

    What a scheduler chooses is done here: :meth:`assign`, :meth:`offer` and :meth:`ask_back`. ``places`` has
    where each task is; ``jobs``, ``slaves`` and the like are its parts, for others to look at.

    :param return_s: how long a session of a job that was lost has to come back, and a slave that is silent.
    :param fails_infeasible: whether tasks fail after a while that claim what no slave could meet.
    :param limits: those of :class:`Places`.
    """

    def __init__(self, *, return_s: float = RETURN_S, fails_infeasible: bool = False, **limits: Any) -> None:
        places = self.places = Places(return_s=return_s, **limits)
        self.jobs = places.jobs
        self.owners = places.owners
        self.slaves = places.slaves
        self.task_by_number = places.task_by_number
        self.queue = places.queue
        self.claims = places.claims
        self.pushed = places.pushed
        self.refusals = places.refusals
        self.budget = places.budget
        self.alarms = places.alarms
        self.alarms.set(Alarm.SILENCE, 0.0)
        self.running = RunningTasks()
        self.reports = Reports(places, self.running)
        self.lifetimes = Lifetimes(places, return_s)
        self.again = Again(places, self.running)
        self.drains = Drains(places, self.again)
        self.returning = Returning(places, self.lifetimes, self.drains, return_s)
        self.infeasible = Infeasible(places.claims, self.slaves, places.alarms, fails=fails_infeasible)
        self._refused_again_s = OFFER_AGAIN_S
        self._unaccepted = self.jobs.acceptance.batches
        self._apply_by_type = self._takers()
        self._look_by_alarm: dict[Alarm, Callable[[float], list[Command]]] = {
            Alarm.SILENCE: self._look_each_second,
            Alarm.QUEUE: self._look_at_queue,
            Alarm.REFUSALS: self._look_at_refusals,
            Alarm.SHORTAGE: lambda _now: self.jobs.shortage.look(),
            Alarm.JOBS: self.lifetimes.look,
            Alarm.RETURNS: self.returning.look,
            Alarm.CLAIMS: self.infeasible.look_at_new,
            Alarm.DRAINS: self.drains.look,
            Alarm.RETRIES: self._look_at_retries,
            Alarm.DEADLINES: self._look_at_deadlines,
        }

    def _takers(self) -> dict[type, Any]:
        """Return what takes each event."""
        return {
            OwnerJoined: self.lifetimes.joined,
            OwnerLeft: self.lifetimes.left,
            SessionAttached: self.jobs.attached,
            SessionDetached: self.lifetimes.detached,
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
            TasksAgain: self.again.told,
            SlaveJoined: self._slave_joined,
            SlaveAway: self.returning.away,
            SlaveBack: self.returning.back,
            SlaveHolding: self.returning.holding,
            SlaveLost: self.returning.lost,
            SlaveDrained: self.drains.drained,
            SlaveResumed: self.drains.resumed,
            SlavesGone: self.returning.gone,
            WindowChanged: self.reports.window_changed,
            SlaveLacks: self.reports.lacks,
            SlaveFits: self.reports.fits,
            TasksDone: self.reports.done,
            TasksFailed: self.reports.failed,
            TasksReturned: self.reports.returned,
            TasksTaken: self._tasks_taken,
            TasksRunning: self.reports.tell_running,
            TasksAssigned: lambda event: self.assign(event.slave, event.count, self._lane(event.lane)),
            TasksOffered: lambda event: self.offer(event.count, self._lane(event.lane)),
            SlaveAsked: self._slave_asked,
            RefusedPassedOn: lambda _event: self.pass_on(),
            PushedLost: self.places.pushed_lost,
            TimePassed: self._time_passed,
            **dict.fromkeys(PASSED_ON, self.jobs.record),
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
        Restoring(self.places, self.lifetimes, self.returning, self.drains).tell(events)

    def status(self) -> LedgerStatus:
        """Return counts and a bounded part of lists; any thread may read them."""
        return status_of(self)

    @property
    def queued_count(self) -> int:
        """How many tasks wait for a slave, and may go to any: those without a claim."""
        return self.queue.count

    @property
    def window_total(self) -> int:
        """How many tasks the slaves want to hold together."""
        return self.places.book.window_total

    @property
    def held_total(self) -> int:
        """How many tasks the slaves have."""
        waiting = self.queue.count + self.queue.claimed_count + self.places.parked.count
        elsewhere = waiting + len(self.pushed) + self.refusals.waiting_count + len(self.places.retries.waiting)
        return len(self.task_by_number) - elsewhere

    @property
    def lanes(self) -> list[Lane]:
        """The lanes with waiting tasks without a claim: owners in the order of their turns, lanes by rank."""
        return self.queue.lanes

    @property
    def claimed_lanes(self) -> list[Lane]:
        """The lanes with waiting tasks that have a claim, those with one claim together."""
        return [lane for queue in self.claims.waiting.values() for lane in queue.lanes]

    @property
    def next_lane(self) -> Lane | None:
        """The lane whose turn it is, of those without a claim; None if no such task waits."""
        return self.queue.next_lane

    def assign(self, slave: int, count: int, lane: Lane | None = None) -> list[Command]:
        """Give up to ``count`` queued tasks to ``slave``.

        :param lane: where they are taken from; None for all lanes of tasks without a claim, in their order. Of
            tasks with a claim it gets no more than it has room for, see ``Claims.room``.
        """
        record = self.slaves[slave]
        if lane is not None and lane.claim:
            count = min(count, self.claims.room(record, lane.claim))
        commands: list[Command] = []
        while count > 0 and (batch := self.queue.take(count, lane)):
            count -= len(batch)
            commands.append(self.places.hold(record, batch))
        return commands

    def offer(self, count: int, lane: Lane | None = None) -> list[Command]:
        """Put up to ``count`` queued tasks on the shared work socket.

        :param lane: where they are taken from; None for all lanes of tasks without a claim, in their order. A
            task with a claim is never offered, since any slave might take it.
        """
        commands: list[Command] = []
        if lane is not None and lane.claim:
            return commands
        while count > 0 and (batch := self.queue.take(count, lane)):
            count -= len(batch)
            undergo_all(batch, TaskEvent.OFFERED)
            numbers = [task.number for task in batch]
            self.pushed.update(zip(numbers, batch, strict=True))
            payloads = [task.payload for task in batch]
            commands.append(Push(batch[0].owner.owner, numbers, payloads, batch[0].terms))
        if commands and Alarm.QUEUE not in self.alarms:
            self.places.has_taken = False
            self.alarms.set(Alarm.QUEUE, PUSHED_LOST_S)
        return commands

    def pass_on(self) -> list[Send]:
        """Give tasks that slaves refused to others. Schedulers do not see such tasks."""
        sends = [self.places.hold(slave, batch) for slave, batch in self.refusals.take(self.slaves.values())]
        if self.refusals.waiting_count:
            self.alarms.set(Alarm.REFUSALS, self._refused_again_s)
        return sends

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
            return f"task {number} is not known: never submitted, or it has ended"
        place = f" by {self.slaves[task.slave].name}" if task.slave else ""
        return task.story(place)

    def _lane(self, key: tuple[int, Terms] | None) -> Lane | None:
        return self.owners[key[0]].lanes.lane(key[1]) if key is not None else None

    def _slave_joined(self, event: SlaveJoined) -> list[Command]:
        commands = self.returning.joined(event)
        self.infeasible.joined(self.slaves[event.slave])
        return commands

    def _slave_asked(self, event: SlaveAsked) -> list[Command]:
        self.ask_back(event.slave)
        return []

    def _tasks_submitted(self, event: TasksSubmitted) -> list[Command]:
        if event.changes:
            return self._stretches_submitted(event)
        owner = self.jobs.submitter(event)
        number = self.places.next_number
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
        self.places.next_number = number
        if event.payloads:
            owner.queue.added(lane, len(event.payloads))
            if lane.claim:
                self.infeasible.waits(lane.claim)
        if terms.deadline_s is not None:
            self.places.deadlines.add(
                event.owner, event.first_id, len(event.payloads), terms.deadline_s, event.at
            )
        return self.jobs.submitted(event, sum(map(len, event.payloads)))

    def _stretches_submitted(self, event: TasksSubmitted) -> list[Command]:
        """Take tasks with different terms, each stretch as if it had come alone; accept them with one word."""
        accepts: list[Command] = []
        for start, end, terms in event.parts():
            part = TasksSubmitted(
                event.owner, event.first_id + start, event.payloads[start:end], terms, at=event.at
            )
            accepts += [one for one in self._tasks_submitted(part) if type(one) is Accept]
        return self.jobs.submission(event) + accepts[-1:]

    def _tasks_taken(self, event: TasksTaken) -> list[Command]:
        """Take note of what a slave took from the work queue, unless it shall get nothing."""
        slave = self.slaves.get(event.slave)
        is_drained = slave is not None and slave.drain is not None
        return self.drains.taken(slave, event) if slave and is_drained else self.reports.taken(event)

    def _time_passed(self, event: TimePassed) -> list[Command]:
        """Look at what is due."""
        self.places.clock = event.clock
        self.places.arrivals.look(self.places.next_number, event.now)
        commands: list[Command] = []
        for alarm in self.alarms.ring(event.now):
            commands += self._look_by_alarm[alarm](event.now)
        return commands

    def _look_at_retries(self, now: float) -> list[Command]:
        """Queue again what is tried again now."""
        self.places.requeue(self.places.retries.due(now, self.places.clock))
        return []

    def _look_at_deadlines(self, now: float) -> list[Command]:
        """End what is open though its deadline has passed."""
        places = self.places
        late = places.deadlines.due(now, places.clock)
        payloads = [overdue(task, self._whereabouts(task)) for task in late]
        commands: list[Command] = [*places.take_out(late, GRACE_S)]
        commands += places.end(late, [TIMED_OUT] * len(late), payloads)
        for task in late:  # one that was queued is in the queue until its turn
            task.payload = b""
        return commands

    def _whereabouts(self, task: TaskRecord) -> str:
        """Return what a task does now, in words that go on from "it"."""
        if task.state is TaskState.HELD:
            return f"was at {self.slaves[task.slave].name}"
        return "waited for its next try" if task.state is TaskState.WAITING else "waited for a slave"

    def _look_each_second(self, now: float) -> list[Command]:
        """Look for what nothing tells of: silent slaves, tasks that must have ended, impossible claims."""
        self.alarms.set(Alarm.SILENCE, LOOK_S)
        self.places.ending.look(now)
        commands = self._look_for_silent(now)
        return commands + self.infeasible.look(now) if self.queue.by_claim else commands

    def _look_for_silent(self, now: float) -> list[Command]:
        """Look for slaves that report nothing, and give what they have not begun to others if these are idle.

        What they run waits for them, until it is too late.
        """
        silent = self.places.book.look_for_silent(now)
        if silent:
            silent += self.places.pushed_lost()  # it may lie in the silent slave's pipe
        commands = [*self.running.drop_what_is_over(), *silent]
        for slave in self.places.book.to_relieve():
            kept = self.running.begun(slave) if self.places.book.may_return(slave, now) else ()
            tasks = [task for number, task in slave.held.items() if number not in kept]
            if tasks:
                commands.append(TasksMoved(slave.slave, len(tasks)))
                self.places.move(slave, tasks)
        return commands

    def _look_at_queue(self, _now: float) -> list[Command]:
        """Look whether what is offered is taken: the pipe of a slave that is lost may swallow it."""
        if not self.pushed:
            return []
        is_stuck = not self.places.has_taken and any(slave.is_idle for slave in self.slaves.values())
        self.places.has_taken = False
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
        self.places.requeue(stuck)
        return [said]
