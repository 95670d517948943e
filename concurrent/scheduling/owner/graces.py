"""Which tasks may still be at it though they were cancelled: they have a grace, which can be shortened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["Graces"]

LOOK_COUNT: Final = 1000
"""What is over is looked for when there are so many more than after the last look."""


class Graces:
    """See the module. Loop thread only."""

    def __init__(self) -> None:
        self._over_at: dict[int, float] = {}
        self._look_at_count = LOOK_COUNT

    def __contains__(self, task_id: int) -> bool:
        return task_id in self._over_at

    def note(self, ids: Iterable[int], grace_s: float, now: float) -> None:
        """Take note that tasks were cancelled.

        :param now: the loop's time.
        """
        if grace_s:
            self._over_at.update(dict.fromkeys(ids, now + grace_s))
        else:
            for task_id in ids:
                self._over_at.pop(task_id, None)
        if len(self._over_at) >= self._look_at_count:
            self._over_at = {one: at for one, at in self._over_at.items() if at > now}
            self._look_at_count = 2 * len(self._over_at) + LOOK_COUNT
