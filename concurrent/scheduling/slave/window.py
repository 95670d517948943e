"""How many tasks a pool wants to hold, and when it says so. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.scheduling.slave.pace import Pace

__all__ = ["Window"]

CHANGE: Final = 0.25
"""A window that has changed by less than this part of it is not told of."""


class Window:
    """See the module. ``count`` is what was told last. Nothing is wanted while ``is_open`` is false.

    :param pace: knows how long tasks take.
    :param size: how many run at once.
    :param on_change: called with the count when it has changed much.
    """

    def __init__(self, pace: Pace, size: int, on_change: Callable[[int], object]) -> None:
        self.is_open = True
        self.count = pace.window(size)
        self._pace = pace
        self._size = size
        self._on_change = on_change

    @property
    def usual_count(self) -> int:
        """What would be wanted if no worker ran a task that takes long."""
        return self._pace.window(self._size) if self.is_open else 0

    def look(self, standing_count: int = 0) -> None:
        """Say it if it has changed much, or if nothing more is to wait here than what runs.

        :param standing_count: how many workers run a task that takes long.
        """
        count = self._pace.window(self._size, standing_count) if self.is_open else 0
        is_told = (count > self._size) is (self.count > self._size)
        if abs(count - self.count) > CHANGE * self.count or not is_told:
            self.count = count
            self._on_change(count)
