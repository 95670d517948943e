"""Takes events to the ledger, and has carried out what that and the scheduler decide. Loop thread only.

What the ledger answers is carried out at once. The scheduler is asked once for all of one turn of the loop, at
its end; then leaves what has to wait for that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from concurrent.core.component import ComponentManager
from concurrent.core.loggers import get_log
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.ledger.described import trace
from concurrent.scheduling.ledger.events import Command, Event
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.guard import GuardedScheduler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Turns"]

log = get_log(__name__)


class Turns:
    """See the module.

    ``scheduler`` is the one that is asked, guarded.

    :param components: knows the scheduler's name, and where its failures are noted.
    """

    def __init__(
        self, loop: NodeLoop, ledger: Ledger, scheduler: ITaskScheduler, components: ComponentManager
    ) -> None:
        self.scheduler = GuardedScheduler(scheduler, components, self._ask_again, loop.time)
        self._loop = loop
        self._ledger = ledger
        self._hands: Mapping[type, Callable[[Any], object]] = {}
        self._ends: Iterable[Callable[[], object]] = ()
        self._is_armed = False
        self._is_traced = log.isEnabledFor(logging.DEBUG)

    def begin(
        self, hands: Mapping[type, Callable[[Any], object]], ends: Iterable[Callable[[], object]]
    ) -> None:
        """Know who does what, before the first event.

        :param hands: what carries out each command, by its type.
        :param ends: what is called at the end of each turn, in this order.
        """
        self._hands = hands
        self._ends = ends

    def apply(self, event: Event) -> None:
        """Take an event to the ledger, and have carried out what it answers."""
        if self._is_traced:
            trace(log, event)
        if commands := self._ledger.apply(event):
            self._carry_out(commands)
        self.want()

    def want(self) -> None:
        """Have this turn of the loop end with a look at what there is to do."""
        if not self._is_armed:
            self._is_armed = True
            self._loop.defer(self._end)

    def _end(self) -> None:
        """Schedule what came in this turn; then what waits for that leaves."""
        self._is_armed = False
        self._is_traced = log.isEnabledFor(logging.DEBUG)  # once for each turn: it is asked for every task
        if self._ledger.refusals.refusers_by_number:
            self._pass_on()
        if commands := self.scheduler.schedule(self._ledger):
            self._carry_out(commands)
        for end in self._ends:
            end()

    def _pass_on(self) -> None:
        """Send what slaves refused to others; the scheduler is told, for it did not decide that."""
        for command in self._ledger.pass_on():
            self._carry_out((command,))
            self.scheduler.slave_changed(command.slave)

    def _carry_out(self, commands: Iterable[Command]) -> None:
        for command in commands:
            if self._is_traced:
                trace(log, command)
            self._hands[type(command)](command)

    def _ask_again(self, delay_s: float) -> None:
        self._loop.call_later(delay_s, self._resume_scheduler)

    def _resume_scheduler(self) -> None:
        self.scheduler.resume()
        self.want()
