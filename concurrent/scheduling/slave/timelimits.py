"""Sees to it that no task runs for longer than it may. Loop thread only.

A worker says nothing when it starts a task, so that short ones cost nothing. Its rights show which one it runs,
and who looks after workers asks for that now and then. So the time of a task begins when it is first seen to
run: it is never cut short, and has up to that pause more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from concurrent.core.logformat import of_task
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.scheduling.slave.crew import Item, shown_item
from concurrent.scheduling.slave.verdict import Verdict
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.tasks.outcome import GRACE_S, TIMED_OUT
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["TimeLimits"]

PAUSE_S: Final = 0.2
"""The task of a worker that is in the middle of its results is looked at again after so many seconds."""

LINES_PER_S: Final = 5
"""So many tasks that are ended have lines of their own in the log, in each second."""

log = get_log(__name__)


@dataclass(slots=True, eq=False)
class _Limited:
    """A task with a limit, which runs.

    :param ends_at: when its time is over, in the loop's time.
    """

    number: int
    limit_s: float
    ends_at: float


class TimeLimits:
    """See the module.

    :param on_over: called with a worker, the number of the task that it runs, and why that has to end.
    """

    def __init__(
        self,
        loop: NodeLoop,
        on_over: Callable[[WorkerLink, int, Verdict], object],
    ) -> None:
        self._loop = loop
        self._on_over = on_over
        self._rare = RareLine(LINES_PER_S)
        self._limited_by_link: dict[WorkerLink, _Limited] = {}
        self._timer: asyncio.TimerHandle | None = None

    def look(self, running: Mapping[WorkerLink, Item]) -> None:
        """Take note of what runs; call it again and again while workers have tasks.

        :param running: the task that each worker runs.
        """
        now = self._loop.time()
        before, self._limited_by_link = self._limited_by_link, {}
        for link, item in running.items():
            limit_s = item[3].timeout_s
            if limit_s is None or link.is_doomed:
                continue
            known = before.get(link)
            if known is None or known.number != item[0]:
                known = _Limited(item[0], limit_s, now + limit_s)
            self._limited_by_link[link] = known
        if before or self._limited_by_link:
            self._set_timer()

    def stop(self) -> None:
        """End nothing more."""
        self._limited_by_link.clear()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._limited_by_link:
            first = min(limited.ends_at for limited in self._limited_by_link.values())
            self._timer = self._loop.call_later(max(0.0, first - self._loop.time()), self._end_overdue)

    def _end_overdue(self) -> None:
        self._timer = None
        now = self._loop.time()
        for link, limited in list(self._limited_by_link.items()):
            if limited.ends_at > now:
                continue
            link.read_what_came()  # it may have ended just now, or while no results were taken
            item = link.running_item()
            if link.is_amid_result:
                limited.ends_at = now + PAUSE_S
            elif item is None or item[0] != limited.number or link.is_doomed:
                del self._limited_by_link[link]
            else:
                del self._limited_by_link[link]
                if (suffix := self._rare.suffix(now)) is not None:
                    text, about = "%s has run for more than %g s and is ended%s", of_task(item[0], item[3].name)
                    log.warning(text, shown_item(item), limited.limit_s, suffix, extra=about)
                reason = f"it ran for more than its limit of {limited.limit_s:g} s"
                self._on_over(link, limited.number, Verdict(TIMED_OUT, reason, GRACE_S))
        self._set_timer()
