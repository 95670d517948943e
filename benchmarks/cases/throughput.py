"""How many tasks that do nothing are finished in a second: the cost of the way of a task."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.cases import Bench
from benchmarks.contest import affordable, open_contest
from benchmarks.measure import Figure, Target
from benchmarks.options import Options
from benchmarks.systems import Function
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
    """Measure one by one, and bulks of several sizes; of a peer one size."""
    options = bench.options
    with open_contest(options) as systems:
        for system in systems:
            system.one_by_one(give_same, range(WARM_UP))
        ways = [(system.name, system.one_by_one) for system in systems]
        _measure(bench, ONE_BY_ONE, ways, options.scaled(20_000, 2_000))
        bulks = [(system.name, system.in_bulk) for system in systems]
        for size in _bulk_sizes(options):
            _measure(bench, _bulk_figure(size), bulks, size)


def _bulk_sizes(options: Options) -> tuple[int, ...]:
    if options.peer:
        return (options.scaled(20_000, 5_000),)
    return options.scaled((1_000, 20_000, 100_000), (1_000, 5_000))


def _bulk_figure(size: int) -> Figure:
    target = Target(300_000, system="push") if size >= 20_000 else None
    title = f"no-op tasks, bulk of {size:,}"
    return Figure(f"throughput.bulk_{size}", title, "tasks/s", "multiprocessing", target=target)


def _measure(bench: Bench, figure: Figure, ways: Sequence[tuple[str, Way]], full_count: int) -> None:
    """Measure each way, by its system's name, in each repetition; peers that are slow with fewer tasks."""
    first = ways[0][1]
    count = affordable(bench.options, full_count, lambda count: first(give_same, range(count)))
    for _ in bench.repetitions():
        for name, way in ways:
            rate = _rate(way, count)
            if rate is not None:
                bench.add(figure, name, rate, task_count=count)


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
