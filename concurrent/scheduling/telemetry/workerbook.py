"""What slaves say of their workers and machines: what they use, run and have done. A pure module."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from concurrent.scheduling.telemetry.functions import Function

__all__ = ["MACHINE_FACTS", "MachineFacts", "SlaveFacts", "WorkerBook", "WorkerFacts", "WorkerRow"]

SPARE_WORKERS: Final = 64
"""So many processes may be told of besides twice as many as a slave has workers: some end, some begin."""


class WorkerRow(NamedTuple):
    """What a slave says of a worker at a moment.

    :param worker: its process.
    :param cpu: how many processors it used lately, from 0 on.
    :param memory_bytes: how much memory it has allocated.
    :param task: the number of the task that it runs; -1: none, or none for long.
    :param ago_s: how long that has run.
    :param done: how many tasks it has done.
    """

    worker: int
    cpu: float
    memory_bytes: int
    task: int
    ago_s: float
    done: int


class MachineFacts(NamedTuple):
    """What a slave says of itself and its machine.

    :param cpu: how many processors the process of the slave used lately.
    :param memory_bytes: how much memory that has allocated.
    :param busy: how many of its workers have tasks.
    :param machine_cpu: how many processors of its machine were used lately, by whomever.
    :param machine_cpus: how many it has.
    :param machine_used_bytes: how much memory is used there, and ``machine_bytes`` how much there is: of the
        machine, or of the part of it that the slave may use.
    """

    cpu: float = 0.0
    memory_bytes: int = 0
    busy: int = 0
    machine_cpu: float = 0.0
    machine_cpus: int = 0
    machine_used_bytes: int = 0
    machine_bytes: int = 0


MACHINE_FACTS: Final = MachineFacts._fields
NOTHING_TOLD: Final = MachineFacts()


@dataclass(slots=True)
class WorkerFacts:
    """What is known of a worker.

    :param worker: its process; ``cpu``, ``memory_bytes``, ``task`` and ``done`` as in :class:`WorkerRow`.
    :param since_at: when the task began, in seconds since the epoch; 0 if there is none.
    :param function: what it has run last, as far as bars tell; None before the first.
    :param told_at: when the slave last said something of it.
    """

    worker: int
    cpu: float = 0.0
    memory_bytes: int = 0
    task: int = -1
    since_at: float = 0.0
    done: int = 0
    function: Function | None = None
    told_at: float = 0.0


@dataclass(slots=True)
class SlaveFacts:
    """What is known of a slave: of its machine, and of its workers by their processes.

    :param most: of so many workers something is kept.
    :param told_at: when it last said something, in seconds since the epoch; 0: never.
    """

    most: int
    machine: MachineFacts = NOTHING_TOLD
    worker_by_pid: dict[int, WorkerFacts] = field(default_factory=dict)
    told_at: float = 0.0

    @property
    def cpu(self) -> float:
        """How many processors its workers used lately, together."""
        return sum(one.cpu for one in self.worker_by_pid.values())

    @property
    def memory_bytes(self) -> int:
        """How much memory its workers have allocated, together."""
        return sum(one.memory_bytes for one in self.worker_by_pid.values())

    def worker(self, pid: int) -> WorkerFacts:
        """Return what is known of a worker, of which something is kept from now on."""
        facts = self.worker_by_pid.get(pid)
        if facts is None:
            if len(self.worker_by_pid) >= self.most:
                del self.worker_by_pid[next(iter(self.worker_by_pid))]
            facts = self.worker_by_pid[pid] = WorkerFacts(pid)
        return facts


class WorkerBook:
    """See the module. ``facts_by_slave`` has slaves by the numbers of their registrations."""

    def __init__(self) -> None:
        self.facts_by_slave: dict[int, SlaveFacts] = {}

    def join(self, slave: int, workers: int) -> None:
        """Begin to keep what a slave says.

        :param workers: how many it has.
        """
        self.facts_by_slave[slave] = SlaveFacts(2 * workers + SPARE_WORKERS)

    def busy(self, slave: int) -> int:
        """Return how many of its workers have tasks, as a slave says; 0 if it has said nothing."""
        facts = self.facts_by_slave.get(slave)
        return facts.machine.busy if facts is not None else 0

    def leave(self, slave: int) -> None:
        """Forget a slave."""
        self.facts_by_slave.pop(slave, None)

    def take(
        self,
        slave: int,
        rows: Iterable[WorkerRow],
        gone: Collection[int],
        machine: Mapping[str, float],
        now: float,
    ) -> None:
        """Take note of what a slave says; of one that is not there nothing is kept.

        :param rows: of workers of which something has changed.
        :param gone: processes that have ended.
        :param machine: what has changed of the :class:`MachineFacts`, by name; others are left out.
        :param now: the time, in seconds since the epoch.
        """
        facts = self.facts_by_slave.get(slave)
        if facts is None:
            return
        facts.told_at = now
        known = {name: value for name, value in machine.items() if name in MACHINE_FACTS}
        if known:
            facts.machine = facts.machine._replace(**known)  # type: ignore[arg-type]
        for row in rows:
            worker = facts.worker(row.worker)
            worker.cpu, worker.memory_bytes, worker.task = row.cpu, row.memory_bytes, row.task
            worker.since_at = now - row.ago_s if row.task >= 0 else 0.0
            worker.done, worker.told_at = row.done, now
        for pid in gone:
            facts.worker_by_pid.pop(pid, None)

    def note_functions(self, slave: int, workers: Iterable[int], functions: Iterable[Function]) -> None:
        """Take note of what workers of a slave have run, the last one last; of unknown ones nothing is kept."""
        facts = self.facts_by_slave.get(slave)
        if facts is not None:
            for pid, function in dict(zip(workers, functions, strict=True)).items():
                worker = facts.worker_by_pid.get(pid)
                if worker is not None:
                    worker.function = function
