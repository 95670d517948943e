"""The estimate with its error, from streams that finish in any order. A pure module.

How many streams are enough must not depend on which of them are fast. So streams count in the order of their
numbers: the estimate is that of the first n, for the smallest n that is enough. What has finished behind that
is left out, and what is missing before it is waited for.
"""

from __future__ import annotations

import math

__all__ = ["STREAMS_MIN", "Estimate"]

STREAMS_MIN = 30
"""Of fewer the error is not known well enough to stop by it."""


class Estimate:
    """Collects how many particles got through in each stream.

    :param particles: in each stream.
    :param goal: the standard error to reach, relative to the estimate.
    """

    def __init__(self, particles: int, goal: float) -> None:
        self.particles = particles
        self.goal = goal
        self.streams = 0
        self.through = 0
        self._squares = 0
        self._early: dict[int, int] = {}

    def take(self, stream: int, through: int) -> None:
        """Take the result of a stream; of one that is known already nothing changes."""
        self._early[stream] = through
        while not self.is_good and self.streams in self._early:
            count = self._early.pop(self.streams)
            self.streams += 1
            self.through += count
            self._squares += count * count

    @property
    def share(self) -> float:
        """Which share gets through."""
        return self.through / (self.streams * self.particles) if self.streams else 0.0

    @property
    def error(self) -> float:
        """The standard error of the share: the scatter of the streams, by the root of their number."""
        n = self.streams
        if n < 2:
            return math.inf
        variance = (n * self._squares - self.through**2) / (n * (n - 1))  # of whole numbers: nothing is rounded
        return math.sqrt(variance / n) / self.particles

    @property
    def is_good(self) -> bool:
        """Whether the error is small enough."""
        return self.streams >= STREAMS_MIN and self.through > 0 and self.error <= self.goal * self.share
