"""Ends workers whose task has to stop: it is asked to, and they are killed when it has had its time.

The worker gets SIGTERM, which raises in the task, so that it can clean up. When the grace is over it is killed,
with all that it has started, whatever it does: native code and signals that are ignored do not matter then.
"""

from __future__ import annotations

import asyncio

from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Grace"]


class Grace:
    """See the module. Loop thread only."""

    def __init__(self, loop: NodeLoop) -> None:
        self._loop = loop
        self._timer_by_link: dict[WorkerLink, asyncio.TimerHandle] = {}

    def end(self, link: WorkerLink, grace_s: float) -> None:
        """Have a worker end. Of several graces the one counts that is over first.

        :param grace_s: how long its task may take to end by itself, in seconds; 0: it is killed at once.
        """
        if grace_s <= 0:
            self.forget(link)
            link.kill()
            return
        timer = self._timer_by_link.get(link)
        if timer is None:
            link.ask_to_end()
        elif self._loop.time() + grace_s < timer.when():
            timer.cancel()
        else:
            return
        self._timer_by_link[link] = self._loop.call_later(grace_s, self.end, link, 0.0)

    def forget(self, link: WorkerLink) -> None:
        """Know no more of a worker that has ended."""
        timer = self._timer_by_link.pop(link, None)
        if timer is not None:
            timer.cancel()
