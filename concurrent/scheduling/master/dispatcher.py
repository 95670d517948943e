"""The master's hand: carries out what the ledger and the scheduler decide.

It owns the ledger, and knows which session belongs to which registration. Events go to the ledger as they come
in; the scheduler is asked once for all of one turn, whose outcomes leave together. Loop thread only.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from concurrent.core.component import ComponentManager
from concurrent.core.errors import MessageTooLarge
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
    Command,
    Deliver,
    Event,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Push,
    PushedLost,
    Send,
    SlaveJoined,
    SlaveLost,
    SlaveSilent,
    TasksDone,
    TasksFailed,
    TasksMoved,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TasksTaken,
    TellRunning,
    WindowChanged,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.codeshelf import CodeShelf
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.lookout import Lookout
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.refused import RefusedTasks
from concurrent.scheduling.master.shortage import Shortage
from concurrent.scheduling.master.status import TasksStatus
from concurrent.scheduling.master.storage import Storage
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES, check_columns, slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import each_too_large, unreadable
from concurrent.scheduling.wire.messages import to_owner, to_slave
from concurrent.scheduling.wire.workqueue import Chunk
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Dispatcher"]

log = get_log("concurrent.scheduling.master.dispatcher")

CHUNKS_PER_SLAVE = 4
"""How many chunks a slave's share of the work queue is cut into."""

PUSHED_LOST_S = 1.0
"""After so long in which idle slaves take nothing from the work queue, what lies on it is offered again."""


class _Slave(NamedTuple):
    """A slave: its session, and how many workers it has."""

    handler: TCPHandler
    workers: int


