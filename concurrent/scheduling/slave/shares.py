"""Which crew may have how many of a pool's places, a place being the right to have one task run. Pure.

Each has an account of the time of places that it has used. Free places go to the crew that has the fewest, or
has used least. Nobody is interrupted: one that has too many gets nothing more at some of its workers, and
others get their places when the tasks there have ended. A crew has too many

- at once where it has two places more than one that has not used more time,
- after a slice of time where it has one more, so that places do not go to and fro, and
- however many each has, where another one is far behind: who was away for a while gets first what it did not
  use, which makes short jobs soon done beside a flood.

Nobody counts as further behind than a credit, and so cannot save up more. (Virtual time with a bound on lag, as
in fair queueing.)

All that counts by weight. Where a task takes several places, or something else besides, a crew gets all that
one of its workers takes, or nothing: from one other crew or from several. A device changes hands in longer
slices, because a process ends for it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from concurrent.scheduling.tasks.claim import GPU

__all__ = ["CREDIT_S", "DEVICE_SLICE_S", "SLICE_S", "Share", "divide"]

SLICE_S: Final = 0.01
"""How much longer workers must have worked for one crew than for another to change hands."""

DEVICE_SLICE_S: Final = 2.0
"""The same for a device."""

CREDIT_S: Final = 0.02
"""How far, for each place, a crew that was away may count as behind others."""

_used_s = attrgetter("used_s")


@dataclass(slots=True, eq=False)
class Share:
    """What one crew that has tasks in the pool has of it and could use.

    :param used_s: the time of places that it has used, by its weight, in seconds; raised to the bound by
        :func:`divide`.
    :param wanted: how many places it could use.
    :param places: how many it has; :func:`divide` sets it to how many it may have.
    :param weight: how many places it shall have, compared with others.
    :param unit: how many places one of its tasks takes.
    :param takes: what one of them takes besides, in units by name.
    """

    used_s: float
    wanted: int
    places: int
    weight: float = 1.0
    unit: int = 1
    takes: Mapping[str, int] = field(default_factory=dict)

    @property
    def load(self) -> float:
        """How many places it has, by its weight."""
        return self.places / self.weight

    @property
    def is_hungry(self) -> bool:
        """Whether it could use one more of what a task takes."""
        return self.places + self.unit <= self.wanted


def divide(size: int, shares: Sequence[Share], totals: Mapping[str, int] | None = None) -> None:
    """Set the ``places`` of all shares to what each crew may have from now on.

    :param size: how many places there are.
    :param totals: how much there is of everything else, in units by name.
    """
    credit_s = size * CREDIT_S
    _bound(shares, credit_s)
    for share in shares:
        if share.places > share.wanted:
            share.places = share.wanted - share.wanted % share.unit
    ordered = sorted(shares, key=_used_s)
    free = _Free(size, shares, totals or {})
    while free.places > 0:
        hungry = [one for one in ordered if one.is_hungry and free.fits(one)]
        if not hungry:
            break
        poor = min(hungry, key=attrgetter("load"))
        free.give(poor)
    for _ in range(size * len(shares)):  # more changes than that lead nowhere
        change = _next_change(ordered, free, credit_s)
        if change is None:
            return
        poor, givers = change
        for rich in givers:
            free.take_back(rich)
        free.give(poor)
        for one in ordered:  # a task of several places may have left some
            while one.is_hungry and free.fits(one):
                free.give(one)


def _bound(shares: Sequence[Share], credit_s: float) -> None:
    """Let nobody count as further behind than a credit.

    Those that take more than places may always be behind, for they can use no more: they are moved together, so
    that they still take turns.
    """
    least_s = max(map(_used_s, shares), default=0.0) - credit_s
    taking = []
    for share in shares:
        if share.takes:
            taking.append(share)
        elif share.used_s < least_s:
            share.used_s = least_s
    if taking:
        devices = [share for share in taking if GPU in share.takes]
        _bound_together([share for share in taking if GPU not in share.takes], least_s, credit_s)
        _bound_together(devices, least_s, max(credit_s, 2 * DEVICE_SLICE_S))


def _bound_together(group: Sequence[Share], least_s: float, spread_s: float) -> None:
    """Have the first of a group no further behind than a bound, and nobody further behind it than a spread."""
    first_s = max(map(_used_s, group), default=0.0)
    shift_s = max(0.0, least_s - first_s)
    for share in group:
        share.used_s = max(share.used_s, first_s - spread_s) + shift_s


class _Free:
    """What no crew has."""

    def __init__(self, size: int, shares: Sequence[Share], totals: Mapping[str, int]) -> None:
        self.places = size - sum(share.places for share in shares)
        self._amounts = dict(totals)
        for share in shares:
            for name, units in share.takes.items():
                self._amounts[name] -= units * (share.places // share.unit)

    def fits(self, share: Share) -> bool:
        """Tell whether one more task of a crew fits in."""
        return share.unit <= self.places and not (share.takes and self.lacking(share))

    def lacking(self, share: Share) -> list[str]:
        """Return the names of what is too little for one more task of a crew, but for places."""
        return [name for name, units in share.takes.items() if self._amounts[name] < units]

    def give(self, share: Share) -> None:
        """Let a crew have one more task."""
        self._move(share, 1)

    def take_back(self, share: Share) -> None:
        """Let a crew have one task less."""
        self._move(share, -1)

    def _move(self, share: Share, count: int) -> None:
        share.places += count * share.unit
        self.places -= count * share.unit
        for name, units in share.takes.items():
            self._amounts[name] -= count * units


def _next_change(ordered: Sequence[Share], free: _Free, credit_s: float) -> tuple[Share, list[Share]] | None:
    """Return who gets a task more, and whose have to go for it; None if nobody does.

    :param ordered: the shares; those that have used least come first.
    """
    owning = [share for share in reversed(ordered) if share.places > 0]
    refused: dict[tuple[float, int, int], int] = {}  # who has as many as one of its kind that comes first, ...
    for poor in ordered:
        if poor.places + poor.unit > poor.wanted:
            continue
        kind = (poor.weight, poor.unit, id(poor.takes))
        if poor.places < refused.get(kind, sys.maxsize):
            givers = _givers(poor, owning, free, credit_s)
            if givers:
                return poor, givers
            refused[kind] = poor.places  # ... and gets nothing, gets nothing
    return None


def _givers(poor: Share, owning: Sequence[Share], free: _Free, credit_s: float) -> list[Share]:
    """Return the crews that have to give up a task each, once or several times; none if that is not enough.

    :param owning: those that have places; those that have used most come first.
    """
    lacking = free.lacking(poor) if poor.takes else []
    if GPU in lacking:  # who gives a device gives a place as well
        owning = sorted(owning, key=lambda one: GPU not in one.takes)
    slice_s = DEVICE_SLICE_S if GPU in lacking else SLICE_S
    givers: list[Share] = []
    for rich in owning:
        while not free.fits(poor) and _helps(rich, poor, free) and _gives(rich, poor, slice_s, credit_s):
            free.take_back(rich)
            givers.append(rich)
    is_enough = free.fits(poor)
    for rich in givers:
        free.give(rich)
    return givers if is_enough else []


def _helps(rich: Share, poor: Share, free: _Free) -> bool:
    """Tell whether a crew has some of what another one lacks."""
    if rich is poor or rich.places <= 0:
        return False
    return poor.unit > free.places or any(name in rich.takes for name in free.lacking(poor))


def _gives(rich: Share, poor: Share, slice_s: float, credit_s: float) -> bool:
    """Tell whether one crew has to give up a task for another one."""
    lag_s = rich.used_s - poor.used_s
    is_fairer = (rich.places - rich.unit) / rich.weight >= (poor.places + poor.unit) / poor.weight
    return (
        (is_fairer and lag_s >= 0)
        or (rich.load > poor.load and lag_s >= slice_s)
        or lag_s >= max(credit_s / 2, slice_s)
    )
