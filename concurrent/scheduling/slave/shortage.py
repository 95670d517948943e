"""Says when the machine of a slave is short of memory, so that it takes no tasks. Loop thread only.

It is looked at whether there are tasks or not, or a slave would take one before it knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.claim import MEMORY, shown_amount
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Shortage", "is_short"]

LOOK_S: Final = 1.0
"""How often the memory of the machine is looked at, in seconds. A look takes half a millisecond."""

ENOUGH: Final = 1.25
"""A shortage is over when so many times the reserve is free, or tasks would come and go by turns."""

log = get_log(__name__)


def is_short(free_bytes: int, reserve_bytes: int) -> bool:
    """Tell whether a machine is short of memory.

    :param free_bytes: how much is free; 0 if that is unknown.
    :param reserve_bytes: how much shall be.
    """
    return 0 < free_bytes < reserve_bytes


class Shortage:
    """See the module. ``is_there`` tells whether the machine is short of memory.

    ``reason`` says so to others, in a few words; it is empty if the machine is not.

    :param reserve_bytes: how much shall be free; 0: nobody looks.
    :param free_bytes: returns how much is; 0 if that is unknown.
    :param on_change: called when ``is_there`` has changed.
    """

    def __init__(
        self,
        loop: NodeLoop,
        reserve_bytes: int,
        free_bytes: Callable[[], int],
        on_change: Callable[[], object],
    ) -> None:
        self.is_there = False
        self.reason = ""
        self._loop = loop
        self._reserve_bytes = reserve_bytes
        self._free_bytes = free_bytes
        self._on_change = on_change
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look, and again and again from now on."""
        if self._reserve_bytes:
            self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_S, self._look)
        free = self._free_bytes()
        wanted = self._reserve_bytes * ENOUGH if self.is_there else self._reserve_bytes
        is_there = is_short(free, int(wanted))
        if is_there == self.is_there:
            return
        self.is_there = is_there
        shown, reserve = shown_amount(MEMORY, free), shown_amount(MEMORY, self._reserve_bytes)
        self.reason = f"less memory is free there than slave.memory_reserve={reserve}" if is_there else ""
        if is_there:
            log.warning(
                "takes no tasks for now: %s of memory are free, less than slave.memory_reserve=%s",
                shown,
                reserve,
            )
        else:
            log.warning("takes tasks again: %s of memory are free", shown)
        self._on_change()
