"""Slaves whose tasks wait for them: those that were cut off, and those from before the master started. Pure.

A slave that is cut off goes on with what it holds. When it is back, under another number but the same name, it
says what that is (``SlaveHolding``), and has it again; what it does not have goes to others. One that does not
come back in time is given up. After a start nothing is known of who holds what, so tasks from before are given
to nobody until all known slaves are back, or a short while has passed.
"""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.events import (
    CancelRun,
    Command,
    Record,
    SlaveAway,
    SlaveBack,
    SlaveForgotten,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlavesGone,
)
from concurrent.scheduling.ledger.lifetimes import Lifetimes
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import SlaveRecord

__all__ = ["AWAITED_S", "Returning"]

AWAITED_S: Final = 5.0
"""So long after a start tasks from before wait for the slaves that were known then."""

LOOK_S: Final = 1.0


class Returning:
    """See the module. ``is_waiting`` says whether tasks from before a start may not be given out yet.

    :param return_s: how long after a start slaves are known that have not come back.
    """

    def __init__(self, places: Places, lifetimes: Lifetimes, return_s: float) -> None:
        self.is_waiting = False
        self._places = places
        self._lifetimes = lifetimes
        self._return_s = return_s
        self._awaited: dict[str, list[int]] = {}  # the numbers that slaves had before the start, by their names
        self._started_at: float | None = None
        self._away: dict[str, SlaveRecord] = {}  # by their names
        self._away_since: dict[int, float] = {}

    def told(self, event: SlaveJoined | SlaveLost) -> None:
        """Take note of a slave that was known, or was lost, before the master started."""
        if isinstance(event, SlaveJoined):
            self._awaited.setdefault(event.name, []).append(event.slave)
            return
        for name, numbers in list(self._awaited.items()):
            if event.slave in numbers:
                numbers.remove(event.slave)
                if not numbers:
                    del self._awaited[name]

    def begin(self) -> None:
        """Wait for the slaves that were known before the start, if there were any."""
        self.is_waiting = bool(self._awaited)
        if self._awaited:
            self._places.alarms.set(Alarm.RETURNS, 0.0)

    def joined(self, event: SlaveJoined) -> list[Command]:
        """Take in a slave."""
        self._places.book.join(event)
        if not event.returns or not self._places.jobs.is_recorded:
            return []
        return [Record(SlaveJoined(event.slave, event.name, 0, 0, returns=True))]

    def away(self, event: SlaveAway) -> list[Command]:
        """Give a slave nothing more while nothing arrives from it; what it runs waits for it."""
        places = self._places
        slave = places.slaves.get(event.slave)
        commands = places.book.silent(slave) if slave is not None else []
        if commands:
            commands += places.pushed_lost()  # it may lie in the slave's pipe
        return commands

    def back(self, event: SlaveBack) -> list[Command]:
        """Go on with a slave whose session has outlived its absence."""
        slave = self._places.slaves.get(event.slave)
        return self._places.book.heard(slave) if slave is not None else []

    def holding(self, event: SlaveHolding) -> list[Command]:
        """Take what a slave has from an earlier session as held by it; it drops what is not open any more."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            return []
        commands = places.book.heard(slave)
        running = set(event.running)
        slave.brought_again.update((number, number in running) for number in event.finished)
        former = self._away.get(slave.name)
        known = places.task_by_number
        stale = [number for number in event.running if number not in known]
        named = dict.fromkeys((*event.running, *event.finished))
        tasks = [known[number] for number in named if number in known]
        if former is not None:
            for task in tasks:
                if former.held.pop(task.number, None) is not None:
                    task.slave = slave.slave
                    slave.held[task.number] = task
        places.resume(slave, [task for task in tasks if task.slave != slave.slave])
        if former is not None:
            commands += self._forget(former)
        commands += self._is_back(slave.name)
        return [*commands, CancelRun(event.slave, stale)] if stale else commands

    def lost(self, event: SlaveLost) -> list[Command]:
        """Give the tasks of a slave to others, or have them wait for it."""
        places = self._places
        slave = places.slaves.get(event.slave)
        if slave is None:
            return []
        commands = places.pushed_lost()  # it may lie in the lost slave's pipe
        if event.return_s > 0 and slave.held:
            slave.return_s = event.return_s
            slave.is_asked_back = True  # nobody asks it
            places.book.set_window(slave, 0)
            self._away[slave.name] = slave
            places.alarms.set(Alarm.RETURNS, 0.0)
            return commands
        self._away.pop(slave.name, None)
        places.move(slave, list(slave.held.values()))
        places.book.lose(event.slave)
        return commands + self._lost(slave)

    def gone(self, event: SlavesGone) -> list[Command]:
        """Wait no more for slaves of these names."""
        commands: list[Command] = []
        for name in event.names:
            if name in self._away:
                commands += self._give_up(self._away[name])
            commands += self._is_back(name)
        return commands

    def look(self, now: float) -> list[Command]:
        """Give up slaves that have not come back in time.

        :param now: the time, in seconds since any fixed instant.
        """
        commands: list[Command] = []
        if self._awaited:
            started_at = self._started_at = now if self._started_at is None else self._started_at
            if now - started_at >= AWAITED_S:
                self._release()
            if now - started_at >= self._return_s:
                for name in list(self._awaited):
                    commands += self._is_back(name)
        for slave in list(self._away.values()):
            since = self._away_since.setdefault(slave.slave, now)
            if now - since >= slave.return_s:
                commands += self._give_up(slave)
        if self._awaited or self._away:
            self._places.alarms.set(Alarm.RETURNS, LOOK_S)
        return commands

    def _give_up(self, slave: SlaveRecord) -> list[Command]:
        """Give the tasks of a slave to others that does not come back; it may go on with them all the same."""
        count = len(slave.held)
        self._places.move(slave, list(slave.held.values()))
        return self._forget(slave, count)

    def _forget(self, slave: SlaveRecord, moved_count: int = 0) -> list[Command]:
        """Know a slave no more that was away; what it still holds is queued again."""
        rest = list(slave.held.values())
        slave.held.clear()
        self._places.requeue(rest)
        self._places.book.lose(slave.slave)
        del self._away[slave.name]
        self._away_since.pop(slave.slave, None)
        forgotten = SlaveForgotten(slave.slave, slave.name, moved_count + len(rest))
        return [*self._lost(slave), forgotten]

    def _is_back(self, name: str) -> list[Command]:
        """Await a slave no more; when all are back, tasks from before the start may be given out."""
        commands: list[Command] = [Record(SlaveLost(one, "")) for one in self._awaited.pop(name, ())]
        if not self._awaited:
            self._release()
        return commands

    def _lost(self, slave: SlaveRecord) -> list[Command]:
        is_recorded = slave.returns and self._places.jobs.is_recorded
        return [Record(SlaveLost(slave.slave, ""))] if is_recorded else []

    def _release(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self._lifetimes.slaves_are_back()
