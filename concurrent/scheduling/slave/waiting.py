"""The waiting tasks of a pool: those of each crew in their order. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence

from concurrent.scheduling.slave.crew import Crew, Item
from concurrent.scheduling.slave.ranked import RankedTasks

__all__ = ["WaitingTasks"]


class WaitingTasks:
    """See the module. ``count`` tells how many tasks wait, ``crews`` which crews they belong to."""

    def __init__(self) -> None:
        self.count = 0
        self.crews: dict[Crew, None] = {}

    def __iter__(self) -> Iterator[Item]:
        for crew in self.crews:
            yield from crew.waiting

    @property
    def is_shared(self) -> bool:
        """Whether tasks of several crews wait."""
        return len(self.crews) > 1

    def extend(self, items: Sequence[Item]) -> None:
        """Add tasks of one crew behind its others."""
        crew = items[0][2]
        crew.waiting.extend(items)
        self.crews[crew] = None
        self.count += len(items)

    def put_back(self, items: Sequence[Item]) -> None:
        """Add tasks that were taken, oldest first, before the others of their crews."""
        for item in reversed(items):
            crew = item[2]
            crew.waiting.appendleft(item)
            self.crews[crew] = None
        self.count += len(items)

    def take(self, crew: Crew, count: int) -> list[Item]:
        """Take up to ``count`` tasks of a crew, the oldest first, or those with the highest priority."""
        waiting = crew.waiting
        size = min(len(waiting), count)
        if isinstance(waiting, RankedTasks):
            items = waiting.take(size)
        else:
            items = [waiting.popleft() for _ in range(size)]
        self._taken(crew, size)
        return items

    def take_newest(self, count: int) -> list[Item]:
        """Take up to ``count`` tasks from the end, newest first, of whichever crew has most."""
        items: list[Item] = []
        while self.count and len(items) < count:
            crew = max(self.crews, key=lambda one: len(one.waiting))
            size = min(len(crew.waiting), count - len(items))
            items += (crew.waiting.pop() for _ in range(size))
            self._taken(crew, size)
        return items

    def remove(self, numbers: Collection[int]) -> list[Item]:
        """Take out the tasks with these numbers, and return those that were here."""
        removed = [item for item in self if item[0] in numbers]
        for crew in {item[2] for item in removed}:
            before = len(crew.waiting)
            if isinstance(crew.waiting, RankedTasks):
                crew.waiting.remove(numbers)
            else:
                crew.waiting = deque(item for item in crew.waiting if item[0] not in numbers)
            self._taken(crew, before - len(crew.waiting))
        return removed

    def _taken(self, crew: Crew, count: int) -> None:
        self.count -= count
        if not crew.waiting:
            self.crews.pop(crew, None)
