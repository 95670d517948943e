"""The physics: particles in a rod that scatters them to and fro, and absorbs some. No word of a cluster here.

A particle flies an exponentially distributed distance, 1 on average, to its next collision. That absorbs it, or
sends it on to the left or to the right, each as likely. It has got through if it leaves the rod at the far end.
A wall in three dimensions is no different in kind, but of the rod the answer is known.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Shield", "generator"]


class Shield(NamedTuple):
    """A rod.

    :param thickness: in mean free paths.
    :param scattering: which share of collisions does not absorb, from 0 to below 1.
    """

    thickness: float
    scattering: float

    def count_through(self, particles: int, rng: random.Random) -> int:
        """Return how many of so many particles get through."""
        return sum(self._gets_through(rng.random) for _ in range(particles))

    def _gets_through(self, uniform: Callable[[], float]) -> bool:
        thickness, scattering = self.thickness, self.scattering
        place, direction = 0.0, 1.0
        while True:
            place -= direction * math.log(1.0 - uniform())
            if place < 0.0:
                return False
            if place > thickness:
                return True
            drawn = uniform()
            if drawn >= scattering:
                return False
            direction = 1.0 if drawn < scattering / 2 else -1.0

    def exact(self) -> float:
        """Return which share gets through, from the equations for the flow to the right and to the left.

        With k^2 = 1 - c: T = 1 / (cosh kL + (1 - c/2) / k sinh kL).
        """
        k = math.sqrt(1.0 - self.scattering)
        depth = k * self.thickness
        return 1.0 / (math.cosh(depth) + (1.0 - self.scattering / 2) / k * math.sinh(depth))


def generator(seed: int, stream: int) -> random.Random:
    """Return the random numbers of one stream: those of its number, whoever draws them and whenever.

    The state is made of a hash of both, so that streams of near numbers, or near seeds, have nothing in common.
    """
    return random.Random(f"seed {seed}, stream {stream}")  # a text is hashed by SHA-512
