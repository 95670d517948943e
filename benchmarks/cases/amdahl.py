"""Amdahl's P of the samples, as they report it: the share of the work that gains from workers.

What the machine has to give is measured beside it: processes that get their whole share of some work at once.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.options import Options
from benchmarks.processes import end_tree
from benchmarks.references import SHARES, open_shares
from benchmarks.systems import System
from benchmarks.workloads import burn, give_same, loops_for, time_alone
from concurrent.apps.samples.shared.amdahl import parallel_share

__all__ = ["run"]

MODES = {"system": "task system", "tasks": "plain tasks"}
KINDS = {"wait": "active wait", "work": "computing"}
TARGETS = {"mandelbrot": 0.97, "benchmark": 0.99}
QUICK_OPTIONS = {
    "mandelbrot": ("mandelbrot.width=384", "mandelbrot.height=256", "mandelbrot.iterations=4000"),
    "benchmark": ("benchmark.tasks=6", "benchmark.task_ms=20"),
}
TIMEOUT_S = 120.0
TASK_S = 0.1
WARM_UP = 50

_SPEED_UP = re.compile(r"^speed-up +([\d.]+),", re.MULTILINE)


def run(bench: Bench) -> None:
    """Run both samples in all their variants; the active wait once, as it depends on clocks only."""
    options = bench.options
    if options.workers < 2:
        print("the law says nothing of a single worker", file=sys.stderr)
        return
    with open_shares(options) as shares:
        shares.one_by_one(give_same, range(WARM_UP))
        for repetition in bench.repetitions():
            reference = parallel_share(_speed_up_of(shares, options), options.workers)
            for mode in MODES:
                (gained,) = _speed_ups("mandelbrot", options, f"mandelbrot.mode={mode}")
                _add(bench, "mandelbrot", (mode,), gained, reference)
            kinds = ["work"] if repetition else list(KINDS)
            variants = [(kind, mode) for kind in kinds for mode in MODES]
            kind = "work" if repetition else "both"
            all_gained = _speed_ups("benchmark", options, "benchmark.lanes=no", f"benchmark.kind={kind}")
            for variant, gained in zip(variants, all_gained, strict=True):
                _add(bench, "benchmark", variant, gained, reference)


def _add(bench: Bench, sample: str, variant: tuple[str, ...], gained: float, reference: float) -> None:
    words = ", ".join({**KINDS, **MODES}[name] for name in variant)
    figure = Figure(
        f"amdahl.{'_'.join((sample, *variant))}",
        f"Amdahl's P, {sample.capitalize()}, {words}",
        "of 1",
        SHARES,
        target=Target(TARGETS[sample], system="push"),
    )
    bench.add(figure, "push", parallel_share(gained, bench.options.workers))
    bench.add(figure, SHARES, reference)


def _speed_ups(sample: str, options: Options, *settings: str) -> list[float]:
    """Run a sample as a person does, on an embedded cluster; return the speed-ups that it reports."""
    texts = [f"{name}={text}" for name, text in options.configuration().items()]
    texts += [f"{sample}.output=", *settings, *options.scaled((), QUICK_OPTIONS[sample])]
    command = [sys.executable, "-m", "concurrent.apps.main", "app", sample, "--workers", str(options.workers)]
    for text in texts:
        command += ["--option", text]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.communicate(timeout=TIMEOUT_S)
    finally:
        end_tree(process)
    if process.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with exit code {process.returncode}: {errors}")
    return [float(gained) for gained in _SPEED_UP.findall(output)]


def _speed_up_of(system: System, options: Options) -> float:
    """Return the speed-up of computing, its time in one process taken half before and half after."""
    count = options.scaled(10, 2) * options.workers
    loops = loops_for(TASK_S)
    alone_s = time_alone([loops] * (count // 2))
    start = time.perf_counter()
    system.one_by_one(burn, [loops] * count)
    elapsed_s = time.perf_counter() - start
    return (alone_s + time_alone([loops] * (count - count // 2))) / elapsed_s
