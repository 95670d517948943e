"""Tasks with claims: what waits for which, who has what, and who may have more. Pure; for the ledger.

What a slave offers counts at this slave. Tokens are what the master counts for all slaves together: a task that
claims one has it from when it is given away until it runs no more, or is to be given to another slave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from concurrent.scheduling.ledger.offers import MANY, Usage, fitting
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.tasks.claim import Claim

__all__ = ["SHORT_COUNT", "Claims"]


SHORT_COUNT: Final = 16
"""When so many tasks with a claim have ended since one ran for a while, others are taken to be short."""

LONG_MAX: Final = 1000


class Claims:
    """See the module. :meth:`room` is the one place that says whether a slave may be given more.

    ``short_until`` has the claims of tasks that ran for a while lately, and how many have to end until others
    with that claim are taken to be short.

    :param queue: where tasks wait that may be given away.
    :param tokens: how much there is of each token, in units by name.
    """

    def __init__(self, queue: TaskQueue, tokens: Mapping[str, int]) -> None:
        self.tokens = tokens
        self._names = frozenset(tokens)
        self._queue = queue
        self._given = Usage()  # of tokens
        self.short_until: dict[Claim, int] = {}

    @property
    def waiting(self) -> Mapping[Claim, TaskQueue]:
        """The claims with which tasks wait, and the queue of each."""
        by_claim = self._queue.by_claim
        for claim in [claim for claim, queue in by_claim.items() if not queue.count]:
            del by_claim[claim]  # only who looks at all of them forgets those that are empty
        return by_claim

    def at_slave(self, claim: Claim) -> Claim:
        """Return what of a claim a slave has to have: all but tokens."""
        return claim.without(self.tokens) if self.tokens else claim

    def room(self, slave: SlaveRecord, claim: Claim) -> int:
        """Return how many more tasks with a claim a slave may be given now."""
        if not claim:
            return max(0, slave.room)
        here = self.at_slave(claim)
        if here is claim:
            return max(0, slave.free(claim) if claim in self.short_until else slave.fit(claim))
        return max(0, min(slave.free(here), self.tokens_left(claim)))  # a token shall not wait at a busy slave

    def note_long(self, claim: Claim) -> None:
        """Take note that a task with a claim has run for a while: others may do so too."""
        if len(self.short_until) >= LONG_MAX:
            self.short_until.clear()
        self.short_until[claim] = SHORT_COUNT

    def tokens_left(self, claim: Claim) -> int:
        """Return for how many tasks with a claim there are tokens."""
        asked = _only(claim, self._names)
        return fitting(asked, self.tokens, self._given) if asked else MANY

    def are_tokens_enough(self, claim: Claim) -> bool:
        """Return whether there are as many tokens as a claim asks for, if nobody else had any."""
        return all(units <= self.tokens[name] for name, units in claim if name in self.tokens)

    def tokens_given(self, name: str) -> int:
        """Return how many units of a token are given away."""
        return self._given.units_by_name.get(name, 0)

    def could(self, slave: SlaveRecord, claim: Claim) -> bool:
        """Return whether a slave could ever meet a claim, if nothing else were there."""
        return slave.could(self.at_slave(claim))

    def hold(self, slave: SlaveRecord, claim: Claim, count: int) -> None:
        """Take note that a slave has so many more tasks with a claim, or fewer."""
        here = self.at_slave(claim)
        slave.claimed.change(here, count)
        if here is not claim:
            self._given.change(_only(claim, self._names), count)

    def hold_all(self, slave: SlaveRecord, tasks: Iterable[TaskRecord]) -> None:
        """Take note that a slave has these tasks too."""
        for task in tasks:
            if task.terms.resources:
                self.hold(slave, task.terms.resources, 1)

    def note_short(self, tasks: Iterable[TaskRecord]) -> None:
        """Take note that tasks have run to their ends: when enough with a claim have, since one was told to run
        for a while, others with that claim are taken to be short."""
        for task in tasks:
            left = self.short_until.get(task.terms.resources, 0)
            if left > 1:
                self.short_until[task.terms.resources] = left - 1
            elif left:
                del self.short_until[task.terms.resources]

    def release(self, slave: SlaveRecord, tasks: Iterable[TaskRecord | None]) -> None:
        """Take note that a slave has tasks no more; those that are None it has not had."""
        if slave.claimed.places:
            for task in tasks:
                if task is not None and task.terms.resources:
                    self.hold(slave, task.terms.resources, -1)

    def give_back(self, claim: Claim) -> None:
        """Take note that a slave which is lost does not run a task with a claim any more."""
        self._given.change(_only(claim, self._names), -1)


@lru_cache(maxsize=1000)
def _only(claim: Claim, names: frozenset[str]) -> Claim:
    """Return the part of a claim that names one of these."""
    return claim.without([name for name in claim.names() if name not in names])
