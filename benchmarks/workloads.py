"""What the workers run in the benchmarks, and how much of it is worth a millisecond here."""

from __future__ import annotations

import hashlib
import pickle
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from concurrent.scheduling import Task

__all__ = [
    "TASK_BY_FUNCTION",
    "Burn",
    "Call",
    "GiveBytes",
    "GiveSame",
    "TakeBytes",
    "burn",
    "give_bytes",
    "give_same",
    "loops_for",
    "pickling_s",
    "rest",
    "stay_open",
    "take_bytes",
    "take_bytes_slowly",
    "time_alone",
]

BLOCK = bytes(2000)
"""What is hashed in one loop of :func:`burn`; above 2047 bytes other threads could run meanwhile."""

PICKLINGS = 300
OPEN_LOOK_S = 0.2
TRIAL_LOOPS = 5_000
TRIALS = 7


def give_same(value: Any) -> Any:
    """Do nothing: the time of a task is that of its way."""
    return value


def stay_open(file: str) -> None:
    """Run until a file is there."""
    while not Path(file).exists():
        time.sleep(OPEN_LOOK_S)


def burn(loops: int) -> int:
    """Use the processor for a time that is proportional to ``loops``.

    It hardly depends on where an interpreter's objects happen to lie, which makes arithmetic in Python up to
    15 % slower in one process than in another one.
    """
    digest = hashlib.sha256()
    for _ in range(loops):
        digest.update(BLOCK)
    return digest.digest()[0]


def pickling_s() -> float:
    """Return the processor time, in seconds, of some pickling: how fast the machine is at the moment."""
    start = time.thread_time()
    for number in range(PICKLINGS):
        pickle.loads(pickle.dumps({"number": number, "text": "a yardstick", "list": [number]}))
    return time.thread_time() - start


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


class Call(Task):
    """A task that calls one of these functions; there is a class for each, as an application has."""

    def __init__(self, argument: Any) -> None:
        super().__init__()
        self.argument = argument


class GiveSame(Call):
    """Calls :func:`give_same`."""

    def __call__(self) -> Any:
        """Run it."""
        return give_same(self.argument)


class Burn(Call):
    """Calls :func:`burn`."""

    def __call__(self) -> int:
        """Run it."""
        return burn(self.argument)


class TakeBytes(Call):
    """Calls :func:`take_bytes`."""

    def __call__(self) -> int:
        """Run it."""
        return take_bytes(self.argument)


class GiveBytes(Call):
    """Calls :func:`give_bytes`."""

    def __call__(self) -> bytes:
        """Run it."""
        return give_bytes(self.argument)


TASK_BY_FUNCTION: Mapping[Callable[[Any], Any], type[Call]] = {
    give_same: GiveSame,
    burn: Burn,
    take_bytes: TakeBytes,
    give_bytes: GiveBytes,
}
"""The tasks by which applications run what other systems call."""


def loops_for(duration_s: float) -> int:
    """Return for how many loops :func:`burn` takes so long here; the fastest of some trials counts."""
    fastest_s = min(time_alone([TRIAL_LOOPS]) for _ in range(TRIALS))
    return max(1, round(TRIAL_LOOPS * duration_s / fastest_s))


def time_alone(sizes: Iterable[int]) -> float:
    """Return how many seconds this thread needs to :func:`burn` so many loops, one after the other."""
    start = time.perf_counter()
    for loops in sizes:
        burn(loops)
    return time.perf_counter() - start
