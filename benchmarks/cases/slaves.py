"""How well many slaves are kept busy: sleeping tasks, which many processes can do on few cores."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from benchmarks.cases import Bench
from benchmarks.measure import Figure
from benchmarks.ours import Cluster
from benchmarks.processes import end_tree, wait_until
from benchmarks.references import Pooling
from benchmarks.systems import Executing, System
from benchmarks.workloads import rest

__all__ = ["run"]

PROGRAM = "benchmarks.programs.slave"
REST_S = 0.05
JOIN_TIMEOUT_S = 60.0
END_TIMEOUT_S = 15.0


def run(bench: Bench) -> None:
    """Measure 1 to 32 slaves with one worker each, beside pools of as many processes."""
    options = replace(bench.options, workers=1)
    per_worker = options.scaled(12, 5)
    with Cluster(options, with_application=False) as cluster, ExitStack() as slaves:
        ours = Executing("submit", cluster.executor)
        ours.call(rest, 0.0)
        slave_count = 1
        for wanted in options.scaled((1, 2, 4, 8, 32), (1, 4)):
            while slave_count < wanted:
                slaves.enter_context(_slave(cluster.executor.address))
                slave_count += 1
            _await_workers(cluster, wanted)
            with multiprocessing.get_context("spawn").Pool(wanted) as pool:
                others = [ours, Pooling(pool)]
                for system in others:
                    system.one_by_one(rest, [0.0] * wanted * 2)
                for _ in bench.repetitions():
                    for system in others:
                        bench.add(_figure(wanted), system.name, _efficiency(system, wanted, per_worker))


@contextmanager
def _slave(master: str) -> Iterator[None]:
    command = [sys.executable, "-m", PROGRAM, str(os.getpid()), "--quiet"]
    process = subprocess.Popen([*command, "--master", master, "--workers", "1"])
    try:
        yield
        process.terminate()
        process.wait(END_TIMEOUT_S)
    finally:
        end_tree(process)


def _await_workers(cluster: Cluster, count: int) -> None:
    executor = cluster.executor
    wait_until(lambda: executor.workers >= count, f"{count} workers have joined", JOIN_TIMEOUT_S)


def _figure(count: int) -> Figure:
    title = f"efficiency of {count} slave{'s' if count > 1 else ''}, sleeping tasks"
    return Figure(f"slaves.{count}", title, "of 1", "multiprocessing")


def _efficiency(system: System, workers: int, per_worker: int) -> float:
    start = time.perf_counter()
    system.one_by_one(rest, [REST_S] * workers * per_worker)
    return REST_S * per_worker / (time.perf_counter() - start)
