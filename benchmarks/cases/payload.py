"""How fast large arguments and results travel, in MiB of payload per second."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from benchmarks.cases import Bench
from benchmarks.contest import open_contest
from benchmarks.measure import Figure, Target
from benchmarks.systems import System
from benchmarks.workloads import give_bytes, give_same, take_bytes

__all__ = ["run"]

KIB = 1024
MIB = 1024 * KIB
REFERENCE = "multiprocessing"
WARM_UP = 100


class _Size(NamedTuple):
    name: str
    size_bytes: int
    task_count: int
    quick_task_count: int


SIZES = (
    _Size("1 KiB", KIB, 10_000, 1_000),
    _Size("64 KiB", 64 * KIB, 2_000, 200),
    _Size("1 MiB", MIB, 200, 20),
    _Size("16 MiB", 16 * MIB, 12, 2),
    _Size("64 MiB", 64 * MIB, 4, 1),
)
PEER_SIZES = tuple(size for size in SIZES if size.size_bytes == MIB)
TARGETS = {("arguments", MIB): Target(1000, system="push"), ("results", MIB): Target(800, system="push")}


def run(bench: Bench) -> None:
    """Measure arguments and results of several sizes; of a peer one size."""
    options = bench.options
    with open_contest(options, ours=("push",)) as systems:
        for system in systems:
            system.one_by_one(give_same, range(WARM_UP))
        for size in PEER_SIZES if options.peer else SIZES:
            count = options.scaled(size.task_count, size.quick_task_count)
            for _ in bench.repetitions():
                for system in systems:
                    _measure_arguments(bench, system, size, count)
                    _measure_results(bench, system, size, count)


def _measure_arguments(bench: Bench, system: System, size: _Size, count: int) -> None:
    """Each argument has memory of its own, as it would in a program."""
    pattern = os.urandom(KIB)
    arguments = [pattern * (size.size_bytes // KIB) for _ in range(count)]
    start = time.perf_counter()
    results = system.one_by_one(take_bytes, arguments)
    duration_s = time.perf_counter() - start
    if results != [size.size_bytes] * count:
        raise AssertionError(f"{system.name} lost some of {count} arguments of {size.name}")
    bench.add(_figure("arguments", size), system.name, count * size.size_bytes / MIB / duration_s)


def _measure_results(bench: Bench, system: System, size: _Size, count: int) -> None:
    start = time.perf_counter()
    results = system.one_by_one(give_bytes, [size.size_bytes] * count)
    duration_s = time.perf_counter() - start
    if [len(result) for result in results] != [size.size_bytes] * count:
        raise AssertionError(f"{system.name} lost some of {count} results of {size.name}")
    bench.add(_figure("results", size), system.name, count * size.size_bytes / MIB / duration_s)


def _figure(what: str, size: _Size) -> Figure:
    key = f"payload.{what}_{size.name.replace(' ', '').lower()}"
    target = TARGETS.get((what, size.size_bytes))
    return Figure(key, f"{size.name} {what}", "MiB/s", REFERENCE, target=target)
