"""Who is measured in a case: Concurrent and the pools beside it, or one peer alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from benchmarks.options import Options
from benchmarks.ours import OUR_SYSTEMS, Cluster
from benchmarks.peers import open_peer
from benchmarks.references import open_pools
from benchmarks.systems import System

__all__ = ["affordable", "open_contest"]

TRIAL_COUNT = 100
BUDGET_S = 2.5
"""How long a peer may take for one repetition of a figure; one that is slower gets fewer tasks."""


@contextmanager
def open_contest(options: Options, ours: Sequence[str] = OUR_SYSTEMS) -> Iterator[list[System]]:
    """Start what this process measures, and end it with the block.

    A peer is measured alone: some keep a dozen processes that would be in the way of the others.

    :param ours: which ways to run tasks on Concurrent.
    """
    if options.peer:
        with open_peer(options.peer, options) as peer:
            yield [peer]
        return
    with Cluster(options) as cluster, open_pools(options) as pools:
        yield [*(each for each in cluster.systems() if each.name in ours), *pools]


def affordable(options: Options, count: int, run: Callable[[int], object]) -> int:
    """Return how many tasks a peer gets: all, or as many as it seems to do in :data:`BUDGET_S`.

    :param count: how many Concurrent and the pools get, always.
    :param run: runs so many.
    """
    if not options.peer:
        return count
    trial_count = min(count, TRIAL_COUNT)
    start = time.perf_counter()
    run(trial_count)
    each_s = (time.perf_counter() - start) / trial_count
    return max(trial_count, min(count, int(BUDGET_S / each_s)))
