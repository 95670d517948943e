"""Tasks that claim what no slave could ever meet, as far as slaves have joined. Pure; the ledger owns it.

Owners are told at once, for such a task may wait for ever: mostly a name is misspelt, or a machine was not
started. Where a master is set to that, tasks fail that have waited so for a while.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from concurrent.core.nearest import nearest
from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.claims import Claims
from concurrent.scheduling.ledger.events import Command, FailInfeasible, TellInfeasible
from concurrent.scheduling.ledger.lanes import LaneGroup
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.tasks.claim import CPU, GPU, MEMORY, UNIT, Claim, shown_amount

__all__ = ["FAIL_S", "TOLD_MAX", "Infeasible", "shortfall"]

FAIL_S: Final = 30.0
"""So long tasks wait for a slave that could meet their claim before they fail, where they do."""

USUAL: Final = (CPU, GPU, MEMORY)
"""Names that have a meaning, whether a slave has any of it or not."""

LIKENESS_MIN: Final = 0.75
"""From this on a name is taken for a misspelt one: below it are a tpu and a gpu."""


TOLD_MAX: Final = 8
"""An owner is told of so many claims a second, of others later: each task may claim something else."""


class _Told(NamedTuple):
    """When an owner was told that no slave could meet a claim, and what is missing."""

    at: float
    why: str


class Infeasible:
    """See the module. A claim is looked at when tasks with it come, and every second; what is known of one by
    then costs a look-up, however many slaves there are.

    :param fails: whether tasks fail that wait for long.
    """

    def __init__(
        self, claims: Claims, slaves: Mapping[int, SlaveRecord], alarms: Alarms, *, fails: bool
    ) -> None:
        self.fails = fails
        self._claims = claims
        self._slaves = slaves
        self._alarms = alarms
        self._new: dict[Claim, None] = {}
        self._able_by_claim: dict[Claim, int] = {}  # a slave that could meet it
        self._unable: set[Claim] = set()  # those that no slave can meet
        self._most: dict[str, int] = {}  # what any slave has ever offered, in units by name
        self._told: dict[tuple[int, Claim], _Told] = {}
        self._told_count: Counter[int] = Counter()  # of each owner, in this second

    def __contains__(self, claim: Claim) -> bool:
        """Tell whether tasks with a claim wait that no slave could meet, as far as it was looked at."""
        return claim in self._unable

    def waits(self, claim: Claim) -> None:
        """Take note that tasks with a claim wait: it is looked at, if that is not known to be possible."""
        if self._able_by_claim.get(claim) not in self._slaves:
            self._new[claim] = None
            self._alarms.set(Alarm.CLAIMS, 0.0)

    def joined(self, slave: SlaveRecord) -> None:
        """Take note of a slave, which may meet what none could."""
        for name, units in slave.offers.items():
            self._most[name] = max(units, self._most.get(name, 0))
        self._unable = {claim for claim in self._unable if not self._could(slave, claim)}

    def look_at_new(self, now: float) -> list[Command]:
        """Tell the owners of tasks that have come, and that no slave could meet.

        :param now: the time, in seconds since any fixed instant.
        """
        new, self._new = self._new, {}
        waiting = self._claims.waiting
        return [
            one
            for claim in new
            if claim in waiting
            for one in self._look_at(claim, waiting[claim], self._told, now)
        ]

    def look(self, now: float) -> list[Command]:
        """Tell the owners of tasks that no slave could meet, or have these fail. Call it every second.

        :param now: the time, in seconds since any fixed instant.
        """
        waiting = self._claims.waiting
        self._new.clear()
        self._told_count.clear()
        told, self._told = self._told, {}
        self._able_by_claim = {one: able for one, able in self._able_by_claim.items() if one in waiting}
        self._unable = {one for one in self._unable if one in waiting} if self._slaves else set()
        return [one for claim, queue in waiting.items() for one in self._look_at(claim, queue, told, now)]

    def _look_at(
        self, claim: Claim, queue: TaskQueue, told: Mapping[tuple[int, Claim], _Told], now: float
    ) -> list[Command]:
        """Look at what waits with one claim.

        :param told: which owners were told before.
        """
        if claim not in self._unable:
            number = self._able_by_claim.get(claim, 0)
            if number not in self._slaves:
                number = self._able_slave(claim)
            if number or not self._slaves:
                self._able_by_claim[claim] = number
                return []
            self._unable.add(claim)
        commands: list[Command] = []
        for group in queue.groups:
            commands += self._tell(group, told.get((group.owner.owner, claim)), now)
        return commands

    def _able_slave(self, claim: Claim) -> int:
        """Return the number of a slave that could meet a claim, 0 if there is none."""
        most = self._most
        if any(units > most.get(name, 0) for name, units in self._claims.at_slave(claim)):
            return 0
        could = self._could
        return next((slave.slave for slave in self._slaves.values() if could(slave, claim)), 0)

    def _could(self, slave: SlaveRecord, claim: Claim) -> bool:
        return self._claims.could(slave, claim) and self._claims.are_tokens_enough(claim)

    def _tell(self, group: LaneGroup, told: _Told | None, now: float) -> list[Command]:
        """Tell an owner of its tasks with a claim, if it does not know, or have them fail."""
        owner = group.owner.owner
        if told is None:
            if self._told_count[owner] >= TOLD_MAX:
                return []
            self._told_count[owner] += 1
            why = shortfall(group.claim, self._slaves, self._claims.tokens)
            self._told[owner, group.claim] = _Told(now, why)
            return [TellInfeasible(owner, group.count, why, fails=self.fails)]
        if self.fails and now - told.at >= FAIL_S:
            self._told.pop((owner, group.claim), None)
            return [FailInfeasible([task.number for lane in group for task in lane.waiting()], told.why)]
        self._told[owner, group.claim] = told
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
