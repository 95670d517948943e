"""Whether a master stays as small and as fast as it was, over a million tasks."""

from __future__ import annotations

import time
from itertools import pairwise
from statistics import median

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.options import Options
from benchmarks.ours import Cluster
from benchmarks.processes import RSSSampler, rss_mb
from benchmarks.references import open_pools
from benchmarks.rounds import Stream
from benchmarks.workloads import give_same

__all__ = ["run"]

REFERENCE = "multiprocessing"
RATE = Figure("million.rate", "a million no-op tasks, streamed", "tasks/s", REFERENCE)
LAST_TO_FIRST = Figure(
    "million.last_to_first",
    "its speed in the last tenth to the first",
    "of 1",
    REFERENCE,
    target=Target(0.9, system="push"),
)
GROWTH = Figure(
    "million.growth",
    "master's growth meanwhile",
    "MB",
    REFERENCE,
    is_less_better=True,
    target=Target(10, system="push"),
)
MEASURED_PARTS = 10
PARTS = MEASURED_PARTS + 2
"""The first and the last one are not measured: then the queue is filled, and emptied."""

MARKS = 10
"""In how many pieces a part is timed, each beside how fast the machine was then; their median counts."""

BATCH = 1_000
DEPTH = 20
WARM_UP_COUNT = 20_000


def run(bench: Bench) -> None:
    """Push a batch whenever one is finished, on a new cluster each time; then the same on a new pool."""
    part = bench.options.scaled(100_000, BATCH * 5)
    for _ in bench.repetitions():
        _run_cluster(bench, part)
        _run_pool(bench, part * MEASURED_PARTS)


def _run_cluster(bench: Bench, part: int) -> None:
    options = bench.options
    with Cluster(options) as cluster:
        cluster.run_round(_stream(options, part, parts=1))
        with RSSSampler(cluster.master_pid) as sampler:
            stream = _stream(options, part, parts=PARTS)
            cluster.run_round(stream)
    marks = stream.marks[MARKS:-MARKS]
    yardsticks = stream.yardsticks[MARKS:-MARKS]
    durations = [
        (end - start) / (before + after)
        for (start, end), (before, after) in zip(pairwise(marks), pairwise(yardsticks), strict=True)
    ]
    bench.add(RATE, "push", part * MEASURED_PARTS / (marks[-1] - marks[0]))
    bench.add(LAST_TO_FIRST, "push", median(durations[:MARKS]) / median(durations[-MARKS:]))
    bench.add(GROWTH, "push", sampler.growth_mb)


def _run_pool(bench: Bench, total: int) -> None:
    with open_pools(bench.options) as others:
        pool = others[0]
        pool.in_bulk(give_same, range(WARM_UP_COUNT))
        before_mb = rss_mb()
        start = time.perf_counter()
        for first in range(0, total, BATCH * DEPTH):
            pool.in_bulk(give_same, range(first, min(total, first + BATCH * DEPTH)))
        bench.add(RATE, pool.name, total / (time.perf_counter() - start))
        bench.add(GROWTH, pool.name, rss_mb() - before_mb)


def _stream(options: Options, part: int, *, parts: int) -> Stream:
    depth = options.scaled(DEPTH, 2)
    return Stream(part * parts, batch=BATCH, depth=depth, mark_every=part // MARKS)
