"""Takes waiting tasks from slaves that have many, for others that have idle workers."""

from __future__ import annotations

from collections.abc import Iterable

from concurrent.scheduling.events import AskBack, Command
from concurrent.scheduling.ledger import Ledger
from concurrent.scheduling.records import SlaveRecord

__all__ = ["ask_back", "idle_count"]


def idle_count(slaves: Iterable[SlaveRecord]) -> int:
    """Return how many workers of these slaves have nothing to do and may get something."""
    return sum(max(0, slave.workers - len(slave.held)) for slave in slaves if slave.room > 0)


def ask_back(ledger: Ledger, slaves: Iterable[SlaveRecord], idle: int) -> list[Command]:
    """Ask slaves for half of what they have not started, until there is one task for each idle worker.

    A slave is not asked again before it has answered.

    :param slaves: those that hold more tasks than they have workers.
    """
    commands: list[Command] = []
    for slave in slaves:
        spare = len(slave.held) - slave.workers
        if spare > 0 and idle > 0 and ledger.ask_back(slave.slave):
            count = min(-(-spare // 2), idle)
            idle -= count
            commands.append(AskBack(slave.slave, count))
    return commands
