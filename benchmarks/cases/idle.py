"""What a cluster costs that has nothing to do."""

from __future__ import annotations

import time

import psutil

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.ours import Cluster
from benchmarks.processes import below, cpu_s, memory_mb
from benchmarks.references import open_pools
from benchmarks.systems import Executing
from benchmarks.workloads import give_same

__all__ = ["run"]

REFERENCE = "processpool"
CPU = Figure(
    "idle.cpu", "processor time, idle", "% of a core", REFERENCE, is_less_better=True, target=Target(1.0)
)
MEMORY = Figure("idle.memory", "memory, idle", "MB", REFERENCE, is_less_better=True, target=Target(150.0))
WARM_UP = 1_000
SETTLE_S = 1.0


def run(bench: Bench) -> None:
    """Measure all processes of the cluster; the pool's have their master in this process."""
    options = bench.options
    with Cluster(options, with_application=False) as cluster:
        Executing("submit", cluster.executor).one_by_one(give_same, range(WARM_UP))
        for _ in bench.repetitions():
            _measure(bench, "submit", below())
    with open_pools(options) as others:
        pool = next(each for each in others if each.name == REFERENCE)
        pool.one_by_one(give_same, range(WARM_UP))
        for _ in bench.repetitions():
            _measure(bench, REFERENCE, below())


def _measure(bench: Bench, system: str, processes: list[psutil.Process]) -> None:
    duration_s = bench.options.scaled(3.0, 1.0)
    time.sleep(SETTLE_S)
    before_s, start = cpu_s(processes), time.perf_counter()
    time.sleep(duration_s)
    used_s, elapsed_s = cpu_s(processes) - before_s, time.perf_counter() - start
    bench.add(CPU, system, 100.0 * used_s / elapsed_s)
    bench.add(MEMORY, system, memory_mb(processes))
