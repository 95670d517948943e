"""How much of the workers' time is work: the time of one process / (workers x the time of all).

What there is to be had on the machine is measured beside it: processes that get their whole share at once.
"""

from __future__ import annotations

import time

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.ours import Cluster
from benchmarks.references import SHARES, open_shares, open_systems
from benchmarks.workloads import burn, give_same, loops_for

__all__ = ["run"]

COUNT_BY_MS = {0.1: 10_000, 1: 4_000, 10: 400, 100: 20}
QUICK_COUNT_BY_MS = {0.1: 1_000, 1: 500, 10: 50, 100: 6}
TARGET_BY_MS = {1: 0.92, 10: 0.98}
WARM_UP = 200


def run(bench: Bench) -> None:
    """Measure tasks of several durations, each system's beside the same work in this process."""
    options = bench.options
    with Cluster(options) as cluster, open_systems(options) as others, open_shares(options) as shares:
        systems = [cluster.systems()[0], *others, shares]
        for system in systems:
            system.one_by_one(give_same, range(WARM_UP))
        for duration_ms, count in options.scaled(COUNT_BY_MS, QUICK_COUNT_BY_MS).items():
            figure = _figure(duration_ms)
            loops = loops_for(duration_ms / 1000)
            for _ in bench.repetitions():
                alone_s = _time_alone(loops, count)
                for system in systems:
                    start = time.perf_counter()
                    system.one_by_one(burn, [loops] * count)
                    elapsed_s = time.perf_counter() - start
                    bench.add(figure, system.name, alone_s / (options.workers * elapsed_s))


def _figure(duration_ms: float) -> Figure:
    target = TARGET_BY_MS.get(int(duration_ms)) if duration_ms >= 1 else None
    return Figure(
        f"efficiency.{duration_ms}_ms",
        f"efficiency, tasks of {duration_ms} ms",
        "of 1",
        SHARES,
        target=Target(target, system="push") if target is not None else None,
    )


def _time_alone(loops: int, count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        burn(loops)
    return time.perf_counter() - start
