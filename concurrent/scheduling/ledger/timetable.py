"""What happens to tasks when its time has come: a heap of times. Pure: it is told the time.

Whoever adds something may not know the time. So what is added counts from when it is told, which is at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final, Generic, TypeVar

from concurrent.scheduling.ledger.alarms import Alarm, Alarms

__all__ = ["Timetable"]

T = TypeVar("T")


TIDY_COUNT_MIN: Final = 1000
"""Up to so many entries nobody looks which of them have become superfluous."""


class Timetable(Generic[T]):
    """See the module. What became superfluous meanwhile is passed over by who asks for what is due.

    It is dropped before, too, when there are twice as many entries as there were after that the last time: else
    tasks that are long done would fill the memory until their time has come.

    :param alarm: rings when something is due; :meth:`due` has to be asked then.
    :param is_wanted: tells whether an entry is not superfluous.
    """

    def __init__(self, alarms: Alarms, alarm: Alarm, is_wanted: Callable[[T], bool]) -> None:
        self._alarms = alarms
        self._alarm = alarm
        self._is_wanted = is_wanted
        self._new: list[tuple[float, float, T]] = []
        self._heap: list[tuple[float, int, T]] = []
        self._places = count()
        self._tidy_at = TIDY_COUNT_MIN

    def __len__(self) -> int:
        return len(self._new) + len(self._heap)

    def add(self, item: T, delay_s: float, *, since: float = 0.0) -> None:
        """Have something become due.

        :param delay_s: after so long, in seconds.
        :param since: counted from this time of day, in seconds since the epoch; 0: from now.
        """
        self._new.append((delay_s, since, item))
        self._alarms.wake(self._alarm)

    def due(self, now: float, clock: float) -> list[T]:
        """Return what is due, the earliest first, and set the alarm for what is next.

        :param now: the time, in seconds since any fixed instant.
        :param clock: the time of day, in seconds since the epoch; 0 if it is not known.
        """
        heap = self._heap
        for delay_s, since, item in self._new:
            passed_s = clock - since if since and clock else 0.0
            heapq.heappush(heap, (now + delay_s - passed_s, next(self._places), item))
        self._new.clear()
        if len(heap) > self._tidy_at:
            heap[:] = [entry for entry in heap if self._is_wanted(entry[-1])]
            heapq.heapify(heap)
            self._tidy_at = max(TIDY_COUNT_MIN, 2 * len(heap))
        due: list[T] = []
        while heap and heap[0][0] <= now:
            due.append(heapq.heappop(heap)[-1])
        if heap:
            self._alarms.set(self._alarm, heap[0][0] - now)
        return due
