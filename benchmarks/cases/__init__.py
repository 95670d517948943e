"""The cases: each module measures one thing, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

from benchmarks.measure import Figure, Recorder
from benchmarks.options import Options

__all__ = ["CASES", "CASES_OF_PEERS", "Bench", "run_case"]

CASES = (
    "throughput",
    "roundtrip",
    "efficiency",
    "payload",
    "security",
    "journal",
    "memory",
    "million",
    "startup",
    "idle",
    "slaves",
    "fairness",
    "amdahl",
    "simulation",
)
"""Their names, those of the modules here, in the order in which they run."""

CASES_OF_PEERS = ("throughput", "roundtrip", "efficiency", "payload")
"""Those in which other systems can be measured."""


@dataclass(frozen=True)
class Bench:
    """What a case is given: what is asked for, and where it puts what it measures."""

    options: Options
    recorder: Recorder

    def add(self, figure: Figure, system: str, value: float, *, task_count: int | None = None) -> None:
        """Take what one repetition measured."""
        self.recorder.add(figure, system, value, task_count=task_count)

    def repetitions(self) -> Iterator[int]:
        """Count the repetitions; each measures all systems one after the other."""
        yield from range(self.options.repeat)


def run_case(name: str, bench: Bench) -> None:
    """Run a case in this process. Main thread; nothing else should have run before."""
    run: Callable[[Bench], None] = import_module(f"{__name__}.{name}").run
    run(bench)
