"""What slaves have for tasks with claims, and how many of these it is enough for. Pure functions.

Amounts are units as in ``tasks/claim.py``: bytes of memory, thousandths of everything else. Where a task asks
for less than one of something, such as a device, it has a part of one: 0.4 fits twice on each.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from concurrent.scheduling.tasks.claim import AMOUNT_MAX, CPU, MEMORY, UNIT, Claim, is_resource

__all__ = ["MANY", "NOTHING_USED", "Demand", "Usage", "demand_of", "fitting", "offers_of"]

MANY: Final = 1 << 30
"""More tasks than any slave has: what a claim of nothing fits."""


def offers_of(resources: Any, workers: int) -> dict[str, int]:
    """Return what a slave offers, in units by name: a ``cpu`` for each worker, and what it says besides.

    :param resources: what it says of itself, which nobody has checked: amounts by name, memory in bytes.
    """
    offers: dict[str, int] = {}
    for name, amount in resources.items() if isinstance(resources, Mapping) else ():
        is_amount = isinstance(amount, (int, float)) and not isinstance(amount, bool)
        if is_resource(name) and is_amount and 0 < amount <= AMOUNT_MAX:
            offers[name] = int(amount) if name == MEMORY else round(amount * UNIT)
    offers[CPU] = workers * UNIT
    return offers


class Demand(NamedTuple):
    """A claim as it is compared with offers: how many places it takes, and what besides.

    :param amounts: of each resource its name, how many units, and how many such parts are one of it, or 0.
    """

    places: int
    amounts: tuple[tuple[str, int, int], ...]


@lru_cache(maxsize=1000)
def demand_of(claim: Claim) -> Demand:
    """Return what a claim takes."""
    rest = [(name, units) for name, units in claim if name != CPU]
    parts = ((name, units, UNIT // units if units < UNIT and name != MEMORY else 0) for name, units in rest)
    return Demand(claim.cpu, tuple(parts))


class Usage:
    """What tasks claim together: how many there are with each claim, their places, and units by name."""

    __slots__ = ("count_by_claim", "places", "units_by_name")

    def __init__(self) -> None:
        self.count_by_claim: dict[Claim, int] = {}
        self.units_by_name: dict[str, int] = {}
        self.places = 0

    def change(self, claim: Claim, count: int) -> None:
        """Count so many tasks with a claim more, or fewer."""
        now = self.count_by_claim.get(claim, 0) + count
        if now:
            self.count_by_claim[claim] = now
        else:
            self.count_by_claim.pop(claim, None)
        demand = demand_of(claim)
        self.places += count * demand.places
        for name, units, _ in demand.amounts:
            self.units_by_name[name] = self.units_by_name.get(name, 0) + count * units


def fitting(claim: Claim, offers: Mapping[str, int], used: Usage, share: float = 1.0) -> int:
    """Return how many tasks with a claim fit beside others; 0 or less if none does.

    Places are not looked at: each task takes one at least, whatever it claims.

    :param used: what the others claim.
    :param share: so many times what a slave has, of everything.
    """
    count = MANY
    for name, units, parts in demand_of(claim).amounts:
        offered = offers.get(name, 0)
        most = offered // UNIT * parts if parts else offered // units  # no part lies on two devices
        if most <= 0:
            return 0
        left = (int(offered * share) - used.units_by_name.get(name, 0)) // units
        count = min(count, left, int(most * share) - used.count_by_claim.get(claim, 0))
    return count


NOTHING_USED: Final = Usage()
