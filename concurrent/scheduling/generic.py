"""The generic scheduler: the master chooses the slave for each task."""

from __future__ import annotations

import heapq

from concurrent.core.component import Component, implements
from concurrent.core.items import ExtensionPointItem
from concurrent.scheduling.events import Command
from concurrent.scheduling.interfaces import ITaskScheduler, ITaskScheduleStrategy
from concurrent.scheduling.ledger import Ledger
from concurrent.scheduling.rebalance import ask_back, idle_count
from concurrent.scheduling.records import SlaveRecord
from concurrent.scheduling.strategies import GenericTaskScheduleStrategy

__all__ = ["GenericTaskScheduler"]


class GenericTaskScheduler(Component):
    """For slaves that differ: sends each task to the slave that its strategy rates best.

    Slaves with room stand in a heap by rating. A slave enters it when its room may have grown, so a
    decision costs the logarithm of the slaves with room and nothing for the others. When tasks run
    out while some slave is idle, the fullest slave is asked to hand back what it has not started.
    """

    implements(ITaskScheduler)

    strategy = ExtensionPointItem(
        "scheduling",
        "strategy",
        ITaskScheduleStrategy,
        GenericTaskScheduleStrategy.__name__,
        "What rates the slaves when the generic scheduler chooses one.",
    )

    def __init__(self) -> None:
        """Take the configured strategy.

        :raises ConfigurationError: if there is none of that name.
        """
        self._rate = self.strategy.rate
        self._heap: list[tuple[float, int]] = []
        self._listed: set[int] = set()
        self._changed: set[int] = set()
        self._overfull: set[int] = set()

    def slave_changed(self, slave: int) -> None:
        """Note that the slave may have room now."""
        self._changed.add(slave)

    def manager_name(self) -> str:
        """Slaves wait for the tasks that are sent to them."""
        return "GenericTaskManager"

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Give queued tasks to the best rated slaves until either runs out."""
        rate = self._rate
        self._admit(ledger)
        commands: list[Command] = []
        heap = self._heap
        while ledger.queued_count and heap:
            _, key = heapq.heappop(heap)
            slave = ledger.slaves.get(key)
            if slave is None or slave.room <= 0:
                self._listed.discard(key)
                continue
            commands += ledger.assign(key, self._share(ledger, slave, len(heap) + 1))
            if len(slave.held) > slave.workers:
                self._overfull.add(key)
            if slave.room > 0:
                heapq.heappush(heap, (-rate(slave), key))
            else:
                self._listed.discard(key)
        if ledger.queued_count:
            commands += ledger.let_in()
        elif heap and self._overfull:
            commands += self._rebalance(ledger)
        return commands

    def _admit(self, ledger: Ledger) -> None:
        for key in self._changed:
            slave = ledger.slaves.get(key)
            if slave is not None and slave.room > 0 and key not in self._listed:
                self._listed.add(key)
                heapq.heappush(self._heap, (-self._rate(slave), key))
        self._changed.clear()

    @staticmethod
    def _share(ledger: Ledger, slave: SlaveRecord, open_count: int) -> int:
        """Return how many tasks the slave gets at once: idle workers first, then an even share."""
        idle = slave.workers - len(slave.held)
        if idle > 0:
            return min(slave.room, max(1, min(idle, -(-ledger.queued_count // open_count))))
        return min(slave.room, max(1, ledger.queued_count // (2 * open_count)))

    def _rebalance(self, ledger: Ledger) -> list[Command]:
        """Ask the fullest slaves for unstarted tasks while other slaves have idle workers."""
        slaves = ledger.slaves
        overfull = [
            slaves[key]
            for key in self._overfull
            if key in slaves and len(slaves[key].held) > slaves[key].workers
        ]
        self._overfull = {slave.slave for slave in overfull}
        idle = idle_count(slaves[key] for key in self._listed if key in slaves)
        return ask_back(ledger, overfull, idle)
