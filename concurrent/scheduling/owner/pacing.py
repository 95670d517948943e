"""When a task system is pickled: so often that little is done again, so seldom that it costs little. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["INTERVAL_MAX_S", "STATE_BYTES_MAX", "CheckpointPacing"]

INTERVAL_MIN_S: Final = 0.2
INTERVAL_MAX_S: Final = 5.0
"""At least so often a checkpoint is made of a system that goes on, whatever that costs."""

SHARE: Final = 20
"""A checkpoint is made when the time since the last one is so many times what that took."""

STATE_BYTES_MAX: Final = 64 << 20
"""A larger checkpoint is worth a word: it is written again and again."""


class CheckpointPacing:
    """See the module.

    :param clock: tells the time, in seconds since any instant.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._cost_s = 0.0
        self._last_at = clock()
        self._has_warned = False

    @property
    def due_in_s(self) -> float:
        """In how many seconds a system that has gone on is to be pickled; 0 or less: now."""
        interval_s = min(max(SHARE * self._cost_s, INTERVAL_MIN_S), INTERVAL_MAX_S)
        return self._last_at + interval_s - self._clock()

    def made(self, began_at: float, size_bytes: int) -> str:
        """Take note that a checkpoint was made, or tried.

        :param began_at: when, by the clock.
        :param size_bytes: how large it is.
        :returns: what people should know of it, once; mostly nothing.
        """
        self._last_at = self._clock()
        self._cost_s = self._last_at - began_at
        if self._has_warned:
            return ""
        problems: list[str] = []
        if size_bytes > STATE_BYTES_MAX:
            problems.append(f"has {size_bytes >> 20} MiB")
        if SHARE * self._cost_s > INTERVAL_MAX_S:
            problems.append(f"takes {self._cost_s:.1f} s of every {INTERVAL_MAX_S:.0f}")
        self._has_warned = bool(problems)
        return " and ".join(problems)
