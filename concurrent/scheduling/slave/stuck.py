"""Notices tasks that take much longer than usual, so that nothing waits behind them. Loop thread only.

Neither does what has not started, which others get, nor what has ended and is held back by the worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["StuckWatch"]

STUCK_S: Final = 0.02
"""A worker without progress for this long, and for several usual tasks, holds no others behind it. Workers with
tasks behind the running one are looked at in that time at the latest, and after half of it if there is
something else to do then: waking up costs more than looking."""

STUCK_TASKS: Final = 4

STANDING_S: Final = 0.2
"""A worker without progress for this long stands. Results may be held back for half of that."""

LOOK_MAX_S: Final = 0.2
"""How long nobody looks at most, however long tasks take."""


class StuckWatch:
    """See the module.

    :param links: the workers; the list of the pool itself.
    :param pace: knows how long tasks take.
    :param on_stuck: called with workers whose unstarted tasks should go to others.
    :param has_free_place: tells whether one more worker may have tasks.
    """

    def __init__(
        self,
        loop: NodeLoop,
        links: Sequence[WorkerLink],
        pace: Pace,
        on_stuck: Callable[[list[WorkerLink]], object],
        has_free_place: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._links = links
        self._pace = pace
        self._on_stuck = on_stuck
        self._has_free_place = has_free_place
        self._timer: asyncio.TimerHandle | None = None

    def go_on(self) -> None:
        """Look when it is time, as long as something waits behind a task."""
        if self._timer is None:
            if any(len(link.outstanding) > 1 for link in self._links):
                self._timer = self._loop.call_later(self._look_s, self._look)
        elif self._loop.time() > self._timer.when() - self._look_s / 2:
            self.stop()
            self._look()

    def stop(self) -> None:
        """Look no more until :meth:`go_on`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def standing_count(self) -> int:
        """How many workers run a task that takes long, so that nobody knows when they are free."""
        since = self._loop.time() - max(STANDING_S, self._patience_s)
        return sum(bool(link.outstanding) and link.progress_at < since for link in self._links)

    @property
    def _look_s(self) -> float:
        return min(self._patience_s, LOOK_MAX_S)

    @property
    def _patience_s(self) -> float:
        return max(STUCK_S, STUCK_TASKS * self._pace.duration_s)

    def _look(self) -> None:
        self._timer = None
        has_free_place = self._has_free_place()
        now = self._loop.time()
        patience_s = self._patience_s
        standing, stuck = [], []
        for link in self._links:
            has_stood = not link.note_progress(now)
            if has_stood and len(link.outstanding) > 1:
                standing.append(link)
                # One that has finished nothing yet may only be starting.
                if has_free_place or (link.done_count and now - link.progress_at > patience_s):
                    stuck.append(link)
        self._on_stuck(stuck)
        for link in standing:
            link.take_held()
