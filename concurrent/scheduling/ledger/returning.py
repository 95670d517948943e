"""Slaves that may come back with what they hold, in this run of the master or from the one before. Pure.

A slave that is cut off goes on with what it runs. If its session outlives that, it is silent meanwhile. If it
comes back with another session, it says what it has (``SlaveHolding``), and has that again, if it was given it:
nobody gets hold of a task by saying so. After a start nothing is known of who holds what, so tasks from before
are given to nobody until all known slaves are back, or a short while has passed; these are taken at their word.
"""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.drains import Drains
from concurrent.scheduling.ledger.events import (
    CancelRun,
    Command,
    Record,
    SlaveAway,
    SlaveBack,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlavesGone,
)
from concurrent.scheduling.ledger.lifetimes import Lifetimes
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.states import TaskState

__all__ = ["AWAITED_S", "Returning"]

AWAITED_S: Final = 5.0
"""So long after a start tasks from before wait for the slaves that were known then."""

LOOK_S: Final = 1.0

PROCESS: Final = "process"
"""In what a slave says of itself: what stands for its process, see ``core/process/identity.py``."""


class Returning:
    """See the module. ``is_waiting`` says whether tasks from before a start may not be given out yet.

    :param return_s: how long after a start slaves are known that have not come back.
    """

    def __init__(self, places: Places, lifetimes: Lifetimes, drains: Drains, return_s: float) -> None:
        self.is_waiting = False
        self._places = places
        self._lifetimes = lifetimes
        self._drains = drains
        self._return_s = return_s
        self._awaited: dict[str, list[int]] = {}  # the numbers that slaves had before the start, by their names
        self._names_before: set[str] = set()
        self._number_before_max = 0
        self._process_by_name: dict[str, str] = {}
        self._started_at: float | None = None

    def told(self, event: SlaveJoined | SlaveLost) -> None:
        """Take note of a slave that was known, or was lost, before the master started."""
        if isinstance(event, SlaveJoined):
            self._names_before.add(event.name)
            self._awaited.setdefault(event.name, []).append(event.slave)
            self._process_by_name[event.name] = str(event.data.get(PROCESS, ""))
            return
        for name, numbers in list(self._awaited.items()):
            if event.slave in numbers:
                numbers.remove(event.slave)
                if not numbers:
                    del self._awaited[name]

    def begin(self) -> None:
        """Wait for the slaves that were known before the start, if there were any."""
        self._number_before_max = max(self._places.task_by_number, default=0)
        self.is_waiting = bool(self._awaited)
        if self._awaited:
            self._places.alarms.set(Alarm.RETURNS, 0.0)

    def joined(self, event: SlaveJoined) -> list[Command]:
        """Take in a slave."""
        slave = self._places.book.join(event)
        commands = self._drains.joined(slave, self._names_before, self._awaited)
        if not event.returns or not self._places.jobs.is_recorded:
            return commands
        which = {PROCESS: event.data[PROCESS]} if PROCESS in event.data else {}
        return [Record(SlaveJoined(event.slave, event.name, 0, 0, which, returns=True)), *commands]

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
        known = places.task_by_number
        named = dict.fromkeys((*event.running, *event.finished))
        had = {number: known[number] for number in named if number in known and self._may_have(slave, number)}
        slave.brought_again.update((number, number in running) for number in event.finished if number in had)
        for number in event.finished:
            if number in had and number not in running:
                places.retries.uncount(had[number])
        stale = [number for number in event.running if number not in had]
        places.resume(slave, [task for task in had.values() if not self._takes_over(slave, task)])
        commands += self._is_back(slave.name)
        return [*commands, CancelRun(event.slave, stale)] if stale else commands

    def _may_have(self, slave: SlaveRecord, number: int) -> bool:
        """Tell whether a slave may have a task that is open: it was given it, or could take it."""
        places = self._places
        if number <= self._number_before_max and slave.name in self._names_before:
            return True  # by the master of before, perhaps
        task = places.task_by_number[number]
        holder = places.slaves.get(task.slave)
        was_its_own = holder is not None and holder.name == slave.name and number in holder.held
        return was_its_own or task.state is TaskState.PUSHED or places.is_with(slave, number)

    def _takes_over(self, slave: SlaveRecord, task: TaskRecord) -> bool:
        """Give a slave a task that it has, if the master thinks it is with an earlier session of the slave."""
        former = self._places.slaves.get(task.slave)
        if former is None or former.name != slave.name:
            return False
        claims = self._places.claims
        del former.held[task.number]
        claims.release(former, [task])
        task.slave = slave.slave
        slave.held[task.number] = task
        claims.hold_all(slave, [task])
        return True

    def lost(self, event: SlaveLost) -> list[Command]:
        """Give the tasks of a slave to others; it may go on with them all the same."""
        places = self._places
        slave = places.book.lose(event.slave)
        if slave is None:
            return []
        commands = places.pushed_lost()  # it may lie in the lost slave's pipe
        places.move(slave, list(slave.held.values()))
        is_recorded = slave.returns and places.jobs.is_recorded
        return [*commands, Record(SlaveLost(event.slave, ""))] if is_recorded else commands

    @property
    def awaited(self) -> dict[str, str]:
        """The names of the slaves that were known before the start and are not back, and what stands for the
        process of each, if it said that."""
        return {name: self._process_by_name[name] for name in self._awaited}

    def gone(self, event: SlavesGone) -> list[Command]:
        """Await slaves of these names no more."""
        return [command for name in event.names for command in self._is_back(name)]

    def look(self, now: float) -> list[Command]:
        """Await slaves no more that have not come back in time.

        :param now: the time, in seconds since any fixed instant.
        """
        if not self._awaited:
            return []
        started_at = self._started_at = now if self._started_at is None else self._started_at
        if now - started_at >= AWAITED_S:
            self._release()
        if now - started_at >= self._return_s:
            return self.gone(SlavesGone(list(self._awaited)))
        self._places.alarms.set(Alarm.RETURNS, LOOK_S)
        return []

    def _is_back(self, name: str) -> list[Command]:
        """Await a slave no more; when all are back, tasks from before the start may be given out."""
        commands: list[Command] = [Record(SlaveLost(one, "")) for one in self._awaited.pop(name, ())]
        if not self._awaited:
            self._release()
        return commands

    def _release(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self._lifetimes.slaves_are_back()
