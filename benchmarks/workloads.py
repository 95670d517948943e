"""What the workers run in the benchmarks, and how much of it is worth a millisecond here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from concurrent.scheduling import Task

__all__ = ["Call", "burn", "give_bytes", "give_same", "loops_for", "rest", "take_bytes", "take_bytes_slowly"]

TRIAL_LOOPS = 20_000
TRIALS = 7


class Call(Task):
    """A task that calls a function with one argument, so that all systems run the same functions."""

    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        super().__init__()
        self.function = function
        self.argument = argument

    def __call__(self) -> Any:
        """Call it."""
        return self.function(self.argument)


def give_same(value: Any) -> Any:
    """Do nothing: the time of a task is that of its way."""
    return value


def burn(loops: int) -> int:
    """Use the processor for a time that is proportional to ``loops``."""
    total = 0
    for number in range(loops):
        total ^= number * 31
    return total


def rest(duration_s: float) -> None:
    """Hold a worker without using the processor."""
    time.sleep(duration_s)


def take_bytes(data: bytes) -> int:
    """Take much and return little."""
    return len(data)


def take_bytes_slowly(data: bytes) -> int:
    """Take much, and hold the worker for a millisecond, so that tasks have to queue."""
    time.sleep(0.001)
    return len(data)


def give_bytes(size_bytes: int) -> bytes:
    """Take little and return much."""
    return bytes(size_bytes)


def loops_for(duration_s: float) -> int:
    """Return for how many loops :func:`burn` takes so long here; the fastest of some trials counts."""
    fastest_s = min(_time_of_trial() for _ in range(TRIALS))
    return max(1, round(TRIAL_LOOPS * duration_s / fastest_s))


def _time_of_trial() -> float:
    start = time.perf_counter()
    burn(TRIAL_LOOPS)
    return time.perf_counter() - start
