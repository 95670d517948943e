"""The master's hand: carries out what the ledger and the scheduler decide.

It owns the ledger, and knows which session belongs to which registration. Events go to the ledger as they come
in; the scheduler is asked once for all of one turn, whose outcomes leave together. Loop thread only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from concurrent.core.component import ComponentManager
from concurrent.core.loggers import get_log
from concurrent.core.stats import Stats
from concurrent.scheduling.interfaces import ITaskScheduler, IWorkQueue
from concurrent.scheduling.ledger.described import trace
from concurrent.scheduling.ledger.events import (
    Accept,
    AskBack,
    BytesConsumed,
    CancelRequested,
    CancelRun,
    CheckQueue,
    CodeDefined,
    Command,
    Deliver,
    Event,
    ForgetJob,
    JobBegun,
    OutcomesConsumed,
    ProbeStore,
    Push,
    Recall,
    Record,
    RefusedByAll,
    Send,
    SlaveAway,
    SlaveBack,
    SlaveHeard,
    SlaveJoined,
    SlaveLost,
    SlaveSilent,
    TasksDone,
    TasksMoved,
    TasksNamed,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TellHeld,
    TellRunning,
    TellUnread,
    WindowChanged,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.announcer import Announcer
from concurrent.scheduling.master.awaited import AwaitedSlaves
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.failurewords import type_and_words
from concurrent.scheduling.master.feeder import Feeder
from concurrent.scheduling.master.gate import Gate
from concurrent.scheduling.master.jobdesk import JobDesk
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.openjournal import OpenJournal
from concurrent.scheduling.master.receipts import Receipts
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.status import TasksStatus
from concurrent.scheduling.master.storage import JournalStore, Storage
from concurrent.scheduling.master.systemdesk import SystemDesk
from concurrent.scheduling.master.ticker import Ticker
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.scheduling.schedulers.queueguard import guarded
from concurrent.scheduling.store.payloads import PayloadStore
from concurrent.scheduling.wire.columns import check_columns
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_slave
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Dispatcher"]

log = get_log(__name__)


class Dispatcher:
    """Runs one ledger and one scheduler over the sessions of a master.

    :param work_queue: where push/pull offers tasks.
    :param components: knows the scheduler's name, and where its failures are noted.
    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files; when the
        bookkeeping alone has half of it, or the files are full, nothing more is acknowledged, so that
        applications have to wait.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param folder: where the files are; None for the system's folder for temporary files.
    :param return_s: how long after its last word what a slave runs is given to nobody else, in seconds.
    :param journal: what keeps the work that is accepted, and has payloads instead of files; None if nothing is
        kept.

    ``announcer`` tells owners what concerns them; ``jobs`` is where jobs begin and end, and ``systems`` where
    task systems outlive their processes.
    """

    def __init__(  # noqa: PLR0913  what it is told of its master, by name
        self,
        loop: NodeLoop,
        scheduler: ITaskScheduler,
        work_queue: IWorkQueue,
        *,
        stats: Stats,
        components: ComponentManager,
        memory_bytes_max: int = 128 << 20,
        disk_bytes_max: int = 16 << 30,
        folder: Path | None = None,
        return_s: float = 60.0,
        journal: OpenJournal | None = None,
    ) -> None:
        first_number = journal.first_number if journal is not None else 1
        self.ledger = Ledger(
            memory_bytes_max=memory_bytes_max,
            disk_bytes_max=disk_bytes_max,
            first_number=first_number,
            is_recorded=journal is not None,
            return_s=return_s,
            read_failure=type_and_words,
        )
        self._loop = loop
        self._journal = journal
        self._scheduler = GuardedScheduler(scheduler, components, self._ask_again, loop.time)
        self._work_queue = guarded(work_queue, components)
        self._sessions = Sessions(first_number)
        self._storage = self._make_storage(folder)
        courier = Courier(loop, stats)
        self._notices = Notices(components.troubles, courier, self._sessions)
        self.announcer = Announcer(self.ledger, self._sessions, courier, self._notices)
        self._delivery = Delivery(loop, self._sessions, courier, self._storage.loaded)
        self._feeder = Feeder(
            self.ledger,
            self._sessions,
            courier,
            work_queue=self._work_queue,
            storage=self._storage,
            apply=self._apply,
            slave_changed=self._scheduler.slave_changed,
        )
        self._code = self._feeder.code
        self._receipts = Receipts(loop, self._sessions, courier)
        self._gate: Gate | None = None
        if journal is not None:
            self._gate = Gate(loop, journal.store, self._delivery.end_turn)
            journal.on_committed = self._gate.committed
        self.jobs = self._make_desk(courier)
        self.systems = self._make_system_desk(courier)
        self._is_turn_armed = False
        self._is_traced = log.isEnabledFor(logging.DEBUG)
        self._ticker = Ticker(loop, self.ledger.alarms, self._apply)
        self._awaited = AwaitedSlaves(loop, self.ledger.returning, self._apply)
        self._carry_out = self._hands()

    def _make_desk(self, courier: Courier) -> JobDesk:
        return JobDesk(
            self.ledger,
            self._sessions,
            courier,
            apply=self._apply,
            load=self._storage.loaded,
            code=self._code,
            delivery=self._delivery,
            notices=self._notices,
            journal=self._journal.store if self._journal is not None else None,
            gate=self._gate,
        )

    def _make_system_desk(self, courier: Courier) -> SystemDesk:
        return SystemDesk(
            self._loop,
            self.ledger,
            self._sessions,
            courier,
            apply=self._apply,
            code=self._code,
            delivery=self._delivery,
            jobs=self.jobs,
            journal=self._journal.store if self._journal is not None else None,
        )

    def _make_storage(self, folder: Path | None) -> Storage:
        if self._journal is None:
            return Storage(self.ledger.budget, self._apply, PayloadStore(folder))
        store = JournalStore(self._journal.store, str(self._journal.place.folder))
        return Storage(self.ledger.budget, self._apply, store, is_vital=True)

    def _hands(self) -> dict[type, Callable[[Any], object]]:
        """Return what carries out each command."""
        hands: dict[type, Callable[[Any], object]] = {
            Send: self._feeder.send,
            Push: self._feeder.push,
            CancelRun: self._feeder.cancel_run,
            AskBack: self._feeder.ask_back,
            CheckQueue: self._feeder.check_queue,
            SlaveSilent: self._slave_silent,
            SlaveHeard: self._slave_heard,
            TasksMoved: self._tasks_moved,
            RefusedByAll: self.announcer.refused_by_all,
            ProbeStore: self._storage.probe,
            TellHeld: self.announcer.held,
            TellRunning: self.announcer.running,
            Accept: self._delivery.accept,
            Deliver: self._delivery.deliver,
            Recall: self.jobs.recall,
            ForgetJob: self.jobs.forgotten,
            TellUnread: self.jobs.tell_unread,
        }
        if self._gate is not None:
            hands[Record] = self._gate.record
            hands[Accept] = self._gate.behind(self._delivery.accept)
            hands[Deliver] = self._gate.behind(self._delivery.deliver)
        return hands

    @property
    def workers(self) -> int:
        """How many worker processes the slaves have together."""
        return sum(slave.workers for slave in self.ledger.slaves.values())

    @property
    def scheduler_name(self) -> str:
        """The class of the scheduler that decides now."""
        return self._scheduler.name

    @property
    def manager_name(self) -> str:
        """The class of the task manager that slaves have to use."""
        return self._scheduler.manager_name()

    def status(self) -> TasksStatus:
        """Return the ledger's counts and what waits here."""
        return TasksStatus(
            **vars(self.ledger.status()),
            running=self.ledger.running.rows(self.ledger.slaves, time.time()),
            running_count=self.ledger.running.count,
            workers=self.workers,
            undelivered=self.ledger.jobs.undelivered_count + self._delivery.waiting_count,
            unacknowledged=self.ledger.jobs.acceptance.task_count,
            chunks_waiting=self._work_queue.waiting_count(),
            stored_bytes=self._storage.stored_bytes,
            held_because=self.ledger.jobs.shortage.reason,
            delivered_bytes=self._delivery.delivered_bytes,
        )

    def join_owner(self, handler: TCPHandler, name: str, spec: JobSpec | None = None) -> int:
        """Let an application or task system submit tasks; returns the number of the registration.

        :param spec: what it asked for of its job; None if nothing of that outlives its session.
        """
        return self.jobs.begin(handler, name, spec)

    def leave_owner(self, owner: int) -> None:
        """Free the tasks and the code of an owner; nothing happens if it is not known."""
        self.jobs.leave(owner)

    def define_code(self, owner: int, index: int, blob: bytes | Frame) -> None:
        """Keep a blob of an owner's code for the slaves that will need it.

        :raises InvalidArguments: if it is not the next one.
        :raises LimitExceeded: if it is too much code.
        """
        self._code.define(owner, index, blob)
        if self._gate is not None:
            self._apply(CodeDefined(owner, index, blob))

    def code_of(self, owner: int) -> list[bytes | Frame]:
        """Return the blobs of an owner's code."""
        return self._code.blobs_of(owner)

    def note(self, event: TasksNamed | JobBegun) -> None:
        """Have a journal keep what an owner says of its job."""
        self._apply(event)

    def submit(self, event: TasksSubmitted, code_count: int) -> None:
        """Take tasks, and accept them at once or when there is room.

        :param code_count: how many blobs of code they need.
        :raises InvalidArguments: if they need code that was not sent.
        :raises SchedulingError: if the owner is not registered.
        :raises LimitExceeded: if it goes on though too much of it is not accepted.
        """
        self._code.check(event.owner, code_count)
        kept = self._storage.kept(event.payloads)
        if kept is not event.payloads:
            event = replace(event, payloads=kept)
        self._apply(event)

    def cancel(self, owner: int, ids: list[int]) -> None:
        """Cancel tasks of an owner; each is delivered as cancelled unless it was finished before."""
        self._apply(CancelRequested(owner, ids))

    def consumed(self, owner: int, size_bytes: int) -> None:
        """Take note that an owner has dealt with outcomes of that size, and go on to deliver."""
        self._apply(BytesConsumed(owner, size_bytes))

    def consumed_to(self, owner: int, up_to: int) -> None:
        """Take note that an owner has dealt with its outcomes up to a number, and go on to deliver.

        :raises SchedulingError: if it was not given so many.
        """
        self._apply(OutcomesConsumed(owner, up_to))

    def owner_has_room(self, owner: int) -> None:
        """Go on to deliver to an owner whose session was full."""
        if self._delivery.has_room(owner):
            self._want_turn()

    def join_slave(self, handler: TCPHandler, name: str, data: dict[str, Any]) -> int:
        """Let a slave take tasks; returns the number of the registration.

        :param data: what it says of itself: how many ``workers`` it has, how large its ``window`` is, and more.
        """
        workers, window = data["workers"], data["window"]
        number = self._sessions.join_slave(handler)
        self._code.join_slave(handler)
        if self._gate is not None:
            self._receipts.join(number)
        returns = handler.peer_has(to_slave.DURABLE)
        self._apply(SlaveJoined(number, name, workers, window, data, returns))
        self._scheduler.slave_changed(number)
        return number

    def slave_away(self, slave: int) -> None:
        """Give a slave nothing more for now: nothing arrives from it; nothing happens if it is not known."""
        self._apply(SlaveAway(slave))

    def slave_back(self, slave: int) -> None:
        """Go on with a slave whose session is resumed; nothing happens if it is not known."""
        self._apply(SlaveBack(slave))

    def lose_slave(self, slave: int, reason: str) -> None:
        """Give the tasks of a slave to others; nothing happens if it is not known."""
        handler = self._sessions.leave_slave(slave)
        if handler is not None:
            self._code.leave_slave(handler)
            self._receipts.leave(slave)
            self._feeder.forget_pull(slave)
            self._apply(SlaveLost(slave, reason))
            self._scheduler.slave_changed(slave)

    def set_window(self, slave: int, window: int) -> None:
        """Take note of how many tasks a slave wants to hold."""
        self._from_slave(slave, WindowChanged(slave, window))

    def pull(self, slave: int, room: int) -> None:
        """Take note that a slave asks the work queue for tasks."""
        self._feeder.pull(slave, room)

    def done(
        self,
        slave: int,
        numbers: list[int],
        statuses: list[int],
        payloads: list[Any],
        task_s: float,
    ) -> None:
        """Take outcomes from a slave.

        :param task_s: how long its tasks took lately, in seconds.
        :raises InvalidArguments: if the columns differ in length.
        """
        check_columns(numbers, statuses, payloads)
        self._from_slave(slave, TasksDone(slave, numbers, statuses, self._storage.kept(payloads), task_s))
        if self._gate is not None:
            self._receipts.note(slave)

    def returned(self, slave: int, numbers: list[int]) -> None:
        """Take unstarted tasks back from a slave."""
        self._from_slave(slave, TasksReturned(slave, numbers))

    def running(
        self, slave: int, numbers: list[int], workers: list[int], run_s: list[float], notes: list[str]
    ) -> None:
        """Take note of the tasks that a slave has run for a while.

        :raises InvalidArguments: if the columns differ in length.
        """
        check_columns(numbers, workers, run_s, notes)
        self._apply(TasksRunning(slave, numbers, workers, run_s, notes, time.time()))

    def took(self, slave: int, numbers: list[int]) -> None:
        """Take note of what a slave took from the work queue, and see that it has the code."""
        self._feeder.took(slave, numbers)

    def holding(self, slave: int, running: list[int], finished: list[int]) -> None:
        """Take note of what a slave has from an earlier session: tasks, and outcomes that it will report."""
        self._feeder.holding(slave, running, finished)

    def _from_slave(self, slave: int, event: Event) -> None:
        """Take an event to the ledger that changes what a slave holds or wants to; the scheduler is told."""
        self._apply(event)
        self._scheduler.slave_changed(slave)

    def _apply(self, event: Event) -> None:
        if self._is_traced:
            trace(log, event)
        if commands := self.ledger.apply(event):
            self._carry(commands)
        self._want_turn()

    def _carry(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if self._is_traced:
                trace(log, command)
            self._carry_out[type(command)](command)

    def _want_turn(self) -> None:
        if not self._is_turn_armed:
            self._is_turn_armed = True
            self._loop.defer(self._turn)

    def _turn(self) -> None:
        """Schedule what came in this turn; then the outcomes leave."""
        self._is_turn_armed = False
        self._is_traced = log.isEnabledFor(logging.DEBUG)  # once for each turn: it is asked for every task
        if self.ledger.refusals.refusers_by_number:
            self._pass_on()
        if commands := self._scheduler.schedule(self.ledger):
            self._carry(commands)
        self._storage.note()
        if self._gate is not None:
            if news := self._receipts.take_news():
                self._gate.when_kept(partial(self._receipts.kept, news))
            self._gate.end_turn()
        self._delivery.end_turn()
        self._ticker.look()

    def _pass_on(self) -> None:
        """Send what slaves refused to others; the scheduler is told, for it did not decide that."""
        for command in self.ledger.pass_on():
            self._feeder.send(command)
            self._scheduler.slave_changed(command.slave)

    def _ask_again(self, delay_s: float) -> None:
        self._loop.call_later(delay_s, self._resume_scheduler)

    def _resume_scheduler(self) -> None:
        self._scheduler.resume()
        self._want_turn()

    def _slave_silent(self, command: SlaveSilent) -> None:
        self.announcer.slave_silent(command)
        self._feeder.suspend_pull(command.slave)
        self._scheduler.slave_changed(command.slave)

    def _slave_heard(self, command: SlaveHeard) -> None:
        self.announcer.slave_heard(command)
        self._feeder.resume_pull(command.slave)
        self._scheduler.slave_changed(command.slave)

    def _tasks_moved(self, command: TasksMoved) -> None:
        self.announcer.tasks_moved(command)
        self._scheduler.slave_changed(command.slave)

    def restore(self) -> None:
        """Tell the ledger again what the journal has, before anything else."""
        assert self._journal is not None, "without a journal there is nothing to restore"
        events = self.jobs.restored(self._journal.store.replay())
        self.ledger.restore(self.systems.book.restored(events))
        self._awaited.look()
        self._want_turn()

    def give_up(self) -> None:
        """Acknowledge and deliver nothing more: the journal can keep nothing."""
        if self._gate is not None:
            self._gate.close()

    def close(self) -> None:
        """Free the files."""
        self.give_up()
        self._receipts.close()
        self._ticker.close()
        self._awaited.close()
        self._notices.close()
        self._delivery.close()
        self._storage.close()
