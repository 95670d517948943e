"""When a worker that has ended is replaced: at once, or later each time if workers die at their start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from concurrent.core.backoff import Backoff
from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Restarts"]

QUICK_DEATHS: Final = 3
"""After so many workers that died before they finished anything, the next ones are started with delays."""

log = get_log(__name__)


class Restarts:
    """See the module. Loop thread only.

    :param start: starts a worker.
    """

    def __init__(self, loop: NodeLoop, start: Callable[[], object]) -> None:
        self.quick_death_count = 0
        self._loop = loop
        self._start = start
        self._backoff = Backoff()
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether the next worker is to be started later."""
        return bool(self._timers)

    def replace(self, *, is_quick: bool) -> None:
        """Start another worker.

        :param is_quick: whether the one that ended has died before it got to anything.
        """
        if is_quick:
            self.quick_death_count += 1
        else:
            self.quick_death_count = 0
            self._backoff.reset()
        if self.quick_death_count < QUICK_DEATHS:
            self._start()
        else:
            log.error("workers die as soon as they start")
            self.start_later()

    def start_later(self) -> None:
        """Start a worker after a while, longer each time."""

        def start() -> None:
            self._timers.discard(timer)
            self._start()

        delay_s = self._backoff.next_delay()
        log.error("the next worker starts in %.1f s", delay_s)
        timer = self._loop.call_later(delay_s, start)
        self._timers.add(timer)

    def close(self) -> None:
        """Start no more workers."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
