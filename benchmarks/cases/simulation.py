"""Ledger and scheduler with simulated slaves, in small; ``benchmarks.simulation`` does it in large."""

from __future__ import annotations

from benchmarks.cases import Bench
from benchmarks.measure import Figure, Target
from benchmarks.simulation import simulate

__all__ = ["run"]

SLAVES = 100
MANY_SLAVES = 1_000
WASTE = Figure(
    "simulation.waste",
    f"{SLAVES} simulated slaves, time over the bound",
    "%",
    "",
    is_less_better=True,
    target=Target(2.0, system="push"),
)
DECISION = Figure(
    "simulation.decision", "a decision of ledger and scheduler", "us/task", "", is_less_better=True
)
GROWTH = Figure(
    "simulation.growth",
    f"its cost with {MANY_SLAVES:,} slaves to that with {SLAVES}",
    "of 1",
    "",
    is_less_better=True,
    target=Target(1.5, system="push"),
)


def run(bench: Bench) -> None:
    """Simulate few and many slaves, in each repetition with other chances."""
    tasks = bench.options.scaled(100_000, 10_000)
    for seed in bench.repetitions():
        few = simulate(slaves=SLAVES, tasks=tasks, seed=seed)
        many = simulate(slaves=MANY_SLAVES, tasks=tasks, seed=seed)
        bench.add(WASTE, "push", 100.0 * few.waste)
        bench.add(DECISION, "push", 1e6 * few.decision_s)
        bench.add(GROWTH, "push", many.decision_s / few.decision_s)
