"""The generic scheduler: the master chooses the slave for each task."""

from __future__ import annotations

from concurrent.core.component import Component
from concurrent.core.extensionitems import ExtensionPointItem
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduler, ITaskScheduleStrategy
from concurrent.scheduling.ledger.events import Command, Send
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.schedulers.admission import let_in
from concurrent.scheduling.schedulers.openslaves import OpenSlaves, OpenSlavesByTerms
from concurrent.scheduling.schedulers.rating import Rating
from concurrent.scheduling.schedulers.rebalance import Rebalancer
from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy

__all__ = ["GenericTaskScheduler"]


class GenericTaskScheduler(Component):
    """For slaves that differ: sends each task to the slave that its strategy rates best.

    Slaves with room are ranked (``openslaves.py``). A slave's rank changes when it reports or is given
    something, so a decision costs the logarithm of the slaves with room and nothing for the others. When
    tasks run out while some slave is idle, what would end last is taken back, and goes where it was wanted
    (``rebalance.py``).
    """

    implements(ITaskScheduler)

    strategy = ExtensionPointItem(
        "scheduling",
        "strategy",
        ITaskScheduleStrategy,
        GenericTaskScheduleStrategy.__name__,
        "What rates slaves when the generic scheduler chooses one.",
    )

    def __init__(self) -> None:
        """Take the configured strategy.

        :raises ConfigurationError: if there is none of that name.
        """
        self.rating = Rating(self.strategy, self.manager)
        self._sees_terms = self.rating.sees_terms
        self._open = (OpenSlavesByTerms if self._sees_terms else OpenSlaves)(self.rating)
        self._changed: set[int] = set()
        self._rebalancer = Rebalancer()

    def slave_changed(self, slave: int) -> None:
        """Note that the slave may have room now."""
        self._changed.add(slave)

    def manager_name(self) -> str:
        """Slaves wait for the tasks that are sent to them."""
        return "GenericTaskManager"

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Give queued tasks to the best rated slaves until either runs out."""
        slaves = ledger.slaves
        if not ledger.task_by_number and len(self._changed) <= len(slaves):
            return []  # what changed is looked at when there are tasks, or when it gets too much
        for key in self._changed:
            self._note(slaves, key)
        self._changed.clear()
        commands: list[Command] = []
        queued_count = ledger.queued_count
        if queued_count and self._rebalancer.promised:
            commands += self._keep_promises(ledger)
            queued_count = ledger.queued_count
        while queued_count:
            lane = ledger.next_lane if self._sees_terms else None
            best = self._open.first(lane)
            if best is None:
                break
            if best in slaves:
                commands += ledger.assign(best, self._share(queued_count, slaves[best]), lane)
                queued_count = ledger.queued_count
            if queued_count:
                self._note(slaves, best)
            else:  # it is ranked when there is something to give again
                self._rebalancer.note(slaves, best)
                self._changed.add(best)
        if queued_count:
            self._rebalancer.stop()
            return commands + self._let_in(ledger)
        return commands + self._rebalancer.ask_back(ledger)

    def _note(self, slaves: dict[int, SlaveRecord], key: int) -> None:
        """Take note of what a slave holds now, or that it is lost."""
        slave = slaves.get(key)
        if slave is not None and len(slave.held) < slave.window:
            self._open.put(slave)
        else:
            self._open.drop(key)
        self._rebalancer.note(slaves, key)

    def _keep_promises(self, ledger: Ledger) -> list[Command]:
        """Give what was asked back to the slaves for which it was."""
        promised = list(self._rebalancer.promised)
        commands = self._rebalancer.fill(ledger)
        for key in promised:
            self._note(ledger.slaves, key)
        return commands

    def _let_in(self, ledger: Ledger) -> list[Command]:
        """Have newcomers get in when no slave has room."""
        sends = let_in(ledger)
        for send in sends:
            if isinstance(send, Send):
                self._note(ledger.slaves, send.slave)
        return sends

    def _share(self, queued_count: int, slave: SlaveRecord) -> int:
        """Return how many tasks a slave with room gets at once: idle workers first, then an even share."""
        if queued_count == 1:
            return 1
        open_count = len(self._open)
        idle = slave.workers - len(slave.held)
        if idle > 0:
            return min(slave.room, max(1, min(idle, -(-queued_count // open_count))))
        return min(slave.room, max(1, queued_count // (2 * open_count)))
