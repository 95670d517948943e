"""The push/pull scheduler: slaves take tasks from one shared work socket."""

from __future__ import annotations

from concurrent.core.component import Component, implements
from concurrent.core.items import FloatItem
from concurrent.scheduling.events import Command
from concurrent.scheduling.interfaces import ITaskScheduler
from concurrent.scheduling.ledger import Ledger

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

    def slave_changed(self, slave: int) -> None:
        """Nothing to note: any slave may pull."""

    def manager_name(self) -> str:
        """Slaves pull from the work socket."""
        return "ZMQTaskManager"

    def schedule(self, ledger: Ledger) -> list[Command]:
        """Push while the credit lasts: the windows, and a little ahead, less what is out."""
        if not ledger.queued_count or not ledger.slaves:
            return []
        windows = sum(slave.window for slave in ledger.slaves.values())
        held = sum(len(slave.held) for slave in ledger.slaves.values())
        credit = int(windows * (1 + self.ahead)) - held - len(ledger.pushed)
        return ledger.offer(credit) if credit > 0 else []
