"""How long a program takes from the start of its interpreter to its first result, and to its end."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.processes import end_tree

__all__ = ["run"]

FIRST_RESULT = Figure(
    "startup.first_result",
    "start of a program to its first result",
    "s",
    "multiprocessing",
    is_less_better=True,
    target=Target(1.0, system="push"),
)
END = Figure("startup.end", "start of a program to its end", "s", "multiprocessing", is_less_better=True)
PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
TIMEOUT_S = 60.0


def run(bench: Bench) -> None:
    """Run ``concurrent app`` with an embedded cluster, and a program with a pool."""
    options = bench.options
    command = [sys.executable, "-m", "concurrent.apps.main", "app", f"{PROGRAMS / 'first_result.py'}"]
    command += ["--workers", str(options.workers)]
    for name, text in options.configuration().items():
        command += ["--option", f"{name}={text}"]
    pool = [sys.executable, str(PROGRAMS / "first_result_pool.py"), str(options.workers)]
    for _ in range(options.scaled(3, 1)):
        for _ in bench.repetitions():
            _measure(bench, "push", command)
            _measure(bench, "multiprocessing", pool)


def _measure(bench: Bench, system: str, command: list[str]) -> None:
    """The program prints the clock at its first result; all processes of a machine share that clock."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    finally:
        end_tree(process)
    end = time.monotonic()
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with exit code {process.returncode}")
    bench.add(FIRST_RESULT, system, float(output) - start)
    bench.add(END, system, end - start)
