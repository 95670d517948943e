"""How far ahead work is dealt: estimates from what tasks took lately. A pure module."""

from __future__ import annotations

from typing import Final

__all__ = ["Pace"]

AHEAD_S: Final = 0.2
"""How much work lies ready at each worker."""

AHEAD_SHARED_S: Final = 0.004
"""The same while several applications take turns: nobody's next task shall lie far behind others."""

HOLD_MIN_S: Final = 0.001
"""A worker may hold results back for this time in any case, while it has more to do."""

HOLD_SHARE: Final = 0.5
"""A worker may hold results back for that part of what lies ready there, so that it gets more in time."""

DEPTH_MAX: Final = 1024
DEPTH_BYTES_MAX: Final = 4 * 1024 * 1024
EXTRA_BELOW_S: Final = 1.0
EXTRA_BELOW_SHARED_S: Final = 0.1
"""Shorter tasks get one extra at the worker, so that it need not wait for the slave between two."""

SHARE_S: Final = 50e-6
"""A worker is not woken for less work than this while others are awake."""

REPORT_SHARE: Final = 0.2
REPORT_MAX_S: Final = 0.1
REPORT_MIN_S: Final = 0.0005
"""Outcomes may wait for others for a fifth of the time that the waiting tasks will take, within bounds."""

HELD_S: Final = 0.4
"""How much work a pool wants to hold for each worker: what it takes to report outcomes in batches, and a few
round trips to the master."""

HELD_MAX: Final = 4096
HELD_BYTES_MAX: Final = 8 * 1024 * 1024

DURATION_MIN_S: Final = 1e-7
FIRST_GUESS_S: Final = 0.01
WEIGHT_MAX: Final = 0.5


class Pace:
    """Moving averages of the duration and size of tasks, and the amounts that follow from them.

    That of the duration is a geometric mean: a few long tasks among many short ones hardly change it.
    """

    def __init__(self) -> None:
        self.duration_s = FIRST_GUESS_S
        self._size_bytes = 0.0

    def note_durations(self, count: int, busy_s: float) -> None:
        """Take into account ``count`` tasks that took ``busy_s`` seconds together."""
        weight = min(WEIGHT_MAX, 0.1 * count)
        self.duration_s *= (max(busy_s / count, DURATION_MIN_S) / self.duration_s) ** weight

    def note_sizes(self, count: int, size_bytes: int) -> None:
        """Take into account ``count`` payloads of ``size_bytes`` bytes together."""
        weight = min(WEIGHT_MAX, 0.1 * count)
        self._size_bytes += weight * (size_bytes / count - self._size_bytes)

    def depth(self, *, is_shared: bool) -> int:
        """Return how many tasks one worker may have, the running one included.

        :param is_shared: whether several applications have tasks waiting.
        """
        least = 1 if self.duration_s < (EXTRA_BELOW_SHARED_S if is_shared else EXTRA_BELOW_S) else 0
        ahead_s = AHEAD_SHARED_S if is_shared else AHEAD_S
        wanted = min(DEPTH_MAX, int(ahead_s / self.duration_s), int(DEPTH_BYTES_MAX / (self._size_bytes + 1)))
        return 1 + max(least, wanted)

    @property
    def share(self) -> int:
        """How many tasks are worth waking a worker for."""
        return max(1, int(SHARE_S / self.duration_s))

    def report_delay_s(self, waiting_count: int, worker_count: int) -> float:
        """Return how long outcomes may wait for others to travel with them; 0 if they should leave at once.

        :param waiting_count: how many tasks of their application are here that do not run.
        """
        delay_s = REPORT_SHARE * waiting_count * self.duration_s / worker_count
        return 0.0 if delay_s < REPORT_MIN_S else min(delay_s, REPORT_MAX_S)

    def hold_s(self, waiting_count: int, worker_count: int, *, is_shared: bool) -> float:
        """Return how long a worker may hold results of these tasks back; see :meth:`report_delay_s`."""
        hold_max_s = HOLD_SHARE * (AHEAD_SHARED_S if is_shared else AHEAD_S)
        return max(HOLD_MIN_S, min(self.report_delay_s(waiting_count, worker_count), hold_max_s))

    def window(self, worker_count: int, standing_count: int = 0) -> int:
        """Return how many tasks a pool of ``worker_count`` workers wants to hold in all.

        :param standing_count: how many of them run a task that takes long: nothing is to wait for these.
        """
        free_count = worker_count - standing_count
        if free_count <= 0:
            return worker_count
        per_worker = min(HELD_MAX, HELD_S / self.duration_s, HELD_BYTES_MAX / (self._size_bytes + 1))
        return worker_count + max(1, int(free_count * per_worker))
