"""Which application may have how many of a pool's places, a place being the right to have one task run. Pure.

Each has an account of the time of workers that it has used. A free place goes to the application that has the
fewest, or has used least. Nobody is interrupted: one that has too many gets nothing more at some of its
workers, and others get their places when the tasks there have ended. An application has too many

- at once where it has two places more than one that has not used more time,
- after a slice of time where it has one more, so that places do not go to and fro, and
- however many each has, where another one is far behind: who was away for a while gets first what it did not
  use, which makes short jobs soon done beside a flood.

Nobody counts as further behind than a credit, and so cannot save up more. (Virtual time with a bound on lag, as
in fair queueing.)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

__all__ = ["CREDIT_S", "SLICE_S", "Claim", "divide"]

SLICE_S: Final = 0.01
"""How much longer workers must have worked for one application than for another to change hands."""

CREDIT_S: Final = 0.02
"""How far, for each place, an application that was away may count as behind others."""

_used_s = attrgetter("used_s")
_places = attrgetter("places")


@dataclass(slots=True, eq=False)
class Claim:
    """What one application that has tasks in the pool has of it and could use.

    :param used_s: the time of workers that it has used, in seconds; raised to the bound by :func:`divide`.
    :param wanted: how many places it could use.
    :param places: how many it has; :func:`divide` sets it to how many it may have.
    """

    used_s: float
    wanted: int
    places: int


def divide(size: int, claims: Sequence[Claim]) -> None:
    """Set the ``places`` of all claims to what each application may have from now on.

    :param size: how many places there are.
    """
    credit_s = size * CREDIT_S
    least_s = max(map(_used_s, claims), default=0.0) - credit_s
    for claim in claims:
        claim.used_s = max(claim.used_s, least_s)
        claim.places = min(claim.places, claim.wanted)
    ordered = sorted(claims, key=_used_s)
    free = size - sum(claim.places for claim in claims)
    while free > 0:
        poor = min((one for one in ordered if one.places < one.wanted), key=_places, default=None)
        if poor is None:
            return
        poor.places += 1
        free -= 1
    while (change := _next_change(ordered, credit_s)) is not None:
        rich, poor = change
        rich.places -= 1
        poor.places += 1


def _next_change(ordered: Sequence[Claim], credit_s: float) -> tuple[Claim, Claim] | None:
    """Return who has to give a place, and to whom; None if nobody has to.

    :param ordered: the claims; those that have used least come first.
    """
    refused = sys.maxsize  # who has as many places as somebody that comes first, and gets nothing, gets nothing
    for poor in ordered:
        if poor.places < min(poor.wanted, refused):
            for rich in reversed(ordered):
                if _gives(rich, poor, credit_s):
                    return rich, poor
            refused = poor.places
    return None


def _gives(rich: Claim, poor: Claim, credit_s: float) -> bool:
    """Tell whether one application has to give a place to another one."""
    lag_s = rich.used_s - poor.used_s
    more = rich.places - poor.places
    return (
        rich is not poor
        and rich.places > 0
        and ((more >= 2 and lag_s >= 0) or (more >= 1 and lag_s >= SLICE_S) or lag_s >= credit_s / 2)
    )
