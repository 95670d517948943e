"""Looks every second whether slaves that hold tasks report nothing, and says so. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.events import Event, SlaveSilent, TasksMoved, TimePassed
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Lookout"]

LOOK_S: Final = 1.0

log = get_log("concurrent.scheduling.master.lookout")


class Lookout:
    """See the module. It looks until it is closed.

    :param apply: takes an event to the ledger, and carries out what that answers.
    :param on_silent: called with a slave that has fallen silent, reports again, or lost its tasks over it.
    """

    def __init__(
        self,
        loop: NodeLoop,
        ledger: Ledger,
        apply: Callable[[Event], object],
        on_silent: Callable[[int], object],
    ) -> None:
        self._loop = loop
        self._ledger = ledger
        self._apply = apply
        self._on_silent = on_silent
        self._timer = loop.call_later(LOOK_S, self._look)

    def tell_silent(self, command: SlaveSilent) -> None:
        """Say that a slave reports nothing, or that it does again."""
        name = self._ledger.slaves[command.slave].name
        if command.held_count:
            text = "%s holds %d tasks and reports nothing; it gets no more until it does"
            log.warning(text, name, command.held_count)
        else:
            log.warning("%s reports again", name)
        self._on_silent(command.slave)

    def tell_moved(self, command: TasksMoved) -> None:
        """Say that others are offered what a silent slave has."""
        name = self._ledger.slaves[command.slave].name
        text = "%d tasks of %s, which reports nothing, are offered to others; the first outcome of each counts"
        log.warning(text, command.count, name)
        self._on_silent(command.slave)

    def close(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_S, self._look)
        self._apply(TimePassed(self._loop.time()))
