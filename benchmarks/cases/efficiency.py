"""How much of the workers' time is work: the time of one process / (workers x the time of all).

What there is to be had on the machine is measured beside it: processes that get their whole share at once.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.cases import Bench
from benchmarks.contest import affordable, open_contest
from benchmarks.measure import Figure, Target
from benchmarks.options import Options
from benchmarks.references import SHARES, open_shares
from benchmarks.systems import System
from benchmarks.workloads import burn, give_same, loops_for, time_alone

__all__ = ["run"]

COUNT_BY_MS: dict[float, int] = {0.1: 5_000, 1: 4_000, 10: 400, 100: 12}
QUICK_COUNT_BY_MS: dict[float, int] = {0.1: 1_000, 1: 500, 10: 50, 100: 6}
TARGET_BY_MS: dict[float, float] = {1: 0.92, 10: 0.98}
WARM_UP = 200


def run(bench: Bench) -> None:
    """Measure tasks of several durations, each system's beside the same work in this process."""
    options = bench.options
    with ExitStack() as stack:
        systems = stack.enter_context(open_contest(options, ours=("push",)))
        if not options.peer:
            systems.append(stack.enter_context(open_shares(options)))
        for system in systems:
            system.one_by_one(give_same, range(WARM_UP))
        for duration_ms, count in _counts(options).items():
            _measure(bench, systems, duration_ms, count)


def _counts(options: Options) -> dict[float, int]:
    """Return how many tasks there are of each duration: for peers those that have a target."""
    counts = options.scaled(COUNT_BY_MS, QUICK_COUNT_BY_MS)
    return {ms: count for ms, count in counts.items() if ms in TARGET_BY_MS or not options.peer}


def _measure(bench: Bench, systems: list[System], duration_ms: float, full_count: int) -> None:
    workers = bench.options.workers
    loops = loops_for(duration_ms / 1000)
    count = affordable(bench.options, full_count, lambda count: systems[0].one_by_one(burn, [loops] * count))
    for _ in bench.repetitions():
        alone_s = time_alone([loops] * count)
        for system in systems:
            start = time.perf_counter()
            system.one_by_one(burn, [loops] * count)
            elapsed_s = time.perf_counter() - start
            efficiency = alone_s / (workers * elapsed_s)
            bench.add(_figure(duration_ms), system.name, efficiency, task_count=count)


def _figure(duration_ms: float) -> Figure:
    target = TARGET_BY_MS.get(duration_ms)
    return Figure(
        f"efficiency.{duration_ms}_ms",
        f"efficiency, tasks of {duration_ms} ms",
        "of 1",
        SHARES,
        target=Target(target, system="push") if target is not None else None,
    )
