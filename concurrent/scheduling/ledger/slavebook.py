"""The slaves of a master: how much they want, who reported last, who reports nothing. Pure; for the ledger."""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.ledger.events import Command, SlaveHeard, SlaveJoined, SlaveSilent
from concurrent.scheduling.ledger.offers import offers_of
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.ledger.silence import Silence

__all__ = ["BEGUN_SHARE", "SlaveBook"]

RESOURCES: Final = "resources"
"""In what a slave says of itself: what it has for tasks that claim something."""

BEGUN_SHARE: Final = 0.75
"""Idle slaves begin what a silent one runs after this share of the time that it has to come back, so that their
outcomes are there when it does not."""


class SlaveBook:
    """See the module. ``window_total`` is how many tasks the slaves want to hold together.

    :param return_s: how long after its last word a silent slave may come back with what it runs.
    """

    def __init__(self, return_s: float) -> None:
        self._return_s = return_s
        self.slaves: dict[int, SlaveRecord] = {}
        self.window_total = 0
        self._report_count = 0
        self._silence = Silence()

    def join(self, event: SlaveJoined) -> SlaveRecord:
        """Take in a slave."""
        self.window_total += event.window
        slave = self.slaves[event.slave] = SlaveRecord(
            event.slave,
            event.name,
            event.workers,
            event.window,
            wanted_window=event.window,
            data=event.data,
            returns=event.returns,
            offers=offers_of(event.data.get(RESOURCES), event.workers),
        )
        return slave

    def lose(self, key: int) -> SlaveRecord | None:
        """Take out a slave; None if there is no such."""
        slave = self.slaves.pop(key, None)
        if slave is not None:
            self.window_total -= slave.window
        return slave

    def settle(self, slave: SlaveRecord) -> None:
        """Have a slave hold up to as many tasks as it wants, or no more if it may not have any."""
        window = slave.wanted_window if slave.may_have_more else 0
        self.window_total += window - slave.window
        slave.window = window

    def window_wanted(self, slave: SlaveRecord, window: int) -> list[Command]:
        """Take note of how many tasks a slave wants to hold; it may have been taken for silent."""
        slave.wanted_window = window
        commands = self.heard(slave)
        self.settle(slave)
        return commands

    def heard(self, slave: SlaveRecord) -> list[Command]:
        """Take note that a slave says something of its tasks; it may have been taken for silent."""
        slave.is_heard = True
        if not slave.is_silent:
            return []
        slave.is_silent = False
        self.settle(slave)
        return [SlaveHeard(slave.slave)]

    def silent(self, slave: SlaveRecord) -> list[Command]:
        """Have a slave get no more tasks until something is heard of it."""
        if slave.is_silent:
            return []
        slave.is_silent = True
        self.settle(slave)
        return [SlaveSilent(slave.slave, len(slave.held))]

    def reported(self, slave: SlaveRecord) -> list[Command]:
        """Take note that a slave has brought outcomes; it may have been taken for silent."""
        self._report_count += 1
        slave.reported_at = self._report_count
        slave.is_heard = True
        return self.heard(slave) if slave.is_silent else []

    def look_for_silent(self, now: float) -> list[Command]:
        """Have slaves that hold tasks and report nothing get no more of them, until they do.

        :param now: the time, in seconds since any fixed instant.
        """
        commands: list[Command] = []
        for slave in self._silence.look(self.slaves.values(), now):
            commands += self.silent(slave)
        return commands

    def to_relieve(self) -> list[SlaveRecord]:
        """Return silent slaves with tasks, if there is an idle one that could have these."""
        silent = [slave for slave in self.slaves.values() if slave.is_silent and slave.held]
        return silent if silent and any(slave.is_idle for slave in self.slaves.values()) else []

    def may_return(self, slave: SlaveRecord, now: float) -> bool:
        """Return whether what a silent slave runs is left to it alone: it may still come back."""
        return now - self._silence.heard_at(slave, now) < BEGUN_SHARE * self._return_s

    def silent_s(self, slave: SlaveRecord) -> float:
        """Return for how long a slave that holds tasks has said nothing, in seconds, to a second or so."""
        return self._silence.silent_s(slave)
