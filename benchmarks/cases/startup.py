"""What people wait for each time that they start something: from the start of the interpreter on."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.processes import end_tree
from concurrent.apps import LocalCluster

__all__ = ["run"]

POOL = "multiprocessing"
PYTHON = "python"
"""An interpreter that does nothing: what all others take at least."""

FIRST_RESULT = Figure(
    "startup.first_result",
    "start of a program to its first result",
    "s",
    POOL,
    is_less_better=True,
    target=Target(0.25),
)
END = Figure("startup.end", "start of a program to its end", "s", POOL, is_less_better=True)
CPU = Figure("startup.cpu", "processor time of a program with one task", "s", POOL, is_less_better=True)
JOINED = Figure(
    "startup.joined",
    "start of a program to its first result, on a cluster that runs",
    "s",
    POOL,
    is_less_better=True,
)
VERSION = Figure("startup.version", "concurrent -V", "s", PYTHON, is_less_better=True, target=Target(0.15))
IMPORT = Figure(
    "startup.import", "import concurrent.apps", "s", PYTHON, is_less_better=True, target=Target(0.1)
)
PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
TIMEOUT_S = 60.0


class Run(NamedTuple):
    """A program that has run. All processes of a machine share the clock that it may have printed.

    :param cpu_s: of all its processes.
    """

    start: float
    end: float
    cpu_s: float
    output: str

    @property
    def end_s(self) -> float:
        """How long it took to its end."""
        return self.end - self.start

    @property
    def result_s(self) -> float:
        """How long it took to its first result."""
        return float(self.output) - self.start


def run(bench: Bench) -> None:
    """Run programs with a cluster of their own, on one that runs, with a pool, and with none of these."""
    options = bench.options
    assignments = [f"{name}={text}" for name, text in options.configuration().items()]
    command = [sys.executable, "-m", "concurrent.apps.main"]
    workers = str(options.workers)
    app = [*command, "app", str(PROGRAMS / "first_result.py"), "--workers", workers]
    app += [part for each in assignments for part in ("--option", each)]
    executor = [sys.executable, str(PROGRAMS / "first_result_executor.py")]
    pool = [sys.executable, str(PROGRAMS / "first_result_pool.py"), workers]
    with LocalCluster(options.workers, options=options.configuration()) as cluster:
        for _ in range(options.scaled(3, 1) * options.repeat):
            _measure(bench, "push", app)
            _measure(bench, "submit", [*executor, workers, *assignments])
            bench.add(JOINED, POOL, _measure(bench, POOL, pool).result_s)
            bench.add(JOINED, "submit", _run([*executor, cluster.address]).result_s)
            nothing_s = _run([sys.executable, "-c", "pass"]).end_s
            for figure in (VERSION, IMPORT):
                bench.add(figure, PYTHON, nothing_s)
            bench.add(VERSION, "submit", _run([*command, "-V"]).end_s)
            bench.add(IMPORT, "submit", _run([sys.executable, "-c", "import concurrent.apps"]).end_s)


def _measure(bench: Bench, system: str, command: list[str]) -> Run:
    """Measure a program with one task."""
    done = _run(command)
    bench.add(FIRST_RESULT, system, done.result_s)
    bench.add(END, system, done.end_s)
    bench.add(CPU, system, done.cpu_s)
    return done


def _run(command: list[str]) -> Run:
    """Run a program to its end."""
    used_s = _cpu_of_children_s()
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        end_tree(process)
    end = time.monotonic()
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with exit code {process.returncode}")
    return Run(start, end, _cpu_of_children_s() - used_s, output)


def _cpu_of_children_s() -> float:
    """Return the processor time of what this process has started and that has ended, with all below it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
