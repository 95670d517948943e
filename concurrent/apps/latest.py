"""The latest answer to a question that many ask: made anew, but not so often that it costs the loop much."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

__all__ = ["Latest"]

SHARE: Final = 0.05
"""So much of the time of the loop goes into it at most, once it takes long."""

QUICK_S: Final = 0.005
"""What takes less is made for each who asks."""

T = TypeVar("T")


class Latest(Generic[T]):
    """See the module. Loop thread only.

    :param make: makes the answer.
    :param clock: returns the seconds since any fixed instant.
    """

    def __init__(self, make: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = make
        self._clock = clock
        self._kept: list[T] = []
        self._until = 0.0

    def get(self) -> T:
        """Return the answer."""
        begin = self._clock()
        if not self._kept or begin >= self._until:
            self._kept = [self._make()]
            end = self._clock()
            self._until = end + ((end - begin) / SHARE if end - begin > QUICK_S else 0.0)
        return self._kept[0]
