"""Says when the machine of a slave is short of memory, so that it takes no more tasks. Loop thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.claim import MEMORY, shown_amount
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Shortage"]

LOOK_S: Final = 1.0
"""How often the memory of the machine is looked at while there are tasks, or it is short of it."""

ENOUGH: Final = 1.25
"""A shortage is over when so many times the reserve is free, or tasks would come and go by turns."""

log = get_log(__name__)


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
        self._looked_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Look if it is time; call it again and again while workers have tasks."""
        if self._reserve_bytes and self._timer is None and self._loop.time() - self._looked_at >= LOOK_S:
            self._look()

    def stop(self) -> None:
        """Look no more."""
        self._reserve_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._looked_at = self._loop.time()
        self._timer = None
        free = self._free_bytes()
        is_short = 0 < free < self._reserve_bytes * (ENOUGH if self.is_there else 1)
        if is_short:  # even when nobody has tasks any more
            self._timer = self._loop.call_later(LOOK_S, self._look)
        if is_short == self.is_there:
            return
        self.is_there = is_short
        shown, reserve = shown_amount(MEMORY, free), shown_amount(MEMORY, self._reserve_bytes)
        self.reason = f"less memory is free there than slave.memory_reserve={reserve}" if is_short else ""
        if is_short:
            log.warning(
                "takes no more tasks: %s of memory are free, less than slave.memory_reserve=%s", shown, reserve
            )
        else:
            log.warning("takes tasks again: %s of memory are free", shown)
        self._on_change()
