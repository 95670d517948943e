"""Gives tasks with claims to the slaves that have what they claim, whichever scheduler decides on the others.

Owners take turns, by what each was given and its weight. Of an owner's tasks those with the highest priority go
first, and nothing waits for a task that has to: if no slave has what that claims, the next one is looked at.
Slaves with room are ranked for each claim, so a decision costs the logarithm of their number. A pure module.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import Final

from concurrent.core.ranking import Ranking
from concurrent.scheduling.ledger.events import Send
from concurrent.scheduling.ledger.lanes import Lane, LaneGroup
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.offers import demand_of
from concurrent.scheduling.ledger.records import JobRecord, SlaveRecord
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.schedulers.rating import Rating
from concurrent.scheduling.schedulers.reservation import Reservation
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = ["ClaimScheduler"]

CLAIMS_MAX: Final = 16
"""So many claims are looked at in one turn, others in the next ones; for as many slaves are kept ranked."""

RANKED_MAX: Final = 20_000
"""So many slaves are ranked in one turn for claims that were not looked at lately."""

_Key = tuple[Claim, Terms]


class ClaimScheduler:
    """See the module. Tell it of every slave whose tasks or window have changed, or that is lost.

    ``has_more`` says that the latest turn gave something away, and not all claims that wait were looked at.

    :param rating: says which slave is best for which terms.
    """

    def __init__(self, rating: Rating) -> None:
        self.has_more = False
        self._rating = rating
        self._ranking_by_key: dict[_Key, Ranking] = {}
        self._changed: set[int] = set()
        self._given: dict[int, float] = {}  # what each owner was given, by its weight
        self._given_least = 0.0
        self._first = 0
        self._reservation = Reservation()
        self._blocked: set[Claim] = set()  # in this turn

    @property
    def kept_free(self) -> tuple[int, Claim]:
        """The number of the slave that is kept free, 0 if none is, and for which claim."""
        return self._reservation.slave, self._reservation.claim

    def slave_changed(self, slave: int) -> None:
        """Note that the slave may have room now."""
        if self._ranking_by_key:
            self._changed.add(slave)

    def schedule(self, ledger: Ledger) -> list[Send]:
        """Give away what fits, until no slave has room for any of it."""
        for key in self._changed:
            self._rank(ledger, key)
        self._changed.clear()
        infeasible = ledger.infeasible
        waiting = [queue for claim, queue in ledger.claims.waiting.items() if claim not in infeasible]
        queues = self._next_queues(waiting, len(ledger.slaves))
        sends = self._give_out(ledger, queues)
        given: Counter[Claim] = Counter()
        for send in sends:
            given[send.terms.resources] += len(send.numbers)
        slave = self._reservation.look(ledger, self._blocked, given)
        if slave:
            self._rank(ledger, slave)
            sends += self._give_out(ledger, queues)
        self.has_more = bool(sends) and len(queues) < len(waiting)
        if len(self._given) > 2 * len(ledger.owners) + CLAIMS_MAX:
            self._given = {key: count for key, count in self._given.items() if key in ledger.owners}
        return sends

    def _give_out(self, ledger: Ledger, queues: list[TaskQueue]) -> list[Send]:
        """Give away what fits of some claims, owners by turns."""
        groups_by_owner: dict[JobRecord, list[LaneGroup]] = {}
        for queue in queues:
            for group in queue.groups:
                groups_by_owner.setdefault(group.owner, []).append(group)
        self._blocked.clear()
        sends: list[Send] = []
        while groups_by_owner:
            owner = min(groups_by_owner, key=self._given_to)
            queued_count = owner.queued_count
            sends += self._give(ledger, groups_by_owner[owner], len(groups_by_owner))
            count = queued_count - owner.queued_count
            if count:
                self._given_least = self._given_to(owner)
                self._given[owner.owner] = self._given_least + count / owner.weight
            else:
                del groups_by_owner[owner]
        return sends

    def _given_to(self, owner: JobRecord) -> float:
        """Return what an owner was given; one that has had nothing to give has saved up nothing."""
        return max(self._given_least, self._given.get(owner.owner, 0.0))

    def _next_queues(self, queues: list[TaskQueue], slave_count: int) -> list[TaskQueue]:
        """Return what is looked at in this turn: all, if these are not too many."""
        if len(queues) <= CLAIMS_MAX:
            return queues
        count = max(1, min(CLAIMS_MAX, RANKED_MAX // max(1, slave_count)))
        first = self._first % len(queues)
        self._first = first + count
        return (queues[first:] + queues[:first])[:count]

    def _give(self, ledger: Ledger, groups: list[LaneGroup], owner_count: int) -> list[Send]:
        """Give tasks of the first group for which there is room; those before it are taken out."""
        while groups:
            group = min(groups, key=attrgetter("rank"))
            sends = self._give_of(ledger, group, owner_count)
            if not sends and ledger.claims.tokens_left(group.claim) > 0:
                self._blocked.add(group.claim)
            if not (sends and group.count):
                groups.remove(group)
            if sends:
                return sends
        return []

    def _give_of(self, ledger: Ledger, group: LaneGroup, owner_count: int) -> list[Send]:
        lane = group.first()
        ranking = self._ranking(ledger, lane)
        while entry := ranking.first():
            slave = ledger.slaves.get(entry[-1])
            room = ledger.claims.room(slave, group.claim) if slave is not None else 0
            if slave is None or room <= 0:
                if ledger.claims.tokens_left(group.claim) <= 0:
                    return []
                ranking.drop(entry[-1])
                continue
            count = min(lane.count, ledger.claims.tokens_left(group.claim))
            share = min(-(-count // len(ranking)), -(-room // owner_count))
            sends = [one for one in ledger.assign(slave.slave, share, lane) if isinstance(one, Send)]
            self._rank(ledger, slave.slave)
            return sends
        return []

    def _ranking(self, ledger: Ledger, lane: Lane) -> Ranking:
        """Return the slaves with room for tasks of a lane, the best one first."""
        key = lane.claim, lane.terms if self._rating.sees_terms else DEFAULT_TERMS
        ranking = self._ranking_by_key.get(key)
        if ranking is None:
            if len(self._ranking_by_key) >= CLAIMS_MAX:
                del self._ranking_by_key[next(iter(self._ranking_by_key))]
            ranking = self._ranking_by_key[key] = Ranking()
            for slave in ledger.slaves.values():
                self._put(ledger, ranking, key, slave)
        return ranking

    def _rank(self, ledger: Ledger, number: int) -> None:
        """Rank a slave anew for each claim."""
        slave = ledger.slaves.get(number)
        for key, ranking in self._ranking_by_key.items():
            if slave is None:
                ranking.drop(number)
            else:
                self._put(ledger, ranking, key, slave)

    def _put(self, ledger: Ledger, ranking: Ranking, key: _Key, slave: SlaveRecord) -> None:
        """Rank a slave: those where a task can begin at once come first."""
        claim = ledger.claims.at_slave(key[0])
        is_free = slave.free(claim) > 0
        if self._reservation.bars(slave.slave, key[0]) or not (is_free or slave.fit(claim) > 0):
            ranking.drop(slave.slave)
            return
        held, workers = len(slave.held), slave.workers
        worth = self._rating.rate(slave, key[1])
        is_busy = held + demand_of(claim).places > workers
        ranking.put((not is_free, is_busy, -worth, held / workers, slave.slave))
