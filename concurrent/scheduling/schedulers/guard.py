"""The boundary to the scheduler, which may be a plug-in: whatever it does, tasks get on. A pure module.

A scheduler that fails is asked again after a while, and after some failures in a row the framework's own
takes over. What it returns is checked (``ledgerview.py``); the framework's own schedulers are not, for that
costs something for each task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from concurrent.core.backoff import Backoff
from concurrent.core.component import Component, ComponentManager
from concurrent.core.errors import ComponentError
from concurrent.core.foreign import shown
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.ledger.events import Command
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.claimed import ClaimScheduler
from concurrent.scheduling.schedulers.defaults import FAILURES_MAX, default_part
from concurrent.scheduling.schedulers.generic import GenericTaskScheduler
from concurrent.scheduling.schedulers.ledgerview import MANAGER_OF_QUEUE, LedgerView
from concurrent.scheduling.schedulers.pushpull import ZMQTaskScheduler
from concurrent.scheduling.schedulers.rating import Rating
from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy
from concurrent.scheduling.tasks.claim import Claim

__all__ = ["GuardedScheduler"]

RETRY_S: Final = 0.2
RETRY_MAX_S: Final = 2.0

IDLE_RETRY_S: Final = 1.0
"""A scheduler that gives nothing to idle workers is asked again so often."""

IDLE_TURNS_MAX: Final = 10
"""After so many such answers in a row it is said that tasks wait for it."""

SLOW_S: Final = 1.0
"""A turn that takes longer is named: it is most likely a plug-in that waits for something."""

OWN: Final[tuple[type, ...]] = (GenericTaskScheduler, ZMQTaskScheduler)


class GuardedScheduler:
    """See the module. Loop thread only.

    :param scheduler: the configured one.
    :param manager: knows its name, and where its failures are noted.
    :param ask_again: called with a delay in seconds after which :meth:`resume` shall be called, and then
        :meth:`schedule`.
    :param now: returns the time in seconds since any fixed instant.
    :raises ComponentError: if the scheduler does not say which task manager it needs.
    """

    def __init__(
        self,
        scheduler: ITaskScheduler,
        manager: ComponentManager,
        ask_again: Callable[[float], object],
        now: Callable[[], float],
    ) -> None:
        self._scheduler = scheduler
        self._troubles = manager.troubles
        self._ask_again = ask_again
        self._now = now
        self._claimed = ClaimScheduler(_rating_of(scheduler, manager))
        self._is_own = type(scheduler) in OWN
        self._is_foreign = not self._is_own or _has_foreign_strategy(scheduler)
        self._name = _name_of(scheduler, manager)
        self._manager = self._ask_manager_name()
        self._backoff = Backoff(RETRY_S, RETRY_MAX_S)
        self._failures_by_rule: Counter[str] = Counter()
        self._not_noted: set[int] = set()
        self._is_waiting = False
        self._is_asked_again = False
        self._idle_turns = 0

    @property
    def name(self) -> str:
        """The class of the scheduler that decides now."""
        return type(self._scheduler).__name__

    @property
    def trouble(self) -> str:
        """Why it decides nothing now, for people; empty if it does."""
        if self._is_waiting:
            return f"the scheduler ({self._name}) has failed, and is asked again soon"
        return f"the scheduler ({self._name}) gives nothing to idle workers" if self._idle_turns else ""

    @property
    def kept_free(self) -> tuple[int, Claim]:
        """The number of the slave that is kept free, 0 if none is, and for which claim."""
        return self._claimed.kept_free

    def manager_name(self) -> str:
        """Return the class name of the task manager that slaves have to use."""
        return self._manager

    def slave_changed(self, slave: int) -> None:
        """Tell the scheduler that a slave changed, later if it cannot take that now."""
        self._claimed.slave_changed(slave)
        self._tell_changed(slave)

    def _tell_changed(self, slave: int) -> None:
        if self._is_waiting:
            self._not_noted.add(slave)
            return
        try:
            self._scheduler.slave_changed(slave)
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            self._not_noted.add(slave)
            self._failed("slave_changed", error)

    def resume(self) -> None:
        """Ask the scheduler again from now on."""
        self._is_waiting = self._is_asked_again = False

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Give away tasks with claims, ask the scheduler for the others, and return what is to be carried out.

        While it gets a rest it is not asked.
        """
        commands = self._schedule_claimed(ledger) if ledger.queue.by_claim else []
        return commands if self._is_waiting else commands + self._schedule_plain(ledger)

    def _schedule_claimed(self, ledger: Ledger) -> list[Command]:
        sends = self._claimed.schedule(ledger)
        for slave in {send.slave for send in sends}:
            self._tell_changed(slave)
        if self._claimed.has_more and not self._is_waiting:
            self._want_again(0.0)
        return [*sends]

    def _schedule_plain(self, ledger: Ledger) -> list[Command]:
        began_at = self._now() if self._is_foreign else None
        if self._is_own and not self._not_noted:
            try:
                commands = self._scheduler.schedule(ledger)
            except BaseException as error:  # boundary: outcomes go on, and the turn is tried again
                self._failed("schedule", error)
                commands = []
        else:
            commands = self._schedule_checked(ledger)
        if began_at is not None and (took_s := self._now() - began_at) > SLOW_S:
            problem = f"took {took_s:.1f} s"
            self._troubles.note(
                self._name, "schedule", problem, action="the master did nothing else meanwhile", kind="slow"
            )
        return commands

    def _schedule_checked(self, ledger: Ledger) -> list[Command]:
        """Ask a plug-in."""
        if not self._catch_up():
            return self._take_over(ledger)
        view: Any = LedgerView(ledger, self._manager)
        try:
            commands: list[Command]
            commands, problems = view.checked(self._scheduler.schedule(view))
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            commands = view.made()
            self._failed("schedule", error)
        else:
            for problem in dict.fromkeys(problems):
                self._failed("schedule", problem)
            if not problems:
                self._succeeded("schedule")
                self._watch_idle(ledger, has_given=bool(commands))
        return commands + self._take_over(ledger)

    def _catch_up(self) -> bool:
        """Tell the scheduler of the changes that it could not take; return whether it could now."""
        slaves, self._not_noted = self._not_noted, set()
        for slave in slaves:
            self._tell_changed(slave)
        if slaves and not self._not_noted:
            self._succeeded("slave_changed")
        return not self._not_noted

    def _succeeded(self, rule: str) -> None:
        if self._failures_by_rule.pop(rule, 0):
            self._backoff.reset()

    def _failed(self, rule: str, problem: str | BaseException) -> None:
        """Note a failure, and give the scheduler a rest."""
        self._failures_by_rule[rule] += 1
        delay_s = self._backoff.next_delay()
        action = f"it is asked again in {delay_s:.1f} s"
        if self._failures_by_rule[rule] >= FAILURES_MAX and not self._is_own:
            action = f"{self._successor().__name__} takes over, for it failed {FAILURES_MAX} times in a row"
        self._troubles.note(self._name, rule, problem, action=action)
        if not self._is_waiting:
            self._is_waiting = True
            self._want_again(delay_s)

    def _want_again(self, delay_s: float) -> None:
        if not self._is_asked_again:
            self._is_asked_again = True
            self._ask_again(delay_s)

    def _successor(self) -> type[Component]:
        """Return the framework's own scheduler for the task managers that slaves have."""
        return ZMQTaskScheduler if self._manager == MANAGER_OF_QUEUE else GenericTaskScheduler

    def _take_over(self, ledger: Ledger) -> list[Command]:
        """Have the framework's own scheduler decide from now on if the plug-in has failed for good."""
        if self._is_own or max(self._failures_by_rule.values(), default=0) < FAILURES_MAX:
            return []
        self._scheduler = default_part(self._successor(), GenericTaskScheduleStrategy)  # type: ignore[assignment]
        self._is_own = True
        self._is_foreign = False
        self._failures_by_rule.clear()
        self._not_noted.clear()
        self._backoff.reset()
        self._is_waiting = False
        for slave in ledger.slaves:
            self._scheduler.slave_changed(slave)
        return self.schedule(ledger)

    def _watch_idle(self, ledger: Ledger, *, has_given: bool) -> None:
        """Ask again, and say so after a while, when tasks wait though workers are idle."""
        if has_given or not ledger.queued_count or not _has_idle(ledger):
            self._idle_turns = 0
            return
        if not self._is_asked_again:
            self._idle_turns += 1
            self._want_again(IDLE_RETRY_S)
        if self._idle_turns == IDLE_TURNS_MAX:
            self._idle_turns = 0
            problem = "gives nothing to idle workers, and tasks wait"
            self._troubles.note(self._name, "schedule", problem, action="it is asked again every second")

    def _ask_manager_name(self) -> str:
        try:
            name = self._scheduler.manager_name()
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            raise ComponentError(
                f"scheduler {self._name}: manager_name raised {shown(error)}",
                thing=self._name,
                remedy="Correct the plug-in, or set another [scheduling] scheduler",
            ) from error
        if not isinstance(name, str) or not name:
            raise ComponentError(
                f"scheduler {self._name}: manager_name returned {name!r:.100}",
                thing=self._name,
                value=name,
                remedy="Return the class name of a task manager, such as 'GenericTaskManager'",
            )
        return name


def _rating_of(scheduler: ITaskScheduler, manager: ComponentManager) -> Rating:
    """Return what rates slaves for tasks with claims: the strategy of the scheduler, if it has one."""
    if isinstance(scheduler, GenericTaskScheduler):
        return scheduler.rating
    strategy: Any = default_part(GenericTaskScheduleStrategy)
    return Rating(strategy, manager)


def _has_idle(ledger: Ledger) -> bool:
    return any(slave.is_idle for slave in ledger.slaves.values())


def _has_foreign_strategy(scheduler: ITaskScheduler) -> bool:
    if not isinstance(scheduler, GenericTaskScheduler):
        return False
    strategy: Any = scheduler.strategy
    return type(strategy) is not GenericTaskScheduleStrategy


def _name_of(scheduler: ITaskScheduler, manager: ComponentManager) -> str:
    """Return the name of a scheduler, and that of its strategy, which may be the plug-in of the two."""
    name = manager.name_of(type(scheduler))
    if not isinstance(scheduler, GenericTaskScheduler):
        return name
    strategy: Any = scheduler.strategy
    is_own = isinstance(strategy, GenericTaskScheduleStrategy)
    return name if is_own else f"{name} with {manager.name_of(type(strategy))}"
