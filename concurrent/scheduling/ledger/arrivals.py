"""When tasks came, as far as their numbers tell. Pure.

Tasks are numbered as they come, so it is enough to know now and then how far the numbers were. What came
between two looks counts as having come at the earlier one.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

__all__ = ["Arrivals"]

LOOKS_MAX: Final = 4096
"""So many looks are remembered; tasks from before count as having come at the oldest one."""


class Arrivals:
    """See the module."""

    def __init__(self) -> None:
        self._numbers = [0]
        self._times = [0.0]

    def look(self, next_number: int, now: float) -> None:
        """Take note of which number the next task will have.

        :param now: the time, in seconds since any fixed instant.
        """
        if next_number > self._numbers[-1]:
            self._numbers.append(next_number)
            self._times.append(now)
            if len(self._numbers) > LOOKS_MAX:
                del self._numbers[: LOOKS_MAX // 2], self._times[: LOOKS_MAX // 2]
        else:
            self._times[-1] = now

    def of(self, number: int) -> float:
        """Return when the task with this number came, in seconds since the same instant."""
        return self._times[max(0, bisect_right(self._numbers, number) - 1)]

    def age_s(self, number: int) -> float:
        """Return how long before the latest look the task with this number came, in seconds.

        One from before the first look, as after a start of the master, counts as having come then.
        """
        return self._times[-1] - max(self.of(number), self._times[0] or self._times[:2][-1])
