"""How many more workers, or less, each crew of a pool may have. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from concurrent.scheduling.slave.ranked import RankedTasks
from concurrent.scheduling.slave.shares import Share, divide

if TYPE_CHECKING:
    from concurrent.scheduling.slave.crew import Crew
    from concurrent.scheduling.slave.workerlink import WorkerLink

__all__ = ["more_by_crew"]


def more_by_crew(
    busy_by_crew: Mapping[Crew, list[WorkerLink]],
    size: int,
    totals: Mapping[str, int],
    now: float,
    apart: Crew | None,
) -> dict[Crew, int]:
    """Return how many more workers, or less, each crew may have; who has used least comes first.

    The crews of one application have its share together. Among them those whose tasks have the higher priority
    leave to others what they cannot use.

    :param busy_by_crew: the workers that have tasks, of all crews that have tasks.
    :param size: how many places there are.
    :param totals: how much there is of everything else, in units by name.
    :param apart: the crew that has a task to run apart.
    """
    crew_counts = Counter(crew.app for crew in busy_by_crew)
    shares: dict[Crew, Share] = {}
    for crew, busy in busy_by_crew.items():
        weight = crew.app.weight / crew_counts[crew.app]
        crew.rate = crew.cpu / weight
        used_s = crew.used_s + sum(now - link.busy_since for link in busy) * crew.rate
        wanted = len(busy) + len(crew.waiting) + (crew is apart)
        most = min([size // crew.cpu, *(totals[name] // units for name, units in crew.takes.items())])
        places = len(busy) * crew.cpu
        shares[crew] = Share(used_s, min(wanted, most) * crew.cpu, places, weight, crew.cpu, crew.takes)
    if len(crew_counts) < len(shares):
        _put_urgent_first(shares, size, totals)
    before = {crew: share.used_s for crew, share in shares.items()}
    divide(size, list(shares.values()), totals)
    for crew, share in shares.items():
        crew.used_s += share.used_s - before[crew]
    ordered = sorted(shares, key=lambda crew: shares[crew].used_s)
    return {crew: shares[crew].places // crew.cpu - len(busy_by_crew[crew]) for crew in ordered}


def _put_urgent_first(shares: Mapping[Crew, Share], size: int, totals: Mapping[str, int]) -> None:
    """Let crews want only what is left by others of their application whose tasks have the higher priority."""
    free = dict(totals)
    for share in shares.values():
        for name, units in share.takes.items():
            free[name] -= units * (share.places // share.unit)
    ranked = [(crew.waiting.rank, crew) for crew in shares if isinstance(crew.waiting, RankedTasks)]
    ranked.sort(key=lambda one: one[0])
    for place, (_, crew) in enumerate(ranked):
        for _, urgent in ranked[:place]:
            if urgent.app is crew.app and urgent.waiting and _priority(urgent) > _priority(crew):
                usable = _usable(shares[urgent], free)
                share = shares[crew]
                share.wanted = max(0, min(share.wanted, size - usable))


def _usable(share: Share, free: Mapping[str, int]) -> int:
    """Return how many places a crew could use with what else is free now."""
    more = min((max(0, free[name]) // units for name, units in share.takes.items()), default=share.wanted)
    return min(share.wanted, share.places + more * share.unit)


def _priority(crew: Crew) -> int:
    return crew.waiting.priority if isinstance(crew.waiting, RankedTasks) else 0
