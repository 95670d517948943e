"""The push/pull scheduler: slaves take tasks from one shared work socket."""

from __future__ import annotations

from concurrent.core.component import Component, implements
from concurrent.core.items import FloatItem
from concurrent.scheduling.events import Command
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.ledger import Ledger
from concurrent.scheduling.rebalance import ask_back, idle_count

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
        "How much may lie on the work socket besides what the slaves want to hold, as a part of that.",
        minimum=0.0,
        maximum=10.0,
    )

    def __init__(self) -> None:
        """Nothing is known of slaves yet."""
        self._has_news = False

    def slave_changed(self, slave: int) -> None:
        """Note that a slave may have become idle."""
        self._has_news = True

    def manager_name(self) -> str:
        """Slaves pull from the work socket."""
        return "ZMQTaskManager"

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Push while the credit lasts: the windows, and a little ahead, less what is out."""
        if not ledger.slaves:
            return []
        if ledger.queued_count:
            ahead = int(ledger.window_total * (1 + self.ahead))
            credit = ahead - ledger.held_total - len(ledger.pushed)
            return ledger.offer(credit) if credit > 0 else []
        return [] if ledger.pushed or not self._has_news else self._rebalance(ledger)

    def _rebalance(self, ledger: Ledger) -> list[Command]:
        """Take waiting tasks from slaves that pulled many, while others are idle."""
        self._has_news = False
        if ledger.held_total == 0:
            return []
        slaves = ledger.slaves.values()
        overfull = [slave for slave in slaves if len(slave.held) > slave.workers]
        return ask_back(ledger, overfull, idle_count(slaves)) if overfull else []
