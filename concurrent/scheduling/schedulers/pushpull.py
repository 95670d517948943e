"""The push/pull scheduler: slaves take tasks from one shared work socket."""

from __future__ import annotations

from concurrent.core.component import Component
from concurrent.core.interface import implements
from concurrent.core.items import FloatItem
from concurrent.scheduling.interfaces import ITaskScheduler, IWorkQueue
from concurrent.scheduling.ledger.events import Command
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.rebalance import Rebalancer
from concurrent.scheduling.schedulers.workqueues import WorkPlace, usual_queue

__all__ = ["ZMQTaskScheduler"]


class ZMQTaskScheduler(Component):
    """For slaves that are alike: tasks go on the work socket, slaves pull them.

    A push socket alone loses what lies in a dead slave's pipe. So every task stays in the ledger, at
    most a small credit of tasks is on the socket at a time, and slaves report what they took.
    """

    implements(ITaskScheduler)

    ahead = FloatItem(
        "scheduling",
        "push_ahead",
        0.5,
        "How many tasks may lie on the work socket, as a fraction of what the slaves want to hold.",
        minimum=0.0,
        maximum=10.0,
    )

    def __init__(self) -> None:
        """Nothing is known of slaves yet."""
        self._changed: set[int] = set()
        self._rebalancer = Rebalancer()

    def slave_changed(self, slave: int) -> None:
        """Note that a slave may have become idle."""
        self._changed.add(slave)

    def manager_name(self) -> str:
        """Slaves pull from the work socket."""
        return "ZMQTaskManager"

    def work_queue(self, place: WorkPlace) -> IWorkQueue:
        """Offer tasks on a socket where the carriers have one, else on the sessions."""
        return usual_queue(place)

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Push while the credit lasts: the windows, and a little ahead, less what is out."""
        for key in self._changed:
            self._rebalancer.note(ledger.slaves, key)
        self._changed.clear()
        if not ledger.slaves:
            return []
        if ledger.queued_count:
            self._rebalancer.stop()
            ahead = int(ledger.window_total * (1 + self.ahead))
            credit = ahead - ledger.held_total - len(ledger.pushed)
            return ledger.offer(credit) if credit > 0 else []
        return [] if ledger.pushed else self._rebalancer.ask_back(ledger)
