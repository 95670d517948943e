"""What the workers of a slave use and run, and what its machine has, for people to look at. Loop thread only.

It is looked at once a second, idle workers less often, and what has changed is told: a few per cent more or
less are no news.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from concurrent.core.process.machine import Machine
from concurrent.scheduling.processes.memory import MemoryReader, memory_reader
from concurrent.scheduling.processes.usage import TimesReader, times_reader
from concurrent.scheduling.slave.workerlink import WorkerLink
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["FactColumns", "WorkerFacts"]

IDLE_LOOKS: Final = 5
"""An idle worker, and the memory of the machine, are looked at each so many times."""

CPU_STEP: Final = 0.05
MEMORY_STEP_BYTES: Final = 1 << 20
STEP_SHARE: Final = 0.02
"""What changes by less than that is not told again: processors, memory, and a part of either."""

LONG_S: Final = 0.5
"""A task that has run for so long is told of."""


class FactColumns(NamedTuple):
    """What has changed, as it travels; see ``to_master.workers``."""

    counts: list[list[int]]
    figures: list[list[float]]
    gone: list[int]
    machine: dict[str, Any]


class _Row(NamedTuple):
    """What is told of a worker."""

    cpu: float
    memory_bytes: int
    task: int
    done: int


class _Known:
    """What is known of a worker since the last look at it."""

    __slots__ = ("cpu_s", "looked_at", "pid", "told")

    def __init__(self, pid: int, cpu_s: float, now: float) -> None:
        self.pid = pid
        self.cpu_s = cpu_s
        self.looked_at = now
        self.told: _Row | None = None


class WorkerFacts:
    """See the module.

    :param links: the workers; the list of the pool itself.
    :param times: tells how much processor time was used, ``memory`` how much memory processes use, and
        ``machine`` how much there is; None for those of this platform.
    """

    def __init__(
        self,
        loop: NodeLoop,
        links: Sequence[WorkerLink],
        *,
        times: TimesReader | None = None,
        memory: MemoryReader | None = None,
        machine: Machine | None = None,
    ) -> None:
        self._loop = loop
        self._links = links
        self._times = times or times_reader()
        self._memory = memory or memory_reader()
        self._machine = machine or Machine()
        self._machine_bytes = 0
        self._known_by_link: dict[WorkerLink, _Known] = {}
        self._told_machine: dict[str, float] = {}
        self._looks = 0
        self._looked_at = loop.time()
        self._own_s = self._times.process_s(os.getpid())
        self._machine_s = self._times.machine_s()

    def tell_all(self) -> None:
        """Tell everything at the next look: somebody listens who knows nothing."""
        self._told_machine.clear()
        for known in self._known_by_link.values():
            known.told = None

    def look(self) -> FactColumns | None:
        """Return what has changed since the last look; None if nothing has. Call it once a second."""
        now = self._loop.time()
        columns = FactColumns([[], [], [], []], [[], []], self._gone(), self._of_machine(now))
        for link in self._links:
            if link.pid:
                self._look_at(link, now, columns)
        self._looks += 1
        self._looked_at = now
        return columns if columns.counts[0] or columns.gone or columns.machine else None

    def _gone(self) -> list[int]:
        """Return the processes of workers that have ended, and know no more of them."""
        links = set(self._links)
        ended = [link for link in self._known_by_link if link not in links]
        return [self._known_by_link.pop(link).pid for link in ended]

    def _look_at(self, link: WorkerLink, now: float, columns: FactColumns) -> None:
        known = self._known_by_link.get(link)
        if known is None:
            known = self._known_by_link[link] = _Known(link.pid, self._times.process_s(link.pid), now)
        told, task = known.told, self._long_task(link, now)
        is_at_rest = told is not None and told == (0.0, told.memory_bytes, -1, link.done_count)
        if is_at_rest and not link.outstanding and self._looks % IDLE_LOOKS:
            return
        cpu_s, passed_s = self._times.process_s(link.pid), now - known.looked_at
        cpu = max(0.0, cpu_s - known.cpu_s) / passed_s if passed_s > 0 else 0.0
        known.cpu_s, known.looked_at = cpu_s, now
        cpu = cpu if cpu >= CPU_STEP else 0.0
        row = _Row(cpu, self._memory.used_bytes(link.pid), task, link.done_count)
        if told is not None and told[2:] == row[2:]:
            if not (_differs(cpu, told.cpu, CPU_STEP) or _differs(row[1], told[1], MEMORY_STEP_BYTES)):
                return
        known.told = row
        run_s = max(0.0, now - link.progress_at) if task >= 0 else 0.0
        for column, count in zip(columns.counts, (link.pid, row.memory_bytes, task, row.done), strict=True):
            column.append(count)
        for figures, figure in zip(columns.figures, (round(cpu, 3), run_s), strict=True):
            figures.append(figure)

    def _long_task(self, link: WorkerLink, now: float) -> int:
        """Return the number of the task that a worker has run for a while; -1 if there is none."""
        if not link.outstanding or now - link.progress_at < LONG_S:
            return -1
        number = link.running_number()
        return number if number is not None else -1

    def _of_machine(self, now: float) -> dict[str, float]:
        """Return what has changed of the slave itself and its machine."""
        passed_s, own = now - self._looked_at, os.getpid()
        own_s, machine_s = self._times.process_s(own), self._times.machine_s()
        facts = {
            "cpu": max(0.0, own_s - self._own_s) / passed_s if passed_s > 0 else 0.0,
            "busy": sum(bool(link.outstanding) for link in self._links),
            "machine_cpu": max(0.0, machine_s - self._machine_s) / passed_s if passed_s > 0 else 0.0,
            "machine_cpus": os.cpu_count() or 1,
        }
        self._own_s, self._machine_s = own_s, machine_s
        if self._looks % IDLE_LOOKS == 0:
            self._machine_bytes = self._machine_bytes or self._machine.memory_bytes()
            facts["machine_bytes"] = self._machine_bytes
            facts["machine_used_bytes"] = max(0, self._machine_bytes - self._machine.free_bytes())
            facts["memory_bytes"] = self._memory.used_bytes(own)
        told = self._told_machine
        news = {
            name: value
            for name, value in facts.items()
            if name not in told or _differs(value, told[name], _step(name))
        }
        told.update(news)
        return {name: round(value, 3) for name, value in news.items()}


def _step(name: str) -> float:
    """Return by how much a figure has to change at least to be told."""
    if name == "busy":
        return 0.5
    return MEMORY_STEP_BYTES if name.endswith("_bytes") else CPU_STEP


def _differs(new: float, old: float, step: float) -> bool:
    """Tell whether a figure has changed by so much that it is news."""
    return abs(new - old) >= max(step, STEP_SHARE * old)
