"""What bounds the tasks and workers of a pool: time, and memory, also that of the machine. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from concurrent.core.loggers import get_log
from concurrent.core.process.machine import Machine
from concurrent.scheduling.processes.memory import memory_reader
from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.growth import Growth
from concurrent.scheduling.slave.memorylimits import MemoryLimits
from concurrent.scheduling.slave.shortage import Shortage
from concurrent.scheduling.slave.timelimits import TimeLimits
from concurrent.scheduling.slave.verdict import Verdict
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.scheduling.tasks.claim import MEMORY, shown_amount
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["NO_BOUNDS", "Bounds", "Limits"]

GROWTH_LOOK_S: Final = 1.0
"""How often it is measured how large workers are, in seconds."""

log = get_log(__name__)


class Bounds(NamedTuple):
    """What a slave allows to all tasks.

    :param tasks_per_worker: how many tasks a worker runs before another takes its place; 0: no limit.
    :param worker_memory: how many bytes a worker may have between two tasks before another takes its place;
        0: no limit.
    :param memory_reserve: when fewer bytes are free on the machine nothing more is taken; 0: no limit.
    """

    tasks_per_worker: int = 0
    worker_memory: int = 0
    memory_reserve: int = 0


NO_BOUNDS: Final = Bounds()


class Limits:
    """See the module.

    :param links: the workers; the list of the pool itself.
    :param on_over: called with a worker, the number of the task that it runs, and why that has to end.
    :param on_grown: called with a worker that has to be replaced when its task has ended.
    :param on_shortage: called when ``lacks`` has changed.
    """

    def __init__(
        self,
        loop: NodeLoop,
        links: Sequence[WorkerLink],
        bounds: Bounds,
        *,
        on_over: Callable[[WorkerLink, int, Verdict], object],
        on_grown: Callable[[WorkerLink], object],
        on_shortage: Callable[[], object],
    ) -> None:
        self._loop = loop
        self._links = links
        self._worker_memory = bounds.worker_memory
        self._on_grown = on_grown
        self._reader = memory_reader()
        self._time = TimeLimits(loop, on_over)
        self._memory = MemoryLimits(loop, self._reader, on_over)
        self._growth = Growth(self._reader, loop.time)
        self._shortage = Shortage(loop, bounds.memory_reserve, Machine().free_bytes, on_shortage)
        self._measured_at = float("-inf")

    @property
    def lacks(self) -> str:
        """What the machine is short of, so that nothing more is to be taken, in a few words; mostly nothing."""
        return self._shortage.reason

    def start(self) -> None:
        """Look at the memory of the machine from now on."""
        self._shortage.start()

    def look(self, running: Mapping[WorkerLink, Item]) -> None:
        """Look at what runs; call it again and again while workers have tasks, and once when they have none.

        :param running: the task that each worker runs.
        """
        self._time.look(running)
        self._memory.look(running)
        if self._worker_memory and (not running or self._loop.time() - self._measured_at >= GROWTH_LOOK_S):
            self._look_for_grown()

    def has_grown(self, link: WorkerLink) -> bool:
        """Tell whether a worker that has brought results must be replaced, for what its tasks left behind.

        :param link: belongs to a crew that claims memory.
        """
        return not link.outstanding and self._growth.is_much(link)

    def forget(self, link: WorkerLink) -> None:
        """Know no more of a worker that has ended."""
        self._growth.forget(link)

    def stop(self) -> None:
        """Look no more, and end nothing more."""
        self._time.stop()
        self._shortage.stop()

    def _look_for_grown(self) -> None:
        self._measured_at = self._loop.time()
        for link in list(self._links):
            if not link.is_leaving and link.pid:
                used = self._reader.used_bytes(link.pid)
                if used > self._worker_memory:
                    shown = shown_amount(MEMORY, used)
                    log.info("worker %d has grown to %s and is replaced after its task", link.pid, shown)
                    self._on_grown(link)
