"""How many tasks that do nothing are finished in a second: the cost of the way of a task."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.ours import Cluster
from benchmarks.references import open_systems
from benchmarks.systems import Function, System
from benchmarks.workloads import give_same

__all__ = ["run"]

ONE_BY_ONE = Figure(
    "throughput.one_by_one",
    "no-op tasks, one by one",
    "tasks/s",
    "multiprocessing",
    target=Target(100_000, ratio=2.0, system="push"),
)
WARM_UP = 500

Way = Callable[[Function, Sequence[Any]], list[Any] | None]


def run(bench: Bench) -> None:
    """Measure one by one, and bulks of several sizes."""
    options = bench.options
    count = options.scaled(20_000, 2_000)
    with Cluster(options) as cluster, open_systems(options) as others:
        systems = [*cluster.systems(), *others]
        for system in systems:
            system.one_by_one(give_same, range(WARM_UP))
        for _ in bench.repetitions():
            for system in systems:
                rate = _rate(system.one_by_one, count)
                if rate is not None:
                    bench.add(ONE_BY_ONE, system.name, rate)
        for size in options.scaled((1_000, 20_000, 100_000), (1_000, 5_000)):
            _measure_bulk(bench, systems, size)


def _measure_bulk(bench: Bench, systems: list[System], size: int) -> None:
    target = Target(300_000, system="push") if size >= 20_000 else None
    title = f"no-op tasks, bulk of {size:,}"
    figure = Figure(f"throughput.bulk_{size}", title, "tasks/s", "multiprocessing", target=target)
    for _ in bench.repetitions():
        for system in systems:
            rate = _rate(system.in_bulk, size)
            if rate is not None:
                bench.add(figure, system.name, rate)


def _rate(way: Way, count: int) -> float | None:
    """Return the tasks per second, None if the system has no such way."""
    start = time.perf_counter()
    results = way(give_same, range(count))
    duration_s = time.perf_counter() - start
    if results is None:
        return None
    if len(results) != count or sum(results) != count * (count - 1) // 2:
        raise AssertionError(f"{count} tasks gave {len(results)} results, or wrong ones")
    return count / duration_s
