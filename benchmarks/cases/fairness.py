"""Many programs at once: small jobs beside a flood, equal shares, and long tasks among short ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

from benchmarks.cases import Bench
from benchmarks.flood import Flood
from benchmarks.measure import Figure, Target, percentile
from benchmarks.ours import Cluster
from benchmarks.references import open_pools
from benchmarks.systems import WAIT_S, Executing
from benchmarks.workloads import burn, loops_for, time_alone

__all__ = ["run"]

REFERENCE = "processpool"
SLOWDOWN = Figure(
    "fairness.slowdown",
    "small jobs beside a flood, slowed down",
    "times",
    REFERENCE,
    is_less_better=True,
    target=Target(2.0),
)
EQUALITY = Figure(
    "fairness.equality", "equality of four programs (Jain's index)", "of 1", REFERENCE, target=Target(0.95)
)
MIXED = Figure("fairness.mixed", "efficiency, few long among many short tasks", "of 1", REFERENCE)
TASK_S = 0.001
JOB_TASKS = 10
FLOOD_DEPTH = 200
PROGRAMS = 4
SHORT_PER_LONG = 100
WARM_UP = 500


class _Programs(NamedTuple):
    """Programs that share workers: on one cluster each has its own connection, on a pool they have one."""

    system: str
    executors: Sequence[Executor]


def run(bench: Bench) -> None:
    """Measure the three, ours and the reference by turns."""
    options = bench.options
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(options, with_application=False))
        others = stack.enter_context(open_pools(options))
        clients = [stack.enter_context(cluster.another_executor()) for _ in range(PROGRAMS)]
        pool = next(each for each in others if isinstance(each, Executing))
        both = [_Programs("submit", clients), _Programs(pool.name, [pool.executor] * PROGRAMS)]
        for programs in both:
            for executor in programs.executors:
                _job(executor, 0, WARM_UP)
        loops = loops_for(TASK_S)
        for _ in bench.repetitions():
            for programs in both:
                bench.add(SLOWDOWN, programs.system, _slowdown(programs, loops, options.scaled(10, 4)))
                bench.add(EQUALITY, programs.system, _equality(programs, loops, options.scaled(500, 50)))
            for programs in both:
                bench.add(MIXED, programs.system, _mixed(bench, programs, loops))


def _job(executor: Executor, loops: int, count: int) -> float:
    """Run some tasks to the last; returns how long that took in seconds."""
    start = time.perf_counter()
    futures = [executor.submit(burn, loops) for _ in range(count)]
    for future in futures:
        future.result(WAIT_S)
    return time.perf_counter() - start


def _slowdown(programs: _Programs, loops: int, jobs: int) -> float:
    """Return how much longer a job takes beside a flood; 2 is an equal share of the workers."""
    first, second = programs.executors[:2]
    alone = [_job(first, loops, JOB_TASKS) for _ in range(jobs)]
    with Flood(second, burn, loops, depth=FLOOD_DEPTH):
        beside = [_job(first, loops, JOB_TASKS) for _ in range(jobs)]
    return percentile(beside, 0.5) / percentile(alone, 0.5)


def _equality(programs: _Programs, loops: int, count: int) -> float:
    """Return Jain's index of fairness of the programs' speeds: 1 if all are equal, 1/n if one has all.

    R. Jain, D. Chiu, W. Hawe: A Quantitative Measure of Fairness, DEC-TR-301, 1984.
    """
    with ThreadPoolExecutor(PROGRAMS) as threads:
        jobs = [threads.submit(_job, executor, loops, count) for executor in programs.executors]
        speeds = [1 / job.result(WAIT_S) for job in jobs]
    return sum(speeds) ** 2 / (len(speeds) * sum(speed**2 for speed in speeds))


def _mixed(bench: Bench, programs: _Programs, loops: int) -> float:
    """Return the part of the workers' time that is work; a long task is as much as all short ones behind it."""
    groups = bench.options.scaled(5, 2)
    sizes = [loops * SHORT_PER_LONG, *[loops] * SHORT_PER_LONG] * groups
    alone_s = time_alone(sizes)
    executor = programs.executors[0]
    start = time.perf_counter()
    for future in [executor.submit(burn, size) for size in sizes]:
        future.result(WAIT_S)
    return alone_s / (bench.options.workers * (time.perf_counter() - start))
