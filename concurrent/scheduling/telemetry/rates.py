"""How many things happen in a second, of the last ones. A pure module."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["SPAN_S", "Rate"]

SPAN_S: Final = 10
"""Over so many seconds a rate is taken."""


class Rate:
    """See the module. Times are seconds since any fixed instant.

    :param now: from when on it is counted.
    """

    def __init__(self, now: float) -> None:
        self._since = now
        self._counts: deque[list[int]] = deque()  # of each second, and the second

    def note(self, now: float, count: int) -> None:
        """Count what has happened."""
        counts = self._counts
        second = int(now)
        if counts and counts[-1][1] == second:
            counts[-1][0] += count
            return
        counts.append([count, second])
        while len(counts) > SPAN_S + 1:
            counts.popleft()

    def count(self, now: float) -> int:
        """Return how much has happened in the last seconds."""
        return sum(count for count, second in self._counts if int(now) - SPAN_S <= second <= now)

    def per_s(self, now: float) -> float:
        """Return how much has happened in a second, of the last ones or as far as it was counted.

        If the clock was set back behind the beginning, that is when it was asked first since.
        """
        self._since = min(self._since, now)
        return self.count(now) / min(SPAN_S + now - int(now), max(1.0, now - self._since))
