"""Keeps a slave free for tasks that claim so much that smaller ones overtake them again and again. Pure.

What is smaller fits sooner whenever something ends. So a claim that was overtaken often has a slave to itself:
it is given no task that claims some of the same, until this one fits. There is one such slave at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.offers import demand_of
from concurrent.scheduling.tasks.claim import CPU, NO_CLAIM, Claim

__all__ = ["Reservation"]

OVERTAKEN_MAX: Final = 100
"""A claim has a slave to itself when so many tasks were given away that claim some of the same."""


class Reservation:
    """See the module. ``slave`` is the number of the slave that is kept free for ``claim``, 0 if none is."""

    def __init__(self) -> None:
        self.slave = 0
        self.claim: Claim = NO_CLAIM
        self._overtaken: Counter[Claim] = Counter()

    def bars(self, slave: int, claim: Claim) -> bool:
        """Return whether a slave is given no tasks with this claim."""
        return slave == self.slave and claim != self.claim and _compete(claim, self.claim)

    def look(self, ledger: Ledger, blocked: Collection[Claim], given: Mapping[Claim, int]) -> int:
        """Take note of a turn, and begin or end to keep a slave free; return its number then, else 0.

        :param blocked: claims that fitted nowhere.
        :param given: how many tasks were given away, by what they claim.
        """
        for claim in given:
            self._overtaken.pop(claim, None)
        for claim in blocked:
            if claim not in given:
                self._overtaken[claim] += sum(n for other, n in given.items() if _compete(claim, other))
        if self.slave:
            return 0 if self._is_wanted(ledger) and self.claim not in given else self._end()
        return self._begin(ledger) if self._overtaken else 0

    def _is_wanted(self, ledger: Ledger) -> bool:
        """Tell whether the slave may still get a task with the claim for which it is kept free."""
        queue, slave = ledger.queue.by_claim.get(self.claim), ledger.slaves.get(self.slave)
        return queue is not None and queue.count > 0 and slave is not None and slave.window > 0

    def _begin(self, ledger: Ledger) -> int:
        """Keep a slave free for the claim that was overtaken most, of those that a slave could meet."""
        waiting = ledger.queue.by_claim
        if len(self._overtaken) > 2 * len(waiting):
            self._overtaken = Counter({one: n for one, n in self._overtaken.items() if one in waiting})
        often = [
            claim for claim, count in self._overtaken.items() if count >= OVERTAKEN_MAX and claim in waiting
        ]
        for claim in sorted(often, key=self._overtaken.__getitem__, reverse=True):
            slaves = ledger.slaves.values()
            could = (slave for slave in slaves if slave.window > 0 and ledger.claims.could(slave, claim))
            best = min(could, key=lambda slave: (slave.claimed.places, slave.slave), default=None)
            if best is not None:
                self.slave, self.claim = best.slave, claim
                return best.slave
        return 0

    def _end(self) -> int:
        slave, self.slave = self.slave, 0
        self.claim = NO_CLAIM
        return slave


def _compete(one: Claim, other: Claim) -> bool:
    """Return whether two claims ask for some of the same; places count only if one asks for several."""
    several = demand_of(one).places > 1 or demand_of(other).places > 1
    return several or not {*one.names()}.isdisjoint({*other.names()} - {CPU})
