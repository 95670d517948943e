"""What slaves have for tasks with claims, and how many of these it is enough for. Pure functions.

Amounts are units as in ``tasks/claim.py``: bytes of memory, thousandths of everything else. Where a task asks
for less than one of something, such as a device, it has a part of one: 0.4 fits twice on each.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from concurrent.scheduling.tasks.claim import CPU, MEMORY, UNIT, Claim, is_resource

__all__ = ["MANY", "fitting", "offers_of", "taken"]

MANY: Final = 1 << 30
"""More tasks than any slave has: what a claim of nothing fits."""


def offers_of(resources: Any, workers: int) -> dict[str, int]:
    """Return what a slave offers, in units by name: a ``cpu`` for each worker, and what it says besides.

    :param resources: what it says of itself, which nobody has checked: amounts by name, memory in bytes.
    """
    offers: dict[str, int] = {}
    for name, amount in resources.items() if isinstance(resources, Mapping) else ():
        is_amount = isinstance(amount, (int, float)) and not isinstance(amount, bool) and isfinite(amount)
        if is_resource(name) and is_amount and amount > 0:
            offers[name] = int(amount) if name == MEMORY else round(amount * UNIT)
    offers[CPU] = workers * UNIT
    return offers


def taken(claimed: Mapping[Claim, int], name: str) -> int:
    """Return how many units of something tasks take together.

    :param claimed: how many tasks there are with each claim.
    """
    return sum(claim.units(name) * count for claim, count in claimed.items())


def fitting(claim: Claim, offers: Mapping[str, int], claimed: Mapping[Claim, int], share: float = 1.0) -> int:
    """Return how many tasks with a claim fit beside others; less than 0 if even these are too many.

    Places are not looked at: each task takes one at least, whatever it claims.

    :param claimed: how many of the others there are with each claim.
    :param share: so many times what a slave has, of everything.
    """
    count = MANY
    for name, units in claim:
        if name == CPU:
            continue
        offered = offers.get(name, 0)
        fit = (int(offered * share) - taken(claimed, name)) // units
        if units < UNIT and name != MEMORY:  # parts of something do not reach from one to the next
            fit = min(fit, int(offered // UNIT * share) * (UNIT // units) - claimed.get(claim, 0))
        count = min(count, fit)
    return count
