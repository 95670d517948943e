"""Takes waiting tasks back from the slaves that would end last, for places where they end sooner.

The same for all schedulers, used when no task is queued. It counts in seconds: a slave ends when it has done
what it holds, at the pace of its latest tasks, and a place is when one task more would be done there. It keeps
account only while there is something to balance, and then of the slaves that changed; a move costs the
logarithm of the slaves.
"""

from __future__ import annotations

from collections import Counter

from concurrent.scheduling.events import AskBack, Command
from concurrent.scheduling.ledger import Ledger
from concurrent.scheduling.ranking import Ranking
from concurrent.scheduling.records import SlaveRecord

__all__ = ["Rebalancer"]

USUAL_S = 1.0
"""What a task is taken to last while no slave has reported any."""


class Rebalancer:
    """See the module. Tell it of every slave whose tasks or window have changed, or that is lost."""

    def __init__(self) -> None:
        self._idle: set[int] = set()
        self._overfull: set[int] = set()
        self._is_on = False
        self._usual_s = USUAL_S
        self._places = Ranking()
        self._ends = Ranking()
        self._asked: dict[int, int] = {}

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
        if held < slave.workers and held < slave.window:
            self._idle.add(key)
        elif key in self._idle:
            self._idle.remove(key)
        if key in self._asked and not slave.is_asked_back:
            del self._asked[key]
        if self._is_on:
            self._rank(slave)

    def stop(self) -> None:
        """Keep no account while tasks are queued."""
        self._is_on = False

    def ask_back(self, ledger: Ledger) -> list[Command]:
        """Ask for the tasks that would end sooner elsewhere, if there are idle workers.

        A slave is not asked again before it has answered. What was asked for gets the best places first.
        """
        if not (self._idle and self._overfull):
            return []
        if not self._is_on:
            self._start(ledger.slaves)
        places, ends = self._places, self._ends
        coming = sum(self._asked.values())
        given: Counter[int] = Counter()
        taken: Counter[int] = Counter()
        while (place := places.first()) is not None:
            if coming > 0:
                coming -= 1
            elif (end := ends.first()) is not None and -end[0] > place[0]:
                given[end[1]] += 1
                self._rank_end(ledger.slaves[end[1]], given[end[1]])
            else:
                break
            taken[place[1]] += 1
            self._rank_place(ledger.slaves[place[1]], taken[place[1]])
        commands: list[Command] = []
        for key, count in given.items():
            if ledger.ask_back(key):
                self._asked[key] = count
                commands.append(AskBack(key, count))
        for key in (*given, *taken):
            self._rank(ledger.slaves[key])
        return commands

    def _forget(self, slave: int) -> None:
        """Count no more on a slave that is lost."""
        self._idle.discard(slave)
        self._overfull.discard(slave)
        self._asked.pop(slave, None)
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
        self._rank_place(slave, 0)

    def _rank_end(self, slave: SlaveRecord, given: int) -> None:
        """Rank a slave as one to ask, when it has given away so many."""
        count = len(slave.held) - given
        if count > slave.workers and not slave.is_asked_back:
            self._ends.put(slave.slave, -count * self._task_s(slave) / slave.workers)
        else:
            self._ends.drop(slave.slave)

    def _rank_place(self, slave: SlaveRecord, taken: int) -> None:
        """Rank a slave as one to give tasks to, when so many are on the way there."""
        if slave.room > taken:
            load = (len(slave.held) + taken + 1) / slave.workers
            self._places.put(slave.slave, self._task_s(slave) * max(1.0, load))
        else:
            self._places.drop(slave.slave)

    def _task_s(self, slave: SlaveRecord) -> float:
        return slave.task_s or self._usual_s
