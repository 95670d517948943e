"""Waiting tasks of one crew that differ in priority. Pure.

A point of priority counts as ten seconds of waiting, as at the master: so nothing that is urgent keeps the rest
from running for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING

from concurrent.scheduling.tasks.terms import POINT_S

if TYPE_CHECKING:
    from concurrent.scheduling.slave.crew import Item

__all__ = ["RankedTasks"]


class RankedTasks:
    """See the module. It is used as a deque is.

    :param clock: returns the time, in seconds.
    :param items: those that wait already, in their order.
    """

    def __init__(self, clock: Callable[[], float], items: Iterable[Item] = ()) -> None:
        self._clock = clock
        self._lanes: dict[int, deque[tuple[float, Item]]] = {}
        self._count = 0
        for item in items:
            self.extend([item])

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        for lane in self._lanes.values():
            for _, item in lane:
                yield item

    @property
    def priority(self) -> int:
        """The priority of the first one; 0 if there is none."""
        return self._first()[0] if self._count else 0

    @property
    def rank(self) -> float:
        """When the first one came, less what its priority is worth; what has the least comes first."""
        return self._first()[1] if self._count else inf

    def extend(self, items: Collection[Item]) -> None:
        """Add tasks that have just come."""
        now = self._clock()
        for item in items:
            self._lane(item).append((now, item))
        self._count += len(items)

    def appendleft(self, item: Item) -> None:
        """Add a task before the others of its priority."""
        lane = self._lane(item)
        lane.appendleft((lane[0][0] if lane else self._clock(), item))
        self._count += 1

    def take(self, count: int) -> list[Item]:
        """Take up to ``count`` tasks, those that come first."""
        items: list[Item] = []
        while self._count and len(items) < count:
            ranks = sorted(
                (lane[0][0] - POINT_S * priority, -priority) for priority, lane in self._lanes.items()
            )
            priority = -ranks[0][1]
            least = ranks[1][0] + POINT_S * priority if len(ranks) > 1 else inf
            lane = self._lanes[priority]
            before = len(items)
            while lane and len(items) < count and lane[0][0] <= least:
                items.append(lane.popleft()[1])
            self._count -= len(items) - before
            if not lane:
                del self._lanes[priority]
        return items

    def pop(self) -> Item:
        """Take the task that comes last, of those with the least priority."""
        priority = min(self._lanes)
        lane = self._lanes[priority]
        item = lane.pop()[1]
        self._count -= 1
        if not lane:
            del self._lanes[priority]
        return item

    def remove(self, numbers: Collection[int]) -> None:
        """Take out the tasks with these numbers."""
        for priority, lane in list(self._lanes.items()):
            kept = deque(one for one in lane if one[1][0] not in numbers)
            self._count -= len(lane) - len(kept)
            if kept:
                self._lanes[priority] = kept
            else:
                del self._lanes[priority]

    def _first(self) -> tuple[int, float]:
        """Return the priority and the rank of the task that comes first."""
        ranks = ((priority, lane[0][0] - POINT_S * priority) for priority, lane in self._lanes.items())
        return min(ranks, key=lambda one: (one[1], -one[0]))

    def _lane(self, item: Item) -> deque[tuple[float, Item]]:
        priority = item[3].priority
        lane = self._lanes.get(priority)
        if lane is None:
            lane = self._lanes[priority] = deque()
        return lane
