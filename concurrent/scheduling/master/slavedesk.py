"""Where slaves join and leave, and say what becomes of the tasks that they have. Loop thread only.

What a slave has, the ledger knows; here it gets a session, and each word of it that changes what it holds or
wants to is passed on to the scheduler too.

One that may come back after a restart of the master is given nothing, and not even told that it has joined,
before the journal has kept that it has: the next master would not know that it has to wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, NamedTuple

from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import (
    Event,
    SlaveAway,
    SlaveBack,
    SlaveDrained,
    SlaveHeard,
    SlaveJoined,
    SlaveLacks,
    SlaveLost,
    SlaveResumed,
    SlaveSilent,
    TasksDone,
    TasksMoved,
    TasksReturned,
    TasksRunning,
    TellDrained,
    WindowChanged,
)
from concurrent.scheduling.master.announcer import Announcer
from concurrent.scheduling.master.feeder import Feeder
from concurrent.scheduling.master.fitdesk import FitDesk
from concurrent.scheduling.master.observatory import Observatory
from concurrent.scheduling.master.receipts import Receipts
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.storage import Storage
from concurrent.scheduling.wire.columns import check_columns
from concurrent.scheduling.wire.messages import to_slave
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["WINDOW_PER_WORKER", "SlaveDesk"]

WINDOW_PER_WORKER: Final = 8192
"""How many tasks a slave may hold for each worker that it says it has: twice what one of ours ever wants."""

log = get_log(__name__)


class _Joining(NamedTuple):
    """A slave of which it is not kept yet that it has joined: what it wants, and what it will be answered."""

    window: int
    answer: Future[int]


class SlaveDesk:
    """See the module.

    :param apply: takes an event to the ledger, and carries out what that answers.
    :param slave_changed: called with a slave that holds more or less than the scheduler knows.
    :param observatory: remembers what slaves say of their workers.
    :param fits: asks slaves whether they have what programs use.
    :param receipts: tells slaves what of their reports is kept; None if nothing is.
    :param when_kept: calls a function once all that was recorded so far is kept; None if nothing is.
    """

    def __init__(  # noqa: PLR0913  the other hands of the master, by name
        self,
        sessions: Sessions,
        feeder: Feeder,
        announcer: Announcer,
        storage: Storage,
        *,
        apply: Callable[[Event], object],
        slave_changed: Callable[[int], object],
        observatory: Observatory,
        fits: FitDesk,
        receipts: Receipts | None,
        when_kept: Callable[[Callable[[], object]], object] | None,
    ) -> None:
        self._sessions = sessions
        self._feeder = feeder
        self._announcer = announcer
        self._storage = storage
        self._apply = apply
        self._slave_changed = slave_changed
        self._observatory = observatory
        self._fits = fits
        self._receipts = receipts
        self._when_kept = when_kept
        self._joining: dict[int, _Joining] = {}
        self._most_by_slave: dict[int, int] = {}

    def join(self, handler: TCPHandler, name: str, data: dict[str, Any]) -> int:
        """Let a slave take tasks; returns the number of the registration.

        :param data: what it says of itself: how many ``workers`` it has, how large its ``window`` is, and more.
        """
        number = self._sessions.join_slave(handler)
        self._feeder.code.join_slave(handler)
        if self._receipts is not None:
            self._receipts.join(number)
        returns = handler.peer_has(to_slave.DURABLE)
        if not handler.peer_has(to_slave.OPTIONS):
            log.warning("%s is older: it gets no tasks that ask for a time limit, tries or resources", name)
        self._most_by_slave[number] = data["workers"] * WINDOW_PER_WORKER
        window = self._plausible(number, data["window"])
        if returns and self._when_kept is not None:
            self._joining[number] = _Joining(window, Future())
            window = 0
        self._observatory.join(number, data["workers"])
        self._tell(number, SlaveJoined(number, name, data["workers"], window, data, returns))
        self._fits.slave_joined(number)
        if number in self._joining and self._when_kept is not None:
            self._when_kept(partial(self._joining_is_kept, number))
        return number

    def answer_to(self, slave: int) -> int | Future[int]:
        """Return what a slave is answered that has joined: its number, now or when that is kept."""
        joining = self._joining.get(slave)
        return joining.answer if joining is not None else slave

    def _joining_is_kept(self, slave: int) -> None:
        joining = self._joining.pop(slave, None)
        if joining is not None:  # else it has left
            joining.answer.set_result(slave)
            self._window_changed(slave, joining.window)

    def away(self, slave: int) -> None:
        """Give a slave nothing more for now: nothing arrives from it; nothing happens if it is not known."""
        self._apply(SlaveAway(slave))

    def back(self, slave: int) -> None:
        """Go on with a slave whose session is resumed; nothing happens if it is not known."""
        self._apply(SlaveBack(slave))

    def lose(self, slave: int, reason: str) -> None:
        """Give the tasks of a slave to others; nothing happens if it is not known."""
        handler = self._sessions.leave_slave(slave)
        if handler is not None:
            self._joining.pop(slave, None)
            self._most_by_slave.pop(slave, None)
            self._feeder.code.leave_slave(handler)
            if self._receipts is not None:
                self._receipts.leave(slave)
            self._feeder.forget_pull(slave)
            self._observatory.leave(slave)
            self._tell(slave, SlaveLost(slave, reason))
            self._fits.slave_left(slave)

    def set_window(self, slave: int, window: int) -> None:
        """Take note of how many tasks a slave wants to hold."""
        window = self._plausible(slave, window)
        if slave in self._joining:
            self._joining[slave] = self._joining[slave]._replace(window=window)
        else:
            self._window_changed(slave, window)

    def _window_changed(self, slave: int, window: int) -> None:
        self._tell(slave, WindowChanged(slave, window))
        self._fits.slaves_changed()

    def lacks(self, slave: int, reason: str) -> None:
        """Take note of why a slave wants no tasks, as it says; empty when that is over."""
        self._apply(SlaveLacks(slave, reason))

    def pull(self, slave: int, room: int) -> None:
        """Take note that a slave asks the work queue for tasks."""
        self._feeder.pull(slave, self._plausible(slave, room))

    def took(self, slave: int, numbers: list[int]) -> None:
        """Take note of what a slave took from the work queue, and see that it has the code."""
        self._feeder.took(slave, numbers)

    def holding(self, slave: int, running: list[int], finished: list[int]) -> None:
        """Take note of what a slave has from an earlier session: tasks, and outcomes that it will report."""
        self._feeder.holding(slave, running, finished)

    def running(
        self, slave: int, numbers: list[int], workers: list[int], run_s: list[float], notes: list[str]
    ) -> None:
        """Take note of the tasks that a slave has run for a while.

        :raises InvalidArguments: if the columns differ in length.
        """
        check_columns(numbers, workers, run_s, notes)
        self._apply(TasksRunning(slave, numbers, workers, run_s, notes, time.time()))

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
        self._tell(
            slave, TasksDone(slave, numbers, statuses, self._storage.kept(payloads), task_s, time.time())
        )
        if self._receipts is not None:
            self._receipts.note(slave)

    def returned(self, slave: int, numbers: list[int]) -> None:
        """Take unstarted tasks back from a slave."""
        self._tell(slave, TasksReturned(slave, numbers))

    def silent(self, command: SlaveSilent) -> None:
        """Give a slave nothing that reports nothing."""
        self._announcer.slave_silent(command)
        self._feeder.suspend_pull(command.slave)
        self._slave_changed(command.slave)
        self._fits.slaves_changed()

    def heard(self, command: SlaveHeard) -> None:
        """Go on with a slave that was silent."""
        self._announcer.slave_heard(command)
        self._feeder.resume_pull(command.slave)
        self._slave_changed(command.slave)
        self._fits.slaves_changed()

    def moved(self, command: TasksMoved) -> None:
        """Take note that others are offered what a silent slave has."""
        self._announcer.tasks_moved(command)
        self._slave_changed(command.slave)

    def drain(self, name: str, by: str, at: float, timeout_s: float | None = None) -> None:
        """Have a slave get nothing more.

        :param by: who wants that.
        :param at: the time, in seconds since the epoch.
        :param timeout_s: after so long what it runs is ended and goes to others; None: never.
        """
        ends_at = 0.0 if timeout_s is None else at + timeout_s
        self._apply(SlaveDrained(name, by, at, ends_at=ends_at))

    def resume(self, name: str) -> None:
        """Have a drained slave get tasks again."""
        self._apply(SlaveResumed(name))

    def tell_drained(self, command: TellDrained) -> None:
        """Have a slave take nothing more, or take tasks again."""
        self._announcer.slave_drained(command)
        self._feeder.drained(command)
        self._slave_changed(command.slave)
        self._fits.slaves_changed()

    def _plausible(self, slave: int, count: int) -> int:
        """Return how many tasks a slave gets at most that wants so many: others shall have some too."""
        return min(count, self._most_by_slave.get(slave, 0))

    def _tell(self, slave: int, event: Event) -> None:
        """Take an event to the ledger that changes what a slave holds or wants to; the scheduler is told."""
        self._apply(event)
        self._slave_changed(slave)
