"""Which slaves hold tasks and report nothing, though they may well be connected. Pure; the ledger owns it.

A slave of ours tells every two seconds of what it runs, so one that holds tasks and says nothing for several
times as long runs none of them. One that never told of running tasks may be of another make: it gets longer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from concurrent.scheduling.ledger.records import SlaveRecord

__all__ = ["Silence"]

SILENT_S: Final = 10.0
SILENT_UNTOLD_S: Final = 30.0
"""How long a slave may hold tasks without a word: one that tells what it runs, and one that does not."""

SILENT_TASKS: Final = 10
"""One that does not tell what it runs may also be silent for as long as so many of its tasks took lately."""

HELD_UP_S: Final = 3.0
"""If nobody has looked for so long, it was we who were held up."""


class Silence:
    """See the module."""

    def __init__(self) -> None:
        self._since_by_slave: dict[int, float] = {}
        self._looked_at = 0.0

    def look(self, slaves: Collection[SlaveRecord], now: float) -> list[SlaveRecord]:
        """Return the slaves that have fallen silent since the last look. Call it every second.

        :param now: the time, in seconds since any fixed instant.
        """
        was_held_up = now - self._looked_at > HELD_UP_S
        self._looked_at = now
        since, self._since_by_slave = self._since_by_slave, {}
        found: list[SlaveRecord] = []
        for slave in slaves:
            if was_held_up or slave.is_heard or not slave.held:
                slave.is_heard = False
                self._since_by_slave[slave.slave] = now
                continue
            heard_at = self._since_by_slave[slave.slave] = since.get(slave.slave, now)
            if not slave.is_silent and now - heard_at >= _patience_s(slave):
                found.append(slave)
        return found

    def heard_at(self, slave: SlaveRecord, now: float) -> float:
        """Return when a slave was last known to say something of its tasks, or to have none."""
        return self._since_by_slave.get(slave.slave, now)

    def silent_s(self, slave: SlaveRecord) -> float:
        """Return for how long a slave had said nothing when it was looked at last, in seconds."""
        return self._looked_at - self._since_by_slave.get(slave.slave, self._looked_at)


def _patience_s(slave: SlaveRecord) -> float:
    if slave.tells_running:
        return SILENT_S
    return max(SILENT_UNTOLD_S, SILENT_TASKS * slave.task_s)
