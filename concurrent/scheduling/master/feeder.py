"""Brings slaves what the ledger gives them: tasks, and the code that they need. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from concurrent.core.errors import MessageTooLarge
from concurrent.core.loggers import get_log
from concurrent.scheduling.interfaces import IWorkQueue
from concurrent.scheduling.ledger.events import (
    AskBack,
    CancelRun,
    CheckQueue,
    Event,
    FailInfeasible,
    Push,
    PushedLost,
    Send,
    SlaveHolding,
    TasksFailed,
    TasksReturned,
    TasksTaken,
    TellDrained,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.codeshelf import CodeShelf
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.storage import Storage
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms, run_terms
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES, each_of, slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.failure import each_too_large, infeasible, unreadable
from concurrent.scheduling.wire.messages import to_slave
from concurrent.scheduling.wire.workqueue import Chunk
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["Feeder"]

log = get_log(__name__)

CHUNKS_PER_SLAVE: Final = 4
"""How many chunks a slave's share of the work queue is cut into."""


class Feeder:
    """See the module. Tasks that cannot be sent fail at once, in the master's name.

    :param ledger: to look at.
    :param apply: takes an event to the ledger.
    :param slave_changed: called with a slave that holds more or less than the scheduler knows.
    """

    def __init__(
        self,
        ledger: Ledger,
        sessions: Sessions,
        courier: Courier,
        *,
        work_queue: IWorkQueue,
        storage: Storage,
        apply: Callable[[Event], object],
        slave_changed: Callable[[int], object],
    ) -> None:
        self.code = CodeShelf(courier)
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._work_queue = work_queue
        self._storage = storage
        self._apply = apply
        self._slave_changed = slave_changed
        self._asked_by_slave: dict[int, int] = {}

    def send(self, command: Send) -> None:
        """Send a slave its tasks."""
        slave = self._sessions.slaves.get(command.slave)
        if slave is None:
            return  # its loss is on the way, and moves the tasks
        terms = self._run_terms(command.owner, command.terms)
        if terms is not USUAL and not slave.peer_has(to_slave.OPTIONS):
            if terms.is_binding:
                self._refuse_for(command.slave, command.numbers)
                return
            terms = USUAL
        if self.code.has_project(command.owner) and not slave.peer_has(to_slave.PROJECTS):
            self._refuse_for(command.slave, command.numbers)
            return
        self.code.send(slave, command.owner)
        for part in slices(command.payloads):
            self._run(slave, command, part, terms)

    def push(self, command: Push) -> None:
        """Offer tasks to all slaves. What one of them would not keep is sent to others."""
        terms = self._run_terms(command.owner, command.terms)
        if terms is not USUAL and (older := self._older(to_slave.OPTIONS)) is not None:
            if terms.is_binding:
                self._refuse_pushed_for(older, command.numbers)
                return
            terms = USUAL
        if self.code.has_project(command.owner) and (older := self._older(to_slave.PROJECTS)) is not None:
            self._refuse_pushed_for(older, command.numbers)
            return
        slaves = self._sessions.slaves
        for slave in list(slaves.values()):
            self.code.send(slave, command.owner)
        count_max = max(1, self._ledger.window_total // (CHUNKS_PER_SLAVE * max(1, len(slaves))))
        limit = min((slave.peer_bytes_max for slave in slaves.values()), default=0)
        for part in slices(command.payloads, count_max=count_max):
            self._offer(command, part, terms, limit)

    def _offer(self, command: Push, part: slice, terms: RunTerms, limit: int) -> None:
        """Offer tasks together; one by one, if one of them cannot be read."""
        numbers = command.numbers[part]
        try:
            payloads = self._storage.loaded(command.payloads[part])
        except OSError as error:
            if len(numbers) > 1:
                for one in each_of(part):
                    self._offer(command, one, terms, limit)
                return
            log.error("a task fails: %s", error)
            self._apply(TasksFailed(numbers, [unreadable(error)]))
            return
        if len(payloads) == 1 and len(payloads[0]) + OVERHEAD_BYTES > limit > 0:  # any slave may take it
            self._apply(TasksFailed(numbers, each_too_large("a task", payloads, limit)))
            return
        self._work_queue.put(Chunk(command.owner, self.code.count(command.owner), numbers, payloads, terms))

    def pull(self, slave: int, room: int) -> None:
        """Take note that a slave asks the work queue for tasks."""
        if slave in self._sessions.slaves:
            self._asked_by_slave[slave] = room
            if self._ledger.slaves[slave].may_have_more:
                self._work_queue.pull(slave, partial(self._answer_pull, slave), room)

    def took(self, slave: int, numbers: list[int]) -> None:
        """Take note of what a slave took from the work queue, and see that it has the code."""
        self._has(TasksTaken(slave, numbers), numbers)

    def holding(self, slave: int, running: list[int], finished: list[int]) -> None:
        """Take note of what a slave has from an earlier session, and see that it has the code."""
        self._has(SlaveHolding(slave, running, finished), running)

    def _has(self, event: TasksTaken | SlaveHolding, numbers: list[int]) -> None:
        """Take to the ledger what a slave says it has, and send it the code of what is with it indeed."""
        slave = event.slave
        self._apply(event)
        self._slave_changed(slave)
        session, record = self._sessions.slaves.get(slave), self._ledger.slaves.get(slave)
        if session is None or record is None:
            return
        known, is_with = self._ledger.task_by_number, self._ledger.places.is_with
        for owner in {known[one].owner.owner for one in numbers if one in known and is_with(record, one)}:
            self.code.send(session, owner)

    def forget_pull(self, slave: int) -> None:
        """A slave is gone: what it asked the work queue for is for others."""
        self._asked_by_slave.pop(slave, None)
        self._work_queue.forget(slave)

    def suspend_pull(self, slave: int) -> None:
        """A slave is silent: what it asked for is for others, until something is heard of it."""
        self._work_queue.forget(slave)

    def resume_pull(self, slave: int) -> None:
        """A slave that was silent or drained asks for as much as before."""
        if slave in self._asked_by_slave:
            self.pull(slave, self._asked_by_slave[slave])

    def drained(self, command: TellDrained) -> None:
        """Have a slave take nothing more, or take tasks again. An older one hears nothing of it."""
        session = self._sessions.slaves.get(command.slave)
        if session is not None and session.peer_has(to_slave.DRAINS):
            self._courier.cast(session, to_slave.drained, command.by)
        if not command.by:
            self.resume_pull(command.slave)
        elif command.slave in self._asked_by_slave:  # no more than that: it closes its socket itself
            self._work_queue.pull(command.slave, partial(self._answer_pull, command.slave), 0)

    def cancel_run(self, command: CancelRun) -> None:
        """Have a slave drop tasks."""
        slave = self._sessions.slaves.get(command.slave)
        if slave is not None:
            has_grace = command.grace_s and slave.peer_has(to_slave.OPTIONS)
            grace = [command.grace_s] if has_grace else []
            self._courier.cast(slave, to_slave.cancel, command.numbers, *grace)

    def ask_back(self, command: AskBack) -> None:
        """Ask a slave for tasks that it has not started."""
        slave = self._sessions.slaves.get(command.slave)
        if slave is not None:
            self._courier.cast(slave, to_slave.give_back, command.count)

    def fail_infeasible(self, command: FailInfeasible) -> None:
        """End tasks whose claim no slave could meet."""
        self._apply(TasksFailed(command.numbers, [infeasible(command.why)] * len(command.numbers)))

    def check_queue(self, _command: CheckQueue) -> None:
        """Offer again what nobody takes, if it has left the master: the pipe of a lost slave may swallow it."""
        if not self._work_queue.waiting_count():
            log.warning("nobody takes what is on the work queue; it is offered again")
            self._apply(PushedLost())

    def _answer_pull(self, slave: int, chunk: Chunk) -> None:
        """Send a slave what it asked the work queue for; it has taken that then.

        What is outdated, because it was cancelled or offered again, is not sent.
        """
        pushed = self._ledger.pushed
        columns = [pair for pair in zip(chunk.numbers, chunk.payloads, strict=True) if pair[0] in pushed]
        terms = pushed[columns[0][0]].terms if columns else DEFAULT_TERMS
        session = self._sessions.slaves.get(slave)
        if session is None or not columns:
            return
        numbers, payloads = map(list, zip(*columns, strict=True))
        self._asked_by_slave[slave] -= len(numbers)
        self.took(slave, numbers)
        self.send(Send(slave, chunk.owner, numbers, payloads, terms))

    def _older(self, feature: str) -> int | None:
        """Return a slave that may take what is offered and lacks a feature, None if there is none.

        Drained ones take nothing, and the ledger queues again what they are said to have taken.
        """
        taking = (one for one in self._sessions.slaves if self._ledger.slaves[one].drain is None)
        return next((one for one in taking if not self._sessions.slaves[one].peer_has(feature)), None)

    def _refuse_pushed_for(self, slave: int, numbers: list[int]) -> None:
        """Have tasks that were to be offered sent to others, as if a slave had taken and refused them."""
        self._apply(TasksTaken(slave, numbers))
        self._refuse_for(slave, numbers)

    def _refuse_for(self, slave: int, numbers: list[int]) -> None:
        """Refuse tasks in the name of an older slave, which would not keep what they ask for."""
        self._apply(TasksReturned(slave, numbers, is_refused=True))
        self._slave_changed(slave)

    def _run_terms(self, owner: int, terms: Terms) -> RunTerms:
        """Return what a slave has to know of terms. Tokens are the master's alone."""
        job = self._ledger.owners.get(owner)
        asked = run_terms(terms, job.weight if job is not None else 1)
        if asked.resources:
            here = self._ledger.claims.at_slave(asked.resources)
            if here is not asked.resources:
                asked = replace(asked, resources=here)
                return USUAL if asked == USUAL else asked
        return asked

    def _run(self, handler: TCPHandler, command: Send, part: slice, terms: RunTerms) -> None:
        """Send tasks that a slave holds, one by one if one cannot be read; what cannot be sent makes room."""
        numbers, payloads = command.numbers[part], command.payloads[part]
        try:
            loaded = self._storage.loaded(payloads)
            code_count = self.code.count(command.owner)
            fields = command.owner, code_count, numbers, loaded
            if terms is USUAL:
                self._courier.cast_data(handler, to_slave.run, *fields)
            else:
                self._courier.cast_data(handler, to_slave.run, *fields, terms.as_map())
            return
        except MessageTooLarge as error:
            failures = each_too_large("a task", payloads, handler.peer_bytes_max)
            log.warning("a task is too large for %s: %s", handler.node_id, error)
        except OSError as error:
            if len(numbers) > 1:
                for one in each_of(part):
                    self._run(handler, command, one, terms)
                return
            failures = [unreadable(error)]
            log.error("a task fails: %s", error)
        self._apply(TasksFailed(numbers, failures))
        self._slave_changed(command.slave)
