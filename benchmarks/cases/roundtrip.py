"""How long one task takes from the call to its result: alone, and beside the tasks of somebody else."""

from __future__ import annotations

from concurrent.futures import Executor

from benchmarks.cases import Bench
from benchmarks.contest import affordable, open_contest
from benchmarks.flood import Flood
from benchmarks.measure import Figure, Target, percentile
from benchmarks.ours import Cluster
from benchmarks.references import open_pools
from benchmarks.systems import Executing, System
from benchmarks.workloads import burn, give_same, loops_for

__all__ = ["run"]

REFERENCE = "processpool"
MS = 1000.0
FLOOD_DEPTH = 100
FLOOD_TASK_S = 0.001
WARM_UP = 50


def _figure(key: str, title: str, target: Target | None = None) -> Figure:
    return Figure(f"roundtrip.{key}", title, "ms", REFERENCE, is_less_better=True, target=target)


IDLE = (
    _figure("idle_p50", "round trip, idle, p50", Target(0.6, ratio=2.0)),
    _figure("idle_p99", "round trip, idle, p99"),
)
LOADED = (
    _figure("loaded_p50", "round trip beside 100 tasks of 1 ms, p50"),
    _figure("loaded_p99", "round trip beside 100 tasks of 1 ms, p99"),
)


def run(bench: Bench) -> None:
    """Measure idle, then under load; peers idle only."""
    options = bench.options
    with open_contest(options) as systems:
        for system in systems:
            system.round_trips(give_same, WARM_UP)
        full_count = options.scaled(500, 100)
        count = affordable(options, full_count, lambda count: systems[0].round_trips(give_same, count))
        for _ in bench.repetitions():
            for system in systems:
                _measure(bench, IDLE, system, count)
    if not options.peer:
        _run_loaded(bench)


def _run_loaded(bench: Bench) -> None:
    options = bench.options
    loops = loops_for(FLOOD_TASK_S)
    with Cluster(options) as cluster, open_pools(options) as pools, cluster.another_executor() as stranger:
        flooded: list[tuple[System, Executor]] = [(system, stranger) for system in cluster.systems()]
        flooded += [(each, each.executor) for each in pools if isinstance(each, Executing)]
        for system, _ in flooded:
            system.round_trips(give_same, WARM_UP)
        for _ in bench.repetitions():
            for system, executor in flooded:
                with Flood(executor, burn, loops, depth=FLOOD_DEPTH):
                    _measure(bench, LOADED, system, options.scaled(30, 10))


def _measure(bench: Bench, figures: tuple[Figure, Figure], system: System, count: int) -> None:
    durations = system.round_trips(give_same, count)
    for figure, part in zip(figures, (0.5, 0.99), strict=True):
        bench.add(figure, system.name, percentile(durations, part) * MS, task_count=count)
