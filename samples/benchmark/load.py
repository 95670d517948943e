"""What a task does: it waits actively, or computes. The only place that reads clocks while it works."""

from __future__ import annotations

import time
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

__all__ = ["BLOCK", "Alone", "Done", "Load", "calibrated", "run_alone"]

BLOCK = bytes(2000)
"""What is hashed again and again. That hardly depends on the process; arithmetic in Python is up to 15 % slower
in one than in another, by where its objects lie. From 2048 bytes on other threads would run meanwhile."""

TRIAL_S = 0.02
"""A trial that took as long says well enough how fast this machine computes."""


class Done(NamedTuple):
    """What came of one task.

    :param wall_s: how long it took.
    :param cpu_s: how long a core worked on it meanwhile; less than ``wall_s`` where cores are short.
    :param answer: what it computed; nothing for a wait.
    """

    number: int
    wall_s: float
    cpu_s: float
    answer: bytes


class Load(NamedTuple):
    """The same load for every task.

    :param kind: ``wait`` spins until its time has passed, so it lasts as long however little of a core it gets;
        ``work`` computes a SHA-256 digest of a fixed number of blocks, so it lasts longer then.
    :param amount: seconds of a wait, or blocks.
    """

    kind: str
    amount: float

    def carry(self, number: int) -> Done:
        """Do it in the calling thread; the number makes each digest another one."""
        wall_s, cpu_s = time.perf_counter(), time.thread_time()
        answer = b""
        if self.kind == "wait":
            _spin(wall_s + self.amount)
        else:
            answer = _hash(number, int(self.amount))
        return Done(number, time.perf_counter() - wall_s, time.thread_time() - cpu_s, answer)


def calibrated(kind: str, seconds: float) -> Load:
    """Return the load of a kind that takes so long on this machine, when a core is free for it."""
    if kind == "wait":
        return Load(kind, seconds)
    blocks, trial_s = 1000, 0.0
    while trial_s < TRIAL_S:
        blocks *= 2
        trial_s = min(Load(kind, blocks).carry(0).wall_s for _ in range(3))
    return Load(kind, max(1, round(blocks * seconds / trial_s)))


class Alone(NamedTuple):
    """What the cluster is compared with: tasks in one process, one after the other.

    :param cpu_s: how long a core worked on them meanwhile.
    :param answers: what they computed, by their numbers.
    """

    seconds: float
    cpu_s: float
    answers: dict[int, bytes]

    @property
    def cpu_share(self) -> float:
        """How much of a core the process had."""
        return self.cpu_s / self.seconds

    def together(self, other: Alone) -> Alone:
        """Return what both parts come to."""
        return Alone(self.seconds + other.seconds, self.cpu_s + other.cpu_s, {**self.answers, **other.answers})


def run_alone(load: Load, numbers: Iterable[int]) -> Alone:
    """Do tasks in the calling thread."""
    begin_s, begin_cpu_s = time.perf_counter(), time.thread_time()
    answers = {number: load.carry(number).answer for number in numbers}
    return Alone(time.perf_counter() - begin_s, time.thread_time() - begin_cpu_s, answers)


def _spin(until_s: float) -> None:
    while time.perf_counter() < until_s:
        pass


def _hash(number: int, blocks: int) -> bytes:
    digest = sha256(str(number).encode())
    for _ in range(blocks):
        digest.update(BLOCK)
    return digest.digest()