class Dispatcher:
    """Runs one ledger and one scheduler over the sessions of a master.

    :param work_queue: where push/pull offers tasks.
    :param components: knows the scheduler's name, and where its failures are noted.
    :param memory_bytes_max: above this much payload and bookkeeping, payloads go to files; when the
        bookkeeping alone has half of it, or the files are full, nothing more is acknowledged, so that
        applications have to wait.
    :param disk_bytes_max: how many bytes of payloads may be in files.
    :param folder: where the files are; None for the system's folder for temporary files.

    ``on_held`` is called with the number of an owner that has to wait, and why.
    """

    def __init__(
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
    ) -> None:
        self.ledger = Ledger(memory_bytes_max=memory_bytes_max, disk_bytes_max=disk_bytes_max)
        self.on_held: Callable[[int, str], object] | None = None
        self._loop = loop
        self._scheduler = GuardedScheduler(scheduler, components, self._ask_again, loop.time)
        self._work_queue = work_queue
        self._storage = Storage(self.ledger.budget, self._apply, folder)
        self._courier = Courier(loop, stats)
        self._notices = Notices(components.troubles, self._courier)
        self._refused = RefusedTasks(
            loop, self.ledger, self._send_refused, self._apply, tell=self._notices.tell
        )
        self._delivery = Delivery(loop, self._courier, self._storage.loaded)
        self._code = CodeShelf(self._courier)
        self._owners: dict[int, TCPHandler] = {}
        self._slaves: dict[int, _Slave] = {}
        self._numbers = itertools.count(1)
        self._is_turn_armed = False
        self._is_traced = log.isEnabledFor(logging.DEBUG)
        self._is_queue_watched = False
        self._has_taken = False
        self._shortage = Shortage(loop, self._look_for_room, self._tell_held)
        self._lookout = Lookout(loop, self.ledger, self._apply, self._silence_changed)
        self._carry_out: dict[type, Any] = {
            Send: self._send,
            Push: self._push,
            CancelRun: self._cancel_run,
            AskBack: self._ask_back,
            SlaveSilent: self._lookout.tell_silent,
            TasksMoved: self._lookout.tell_moved,
            TellRunning: self._tell_running,
            Accept: self._delivery.accept,
            Deliver: self._delivery.deliver,
        }

    @property
    def workers(self) -> int:
        """How many worker processes the slaves have together."""
        return sum(slave.workers for slave in self._slaves.values())

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
            held_because=self._shortage.reason,
            delivered_bytes=self._delivery.delivered_bytes,
        )

    def join_owner(self, handler: TCPHandler, name: str) -> int:
        """Let an application or task system submit tasks; returns the number of the registration."""
        number = next(self._numbers)
        self._owners[number] = handler
        self._code.join_owner(number)
        self._delivery.join(number, handler)
        self._notices.join(number, handler)
        self._apply(OwnerJoined(number, name))
        return number

    def leave_owner(self, owner: int) -> None:
        """Free the tasks and the code of an owner; nothing happens if it is not known."""
        if self._owners.pop(owner, None) is None:
            return
        self._delivery.leave(owner)
        self._notices.leave(owner)
        self._apply(OwnerLeft(owner))
        self._code.leave_owner(owner)

    def define_code(self, owner: int, index: int, blob: bytes | Frame) -> None:
        """Keep a blob of an owner's code for the slaves that will need it.

        :raises InvalidArguments: if it is not the next one.
        :raises LimitExceeded: if it is too much code.
        """
        self._code.define(owner, index, blob)

    def code_of(self, owner: int) -> list[bytes | Frame]:
        """Return the blobs of an owner's code."""
        return self._code.blobs_of(owner)

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
        number = next(self._numbers)
        workers, window = data["workers"], data["window"]
        self._slaves[number] = _Slave(handler, workers)
        self._code.join_slave(handler)
        self._apply(SlaveJoined(number, name, workers, window, data))
        self._scheduler.slave_changed(number)
        return number

    def lose_slave(self, slave: int, reason: str) -> None:
        """Give the tasks of a slave to others; nothing happens if it is not known."""
        record = self._slaves.pop(slave, None)
        if record is not None:
            self._code.leave_slave(record.handler)
            self._work_queue.forget(slave)
            self._apply(SlaveLost(slave, reason))
            self._scheduler.slave_changed(slave)

    def set_window(self, slave: int, window: int) -> None:
        """Take note of how many tasks a slave wants to hold."""
        self._from_slave(slave, WindowChanged(slave, window))

    def pull(self, slave: int, room: int) -> None:
        """Take note that a slave asks the work queue for tasks."""
        if slave in self._slaves:
            self._work_queue.pull(slave, partial(self._answer_pull, slave), room)

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
        self._has_taken = True
        self._from_slave(slave, TasksTaken(slave, numbers))
        record = self._slaves.get(slave)
        known = self.ledger.task_by_number
        if record is not None:
            for owner in {known[number].owner.owner for number in numbers if number in known}:
                self._code.send(record.handler, owner)

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
            self._refused.pass_on()
        if commands := self._scheduler.schedule(self.ledger):
            self._carry(commands)
        self._storage.note()
        self._delivery.end_turn()
        if self.ledger.jobs.acceptance.batches:
            self._shortage.note()

    def _ask_again(self, delay_s: float) -> None:
        self._loop.call_later(delay_s, self._resume_scheduler)

    def _resume_scheduler(self) -> None:
        self._scheduler.resume()
        self._want_turn()

    def _look_for_room(self) -> str:
        """Try again to accept what waits; return what is short if that is not possible."""
        self._storage.probe()
        return self.ledger.budget.what_is_short() if self.ledger.jobs.acceptance.batches else ""

    def _tell_held(self, reason: str) -> None:
        """Tell the owners of what is not accepted why that is."""
        for owner in self.ledger.jobs.acceptance.owners:
            self._courier.cast(self._owners[owner], to_owner.held, reason)
            if self.on_held is not None:
                self.on_held(owner, reason)

    def _send(self, command: Send) -> None:
        slave = self._slaves.get(command.slave)
        if slave is None:
            return  # its loss is on the way, and moves the tasks
        self._code.send(slave.handler, command.owner)
        for part in slices(command.payloads):
            self._run(slave.handler, command, part)

    def _send_refused(self, command: Send) -> None:
        """Send a slave what others refused; the scheduler is told, for it did not decide that."""
        self._send(command)
        self._scheduler.slave_changed(command.slave)

    def _run(self, handler: TCPHandler, command: Send, part: slice) -> None:
        """Send tasks that a slave holds; what cannot be sent fails at once, and the slave has room again."""
        numbers, payloads = command.numbers[part], command.payloads[part]
        try:
            loaded = self._storage.loaded(payloads)
            code_count = self._code.count(command.owner)
            self._courier.cast_data(handler, to_slave.run, command.owner, code_count, numbers, loaded)
            return
        except MessageTooLarge as error:
            failures = each_too_large("a task", payloads, handler.peer_bytes_max)
            log.warning("a task is too large for %s: %s", handler.node_id, error)
        except OSError as error:
            failures = [unreadable(error)] * len(numbers)
            log.error("tasks fail: %s", error)
        self._from_slave(command.slave, TasksFailed(numbers, failures))

    def _push(self, command: Push) -> None:
        for slave in list(self._slaves.values()):
            self._code.send(slave.handler, command.owner)
        count_max = max(1, self.ledger.window_total // (CHUNKS_PER_SLAVE * max(1, len(self._slaves))))
        limit = min((slave.handler.peer_bytes_max for slave in self._slaves.values()), default=0)
        for part in slices(command.payloads, count_max=count_max):
            numbers = command.numbers[part]
            try:
                payloads = self._storage.loaded(command.payloads[part])
            except OSError as error:
                log.error("tasks fail: %s", error)
                self._apply(TasksFailed(numbers, [unreadable(error)] * len(numbers)))
                continue
            if len(payloads) == 1 and len(payloads[0]) + OVERHEAD_BYTES > limit > 0:  # any slave may take it
                self._apply(TasksFailed(numbers, each_too_large("a task", payloads, limit)))
                continue
            self._work_queue.put(Chunk(command.owner, self._code.count(command.owner), numbers, payloads))
        self._watch_queue()

    def _answer_pull(self, slave: int, chunk: Chunk) -> None:
        """Send a slave what it asked the work queue for; it has taken that then.

        What is outdated, because it was cancelled or offered again, is not sent.
        """
        pushed = self.ledger.pushed
        columns = [pair for pair in zip(chunk.numbers, chunk.payloads, strict=True) if pair[0] in pushed]
        if slave not in self._slaves or not columns:
            return
        numbers, payloads = map(list, zip(*columns, strict=True))
        self.took(slave, numbers)
        self._run(self._slaves[slave].handler, Send(slave, chunk.owner, numbers, payloads), slice(None))

    def _watch_queue(self) -> None:
        """Look later whether what was pushed is taken: the pipe of a slave that is lost may swallow it."""
        if not self._is_queue_watched:
            self._is_queue_watched = True
            self._has_taken = False
            self._loop.call_later(PUSHED_LOST_S, self._check_queue)

    def _check_queue(self) -> None:
        self._is_queue_watched = False
        slaves = self.ledger.slaves.values()
        is_one_idle = any(slave.room > 0 and len(slave.held) < slave.workers for slave in slaves)
        if is_one_idle and not self._has_taken and not self._work_queue.waiting_count():
            log.warning("nobody takes what is on the work queue; it is offered again")
            self._apply(PushedLost())
        if self.ledger.pushed:
            self._watch_queue()

    def _cancel_run(self, command: CancelRun) -> None:
        slave = self._slaves.get(command.slave)
        if slave is not None:
            self._courier.cast(slave.handler, to_slave.cancel, command.numbers)

    def _ask_back(self, command: AskBack) -> None:
        slave = self._slaves.get(command.slave)
        if slave is not None:
            self._courier.cast(slave.handler, to_slave.give_back, command.count)

    def _silence_changed(self, slave: int) -> None:
        if self.ledger.slaves[slave].is_silent:
            self._work_queue.forget(slave)
        self._scheduler.slave_changed(slave)

    def _tell_running(self, command: TellRunning) -> None:
        owner = self._owners.get(command.owner)
        if owner is not None:
            self._courier.cast(owner, to_owner.running, command.ids)

    def close(self) -> None:
        """Free the files."""
        self._lookout.close()
        self._shortage.close()
        self._notices.close()
        self._delivery.close()
        self._storage.close()
