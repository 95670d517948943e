"""How much memory the master takes when much more is pushed than the workers can do."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.ours import Cluster
from benchmarks.processes import RSSSampler
from benchmarks.references import open_pools
from benchmarks.systems import WAIT_S, Executing
from benchmarks.workloads import give_same, take_bytes_slowly

__all__ = ["run"]

SIZE_BYTES = 100_000
QUEUED = Figure(
    "memory.queued",
    "peak memory, tasks of 100 KB",
    "MB",
    "processpool",
    is_less_better=True,
    target=Target(200),
)
WARM_UP = 200


def run(bench: Bench) -> None:
    """Push everything at once; ours is the master's memory, the reference's that of its program.

    Once, as it is long and hardly varies.
    """
    options = bench.options
    count = options.scaled(10_000, 1_000)
    with Cluster(options, with_application=False) as cluster:
        ours = Executing("submit", cluster.executor)
        ours.one_by_one(give_same, range(WARM_UP))
        with RSSSampler(cluster.master_pid) as sampler:
            _push(ours, count)
        bench.add(QUEUED, ours.name, sampler.growth_mb)
    with open_pools(options) as others:
        reference = next(each for each in others if isinstance(each, Executing))
        reference.one_by_one(give_same, range(WARM_UP))
        with RSSSampler() as sampler:
            _push(reference, count)
        bench.add(QUEUED, reference.name, sampler.growth_mb)


def _push(system: Executing, count: int) -> None:
    """Push arguments that nobody but the system keeps."""
    futures = [system.executor.submit(take_bytes_slowly, data) for data in _arguments(count)]
    if sum(future.result(WAIT_S) for future in futures) != count * SIZE_BYTES:
        raise AssertionError(f"{system.name} lost some of {count} arguments")


def _arguments(count: int) -> Iterator[bytes]:
    pattern = os.urandom(1000)
    for _ in range(count):
        yield pattern * (SIZE_BYTES // len(pattern))
