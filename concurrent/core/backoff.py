"""Growing delays between attempts, for reconnecting and restarting; no clock, no waiting."""

from __future__ import annotations

from random import Random

__all__ = ["Backoff"]


class Backoff:
    """Delays that double from ``initial_s`` up to ``maximum_s``, each shortened at random by up to half.

    The random part keeps many peers from coming back at the same instant.

    :param random: the source of chance; give a seeded one for repeatable delays.
    """

    def __init__(self, initial_s: float = 0.1, maximum_s: float = 5.0, *, random: Random | None = None) -> None:
        self._initial_s = initial_s
        self._maximum_s = maximum_s
        self._random = random or Random()
        self._attempts = 0

    def next_delay(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        ceiling = min(self._maximum_s, self._initial_s * 2.0 ** min(self._attempts, 60))
        self._attempts += 1
        return ceiling * self._random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin again with the shortest delay, after a success."""
        self._attempts = 0
