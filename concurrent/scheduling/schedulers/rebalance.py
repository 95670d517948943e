"""Takes waiting tasks back from the slaves that would end last, for places where they end sooner.

The same for all schedulers, used when no task is queued. It counts in seconds: a slave ends when it has done
what it holds, at the pace of its latest tasks, and a place is when one task more would be done there. One that
holds more than it wants to runs tasks that take long: nobody knows when it comes to the others. It keeps
account only while there is something to balance, and then of the slaves that changed; a move costs the
logarithm of the slaves.
"""

from __future__ import annotations

from collections import Counter
from math import inf

from concurrent.core.ranking import Ranking
from concurrent.scheduling.ledger.events import AskBack, Command
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import SlaveRecord

__all__ = ["Rebalancer"]

USUAL_S = 1.0
"""What a task is taken to last while no slave has reported any."""


class Rebalancer:
    """See the module. Tell it of every slave whose tasks or window have changed, or that is lost.

    It moves tasks only where they end sooner, promises each to the slave for which it was asked back, and
    asks a slave again only when that has changed since: so moving comes to an end, whatever rates the slaves.
    """

    def __init__(self) -> None:
        self.promised: Counter[int] = Counter()
        self._idle: set[int] = set()
        self._overfull: set[int] = set()
        self._is_on = False
        self._usual_s = USUAL_S
        self._places = Ranking()
        self._ends = Ranking()
        self._asked: set[int] = set()
        self._state_by_asked: dict[int, tuple[int, int]] = {}

    def note(self, slaves: dict[int, SlaveRecord], key: int) -> None:
        """Take note of what a slave holds now, or that it is not among ``slaves`` any more."""
        if key not in slaves:
            self._forget(key)
            return
        slave = slaves[key]
        held = len(slave.held)
        if held > slave.workers:
            self._overfull.add(key)
        elif key in self._overfull:
            self._overfull.remove(key)
        if held < slave.workers and held < slave.window and not slave.refused_count:
            self._idle.add(key)
        elif key in self._idle:
            self._idle.remove(key)
        if key in self._asked and not slave.is_asked_back:
            self._asked.remove(key)
            if self._may_ask(slave):  # it gave something; it may be asked for the same when it has that again
                del self._state_by_asked[key]
        if self._is_on:
            self._rank(slave)

    def stop(self) -> None:
        """Keep no account while tasks are queued."""
        self._is_on = False

    def fill(self, ledger: Ledger) -> list[Command]:
        """Give queued tasks to the slaves for which they were asked back, as far as those have room."""
        commands: list[Command] = []
        for key, count in list(self.promised.items()):
            queued_count = ledger.queued_count
            room = min(count, ledger.slaves[key].room)
            if room > 0 and queued_count:
                commands += ledger.assign(key, room)
                self.promised[key] -= queued_count - ledger.queued_count
            if not self.promised[key]:
                del self.promised[key]
        if not self._asked:  # all have answered: no more is coming
            self.promised.clear()
        return commands

    def ask_back(self, ledger: Ledger) -> list[Command]:
        """Ask for the tasks that would end sooner elsewhere, if there are idle workers.

        A slave is not asked again before it has answered.
        """
        if not (self._idle and self._overfull):
            return []
        slaves = ledger.slaves
        if not self._asked:
            self._break_promises(slaves)
        if not self._is_on:
            self._start(slaves)
        given: Counter[int] = Counter()
        while (place := self._places.first()) and (end := self._ends.first()) and -end[0] > place[0]:
            from_key, to_key = end[-1], place[-1]
            given[from_key] += 1
            self.promised[to_key] += 1
            self._rank_end(slaves[from_key], given[from_key])
            self._rank_place(slaves[to_key])
        commands: list[Command] = []
        for key, count in given.items():
            if ledger.ask_back(key):
                self._asked.add(key)
                self._state_by_asked[key] = _state(slaves[key])
                commands.append(AskBack(key, count))
            self._rank(slaves[key])
        return commands

    def _break_promises(self, slaves: dict[int, SlaveRecord]) -> None:
        """Count no more on what did not come."""
        keys = list(self.promised)
        self.promised.clear()
        if self._is_on:
            for key in keys:
                self._rank(slaves[key])

    def _forget(self, slave: int) -> None:
        """Count no more on a slave that is lost."""
        self._idle.discard(slave)
        self._overfull.discard(slave)
        self._asked.discard(slave)
        self._state_by_asked.pop(slave, None)
        self.promised.pop(slave, None)
        self._places.drop(slave)
        self._ends.drop(slave)

    def _start(self, slaves: dict[int, SlaveRecord]) -> None:
        """Begin to keep account."""
        self._is_on = True
        self._places.clear()
        self._ends.clear()
        known = [slave.task_s for slave in slaves.values() if slave.task_s > 0]
        self._usual_s = sum(known) / len(known) if known else USUAL_S
        for slave in slaves.values():
            self._rank(slave)

    def _rank(self, slave: SlaveRecord) -> None:
        self._rank_end(slave, 0)
        self._rank_place(slave)

    def _rank_end(self, slave: SlaveRecord, given: int) -> None:
        """Rank a slave as one to ask, when it has given away so many."""
        count = len(slave.held) - given
        if count > slave.workers and not slave.is_asked_back and self._may_ask(slave):
            is_wanted = count <= slave.window or not slave.window
            end_s = count * self._task_s(slave) / slave.workers if is_wanted else inf
            self._ends.put((-end_s, slave.slave))
        else:
            self._ends.drop(slave.slave)

    def _may_ask(self, slave: SlaveRecord) -> bool:
        """Whether a slave is worth asking: not if nothing has changed there since it was asked."""
        return self._state_by_asked.get(slave.slave) != _state(slave)

    def _rank_place(self, slave: SlaveRecord) -> None:
        """Rank a slave as one to give tasks to, behind those that it holds and was promised.

        One that refuses tasks is none: it may refuse these too.
        """
        coming = self.promised.get(slave.slave, 0)
        if slave.room > coming and not slave.refused_count:
            load = (len(slave.held) + coming + 1) / slave.workers
            self._places.put((self._task_s(slave) * max(1.0, load), slave.slave))
        else:
            self._places.drop(slave.slave)

    def _task_s(self, slave: SlaveRecord) -> float:
        return slave.task_s or self._usual_s


def _state(slave: SlaveRecord) -> tuple[int, int]:
    return slave.reported_at, len(slave.held)
