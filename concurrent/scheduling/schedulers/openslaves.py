"""The slaves with room, the one first that shall have the next task. A pure module.

Those with an idle worker come first, unless the strategy weighs the load itself, then the rating decides, then
the load, then the number. A change costs the logarithm of the slaves with room, once for each terms that the
strategy sees.
"""

from __future__ import annotations

from typing import Any, Final

from concurrent.core.ranking import Ranking
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.schedulers.rating import Rating
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

__all__ = ["OpenSlaves", "OpenSlavesByTerms"]

RANKINGS_MAX: Final = 16
"""For so many terms the slaves are kept ranked."""


class OpenSlaves:
    """See the module. For a strategy that does not see what tasks ask for: one ranking for all."""

    def __init__(self, rating: Rating) -> None:
        self._rating = rating
        self._ranking = Ranking()

    def __len__(self) -> int:
        return len(self._ranking)

    def put(self, slave: SlaveRecord) -> None:
        """Rank a slave that has room."""
        rating = self._rating
        if rating.is_load_weighed:
            self._ranking.put((-rating.rate(slave, DEFAULT_TERMS), slave.slave))
        else:
            self._ranking.put(self._entry(slave, DEFAULT_TERMS))

    def drop(self, key: int) -> None:
        """Rank a slave no more: it is lost, or has no room."""
        self._ranking.drop(key)

    def first(self, lane: Lane | None) -> int | None:
        """Return the slave for the next task of a lane; None if there is none with room."""
        entry = self._ranking.first()
        return None if entry is None else entry[-1]

    def _entry(self, slave: SlaveRecord, terms: Terms) -> tuple[Any, ...]:
        """Return what a ranking has least of for the best slave."""
        worth = self._rating.rate(slave, terms)
        if self._rating.is_load_weighed:
            return (-worth, slave.slave)
        held = len(slave.held)
        return (held >= slave.workers, -worth, held / slave.workers, slave.slave)


class OpenSlavesByTerms(OpenSlaves):
    """See the module. For a strategy that sees what tasks ask for: a ranking for each terms."""

    def __init__(self, rating: Rating) -> None:
        super().__init__(rating)
        self._slaves: dict[int, SlaveRecord] = {}
        self._ranking_by_terms: dict[Terms, Ranking] = {}

    def __len__(self) -> int:
        return len(self._slaves)

    def put(self, slave: SlaveRecord) -> None:
        """Rank a slave that has room."""
        self._slaves[slave.slave] = slave
        for terms, ranking in self._ranking_by_terms.items():
            ranking.put(self._entry(slave, terms))

    def drop(self, key: int) -> None:
        """Rank a slave no more: it is lost, or has no room."""
        if self._slaves.pop(key, None) is not None:
            for ranking in self._ranking_by_terms.values():
                ranking.drop(key)

    def first(self, lane: Lane | None) -> int | None:
        """Return the slave for the next task of a lane; None if there is none with room."""
        terms = DEFAULT_TERMS if lane is None else lane.terms
        ranking = self._ranking_by_terms.get(terms)
        if ranking is None:
            if len(self._ranking_by_terms) >= RANKINGS_MAX:
                del self._ranking_by_terms[next(iter(self._ranking_by_terms))]
            ranking = self._ranking_by_terms[terms] = Ranking()
            for slave in self._slaves.values():
                ranking.put(self._entry(slave, terms))
        entry = ranking.first()
        return None if entry is None else entry[-1]
