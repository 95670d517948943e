"""Clocks that can be handed in, so that what decides by time can be tested without waiting."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "Deadline", "ManualClock", "SystemClock"]


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> float:
        """Return seconds since some fixed instant; never runs backwards."""


class SystemClock:
    """The monotonic clock of the machine; any thread."""

    def now(self) -> float:
        """Return the seconds of ``time.monotonic``."""
        return time.monotonic()


class ManualClock:
    """A clock that stands until it is told to go on, for tests and simulations."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._now = start_s

    def now(self) -> float:
        """Return the seconds that were set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass.

        :raises ValueError: if they are negative.
        """
        if seconds < 0:
            raise ValueError(f"a clock does not run backwards: advance({seconds})")
        self._now += seconds


class Deadline:
    """The end of one allowance of time that several waits share.

    :param clock: what tells the time.
    :param timeout_s: the allowance in seconds from now.
    """

    def __init__(self, clock: Clock, timeout_s: float) -> None:
        self._clock = clock
        self._end = clock.now() + timeout_s

    def remaining_s(self) -> float:
        """Return the seconds left, 0.0 when there are none."""
        return max(0.0, self._end - self._clock.now())

    def is_over(self) -> bool:
        """Return whether nothing is left."""
        return self.remaining_s() == 0.0
