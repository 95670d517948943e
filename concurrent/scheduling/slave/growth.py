"""Finds workers in which tasks that claim memory leave it behind, between two tasks. Loop thread only.

A worker may well hold much: what its tasks have loaded for the next ones. So what counts is how much more it
has than after its first task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.processes.memory import MemoryReader
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.tasks.claim import MEMORY, shown_amount

__all__ = ["Growth"]

GROWTH_PART: Final = 0.5
"""By more than this part of what its tasks may take a worker shall not grow."""

MEASURE_S: Final = 0.1
"""A worker is measured again after so many seconds at the earliest, for the sake of short tasks."""

log = get_log(__name__)


class Growth:
    """See the module.

    :param reader: tells what processes use.
    :param clock: returns the time, in seconds.
    """

    def __init__(self, reader: MemoryReader, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._clock = clock
        self._first_by_link: dict[WorkerLink, int] = {}
        self._measured_at_by_link: dict[WorkerLink, float] = {}

    def is_much(self, link: WorkerLink) -> bool:
        """Tell whether a worker without a task has grown by too much since it was first without one.

        :param link: belongs to a crew that claims memory.
        """
        assert link.crew is not None
        now = self._clock()
        if now - self._measured_at_by_link.get(link, -MEASURE_S) < MEASURE_S:
            return False
        self._measured_at_by_link[link] = now
        used = self._reader.used_bytes(link.pid)
        grown = used - self._first_by_link.setdefault(link, used)
        if grown <= link.crew.memory * GROWTH_PART:
            return False
        sizes = shown_amount(MEMORY, used), shown_amount(MEMORY, grown), shown_amount(MEMORY, link.crew.memory)
        log.info(
            "worker %d has %s, %s more than after its first task, and is replaced: may take %s",
            link.pid,
            *sizes,
        )
        return True

    def forget(self, link: WorkerLink) -> None:
        """Know no more of a worker that has ended."""
        self._first_by_link.pop(link, None)
        self._measured_at_by_link.pop(link, None)
