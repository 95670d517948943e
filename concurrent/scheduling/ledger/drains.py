"""Slaves that somebody wants to get nothing more, until somebody lets them take tasks again. Pure.

What such a slave has not begun goes to others. What it runs ends by itself, or, where a time was set for that,
is ended then and goes to others at no cost. It is known by its name, so it is drained when it comes back too,
and a slave that starts again under the name that its owner gave it takes its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from concurrent.scheduling.ledger.again import Again
from concurrent.scheduling.ledger.alarms import Alarm
from concurrent.scheduling.ledger.events import (
    AskBack,
    CancelRun,
    Command,
    Record,
    SlaveDrained,
    SlaveResumed,
    TasksTaken,
    TellDrained,
)
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.ledger.timetable import Timetable

__all__ = ["Drains"]

AWAY_MAX: Final = 1000
"""So many slaves are remembered that are drained and away, the latest."""


class Drains:
    """See the module. ``by_name`` has what is known of each drained slave, also of those that are away."""

    def __init__(self, places: Places, again: Again) -> None:
        self.by_name: dict[str, SlaveDrained] = {}
        self._others: dict[str, set[str]] = {}  # slaves of the given name of a drained one, that were not meant
        self._places = places
        self._again = again
        self._times: Timetable[SlaveDrained] = Timetable(places.alarms, Alarm.DRAINS, self._is_wanted)

    def told(self, event: SlaveDrained | SlaveResumed) -> None:
        """Take note of what happened before the master started."""
        if isinstance(event, SlaveResumed):
            self.by_name.pop(event.name, None)
        else:
            self._remember(event)

    def drained(self, event: SlaveDrained) -> list[Command]:
        """Have a slave get nothing more."""
        given = next((slave.given_name for slave in self._connected(event.name)), "")
        event = replace(event, given_name=given or event.given_name)
        self._remember(event)
        commands = [*self._record(event), *self._forget_oldest()]
        for slave in self._connected(event.name):
            commands += self._stop(slave, event)
            commands += self._places.pushed_lost()  # it may lie in the slave's pipe
        return commands

    def resumed(self, event: SlaveResumed) -> list[Command]:
        """Have a slave take tasks again."""
        drain = self.by_name.pop(event.name, None)
        if drain is None:
            return []
        if not any(one.given_name == drain.given_name for one in self.by_name.values()):
            self._others.pop(drain.given_name, None)
        commands = self._record(event)
        for slave in self._connected(event.name):
            slave.drain = None
            self._places.book.settle(slave)
            commands.append(TellDrained(slave.slave, ""))
        return commands

    def joined(self, slave: SlaveRecord, before: Collection[str], awaited: Collection[str]) -> list[Command]:
        """Go on to drain a slave that has joined, if it was drained before.

        :param before: the names of the slaves that were known before the master started.
        :param awaited: those of them that may come back.
        """
        drain = self.by_name.get(slave.name)
        if drain is not None:
            return self._stop(slave, drain)
        given = slave.given_name
        if not given:
            return []
        is_new = slave.name not in before and slave.name not in self._others.get(given, ())
        former = self._former(given, awaited) if is_new else None
        if former is None:
            if given in self._others:
                self._others[given].add(slave.name)
            return []
        return self.drained(replace(former, name=slave.name)) + self.resumed(SlaveResumed(former.name))

    def taken(self, slave: SlaveRecord, event: TasksTaken) -> list[Command]:
        """Have a drained slave drop what it took from the work queue before it heard of that."""
        places = self._places
        tasks = [places.pushed.pop(number) for number in event.numbers if number in places.pushed]
        dropped = [number for number in event.numbers if number not in slave.held]
        commands = places.renumber_all(tasks)
        places.requeue(tasks)
        return [*commands, CancelRun(event.slave, dropped)] if dropped else commands

    def look(self, now: float) -> list[Command]:
        """End what drained slaves run whose time has come.

        :param now: the time, in seconds since any fixed instant.
        """
        commands: list[Command] = []
        for drain in self._times.due(now, self._places.clock):
            if self._is_wanted(drain):
                for slave in self._connected(drain.name):
                    commands += self._again.begin(list(slave.held.values()))
        return commands

    def _is_wanted(self, drain: SlaveDrained) -> bool:
        return self.by_name.get(drain.name) is drain

    def _remember(self, drain: SlaveDrained) -> None:
        self.by_name.pop(drain.name, None)
        self.by_name[drain.name] = drain
        if given := drain.given_name:
            namesakes = {one.name for one in self._places.slaves.values() if one.given_name == given}
            self._others.setdefault(given, set()).update(namesakes - {drain.name})
        if drain.ends_at:
            self._times.add(drain, drain.ends_at - drain.at, since=drain.at)

    def _stop(self, slave: SlaveRecord, drain: SlaveDrained) -> list[Command]:
        """Give a slave nothing more, and have it hand back what it has not begun."""
        slave.drain = drain
        self._places.book.settle(slave)
        commands: list[Command] = [TellDrained(slave.slave, drain.by)]
        if slave.held:
            slave.is_asked_back = True
            commands.append(AskBack(slave.slave, len(slave.held)))
        return commands

    def _connected(self, name: str) -> Iterator[SlaveRecord]:
        """Yield the sessions of a slave: of one that comes back the former may not be lost yet."""
        return (slave for slave in list(self._places.slaves.values()) if slave.name == name)

    def _former(self, given_name: str, awaited: Collection[str]) -> SlaveDrained | None:
        """Return the drained slave of a name that is away."""
        former = (one for one in self.by_name.values() if one.given_name == given_name)
        away = (one for one in former if one.name not in awaited)
        return next((one for one in away if not any(self._connected(one.name))), None)

    def _record(self, event: SlaveDrained | SlaveResumed) -> list[Command]:
        return [Record(event)] if self._places.jobs.is_recorded else []

    def _forget_oldest(self) -> list[Command]:
        if len(self.by_name) <= AWAY_MAX:
            return []
        here = {slave.name for slave in self._places.slaves.values()}
        away = [name for name in self.by_name if name not in here]
        commands: list[Command] = []
        for name in away[: max(0, len(away) - AWAY_MAX)]:
            commands += self.resumed(SlaveResumed(name))
        return commands
