"""Sees to it that no task takes more memory than it asked for. Loop thread only.

What counts is its worker and all processes below that. First what each of them uses is added up, which is
quick, and too much where they are copies of one another, or of what they were forked from. Only if that is over
the limit it is measured exactly, and not even then if it is over it by more than they can have in common.

A task that goes over its limit in a worker that had others before is in doubt: these may have left that behind.
So it runs again, as the first task of a new worker, and what it takes there is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from concurrent.core.logformat import of_task
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.scheduling.processes.memory import MemoryReader
from concurrent.scheduling.slave.crew import Item, shown_item
from concurrent.scheduling.slave.verdict import Verdict, over_memory
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["MemoryLimits"]

MEASURE_S: Final = 0.4
"""How often memory is measured, in seconds."""

MEASURE_SHARE: Final = 0.1
"""The loop measures for no more than this part of its time."""

INHERITED_MAX: Final = 256 << 20
"""More than this no worker has in common with the process that it was forked from, in bytes."""

LINES_PER_S: Final = 5
"""So many tasks that are ended have lines of their own in the log, in each second."""

log = get_log(__name__)


class MemoryLimits:
    """See the module.

    :param reader: tells what processes use.
    :param on_over: called with a worker, the number of the task that it runs, and why that has to end.
    """

    def __init__(
        self,
        loop: NodeLoop,
        reader: MemoryReader,
        on_over: Callable[[WorkerLink, int, Verdict], object],
    ) -> None:
        self._loop = loop
        self._reader = reader
        self._on_over = on_over
        self._rare = RareLine(LINES_PER_S)
        self._next_at = 0.0

    def look(self, running: Mapping[WorkerLink, Item]) -> None:
        """Measure now and then; call it again and again while workers have tasks.

        :param running: the task that each worker runs.
        """
        now = self._loop.time()
        if now < self._next_at:
            return
        limited = {
            link: item
            for link, item in running.items()
            if item[3].resources and item[3].resources.memory and link.pid
        }
        if not limited:
            return
        trees = self._reader.trees([link.pid for link in limited])
        for link, item in limited.items():
            self._measure(link, item, trees[link.pid])
        took_s = self._loop.time() - now
        self._next_at = now + max(MEASURE_S, took_s / MEASURE_SHARE)

    def _measure(self, link: WorkerLink, item: Item, tree: list[int]) -> None:
        number, limit = item[0], item[3].resources.memory
        used = sum(map(self._reader.used_bytes, tree))
        if used > limit and (len(tree) > 1 or used - limit <= INHERITED_MAX):
            used = sum(map(self._reader.exact_bytes, tree))
        if used > limit:
            verdict = over_memory(used, limit, link.tasks_before, processes=len(tree))
            if (suffix := self._rare.suffix(self._loop.time())) is not None:
                text, about = "%s is ended%s: %s%s", of_task(number, item[3].name)
                log.warning(text, shown_item(item), verdict.what_next, verdict.reason, suffix, extra=about)
            self._on_over(link, number, verdict)
