"""Tasks that claim what no slave could ever meet, as far as slaves have joined. Pure; the ledger owns it.

Owners are told at once, for such a task may wait for ever: mostly a name is misspelt, or a machine was not
started. Where a master is set to that, tasks fail that have waited so for a while.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf
from typing import Final

from concurrent.core.nearest import nearest
from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.events import Command, FailInfeasible, TellInfeasible
from concurrent.scheduling.ledger.lanes import LaneGroup
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.tasks.claim import CPU, GPU, MEMORY, UNIT, Claim, shown_amount

__all__ = ["FAIL_S", "Infeasible", "shortfall"]

FAIL_S: Final = 30.0
"""So long tasks wait for a slave that could meet their claim before they fail, where they do."""

USUAL: Final = (CPU, GPU, MEMORY)
"""Names that have a meaning, whether a slave has any of it or not."""

LIKENESS_MIN: Final = 0.75
"""From this on a name is taken for a misspelt one: below it are a tpu and a gpu."""


class Infeasible:
    """See the module.

    :param fails: whether tasks fail that wait for long.
    """

    def __init__(
        self, claims: Claims, slaves: Mapping[int, SlaveRecord], alarms: Alarms, *, fails: bool
    ) -> None:
        self._claims = claims
        self._slaves = slaves
        self._alarms = alarms
        self.fails = fails
        self._able_by_claim: dict[Claim, int] = {}  # a slave that could meet it
        self._since: dict[tuple[int, Claim], float] = {}  # the owners that were told, and when

    def waits(self, claim: Claim) -> None:
        """Take note that tasks with a claim wait: it is looked at, if that is not known to be possible."""
        if self._able_by_claim.get(claim) not in self._slaves:
            self._alarms.set(Alarm.CLAIMS, 0.0)

    def look(self, now: float) -> list[Command]:
        """Tell the owners of tasks that no slave could meet, or have these fail. Call it every second, too.

        :param now: the time, in seconds since any fixed instant.
        """
        since, self._since = self._since, {}
        able, self._able_by_claim = self._able_by_claim, {}
        commands: list[Command] = []
        for queue in self._claims.waiting:
            groups = queue.groups
            claim = groups[0].claim
            number = able.get(claim, 0)
            if number not in self._slaves:
                number = self._able_slave(claim)
            if number or not self._slaves:
                self._able_by_claim[claim] = number
                continue
            for group in groups:
                commands += self._told(group, since.get((group.owner.owner, claim), inf), now)
        return commands

    def _able_slave(self, claim: Claim) -> int:
        """Return the number of a slave that could meet a claim, 0 if there is none."""
        if not self._claims.are_tokens_enough(claim):
            return 0
        could = self._claims.could
        return next((slave.slave for slave in self._slaves.values() if could(slave, claim)), 0)

    def _told(self, group: LaneGroup, since: float, now: float) -> list[Command]:
        owner = group.owner.owner
        if since == inf:
            self._since[owner, group.claim] = now
            why = shortfall(group.claim, self._slaves, self._claims.tokens)
            return [TellInfeasible(owner, group.count, why, fails=self.fails)]
        if self.fails and now - since >= FAIL_S:
            numbers = [task.number for lane in group for task in lane.waiting()]
            return [FailInfeasible(numbers, shortfall(group.claim, self._slaves, self._claims.tokens))]
        self._since[owner, group.claim] = since
        return []


def shortfall(claim: Claim, slaves: Mapping[int, SlaveRecord], tokens: Mapping[str, int]) -> str:
    """Return what is missing for a claim that no slave could meet, in words."""
    missing: list[str] = []
    known = set(USUAL).union(tokens, *(slave.offers for slave in slaves.values()))
    for name, units in ((CPU, claim.cpu * UNIT), *(one for one in claim if one[0] != CPU)):
        most = tokens.get(name, max((slave.offers.get(name, 0) for slave in slaves.values()), default=0))
        if units > most:
            if name in tokens:
                has = f"there is {shown_amount(name, most)} in all"
            elif most:
                has = f"the most that a slave has is {shown_amount(name, most)}"
            else:
                has = f"no slave has any{_meant(name, known)}"
            missing.append(f"{name}={shown_amount(name, units)}: {has}")
    return "; ".join(missing) or f"{claim}: some slaves have one part of it and some another, none has all"


def _meant(name: str, known: Collection[str]) -> str:
    """Return a question with the name that was meant, if nobody knows this one and another is much like it."""
    singular = name.removeprefix("num_").removeprefix("n_").removesuffix("s")
    near = "" if name in known else nearest(singular, sorted(known), LIKENESS_MIN)
    return f" (did you mean {near}?)" if near else ""
