"""The waiting tasks of a pool: those of each application in their order, the applications in turns. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.scheduling.workerlink import AppBlobs, Item

__all__ = ["FairQueue"]


class FairQueue:
    """See the module. ``count`` tells how many tasks wait."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting_by_app: dict[AppBlobs, deque[Item]] = {}
        self._turns: deque[AppBlobs] = deque()

    def __iter__(self) -> Iterator[Item]:
        for waiting in self._waiting_by_app.values():
            yield from waiting

    def extend(self, items: Sequence[Item]) -> None:
        """Add tasks of one application behind its others."""
        self._waiting_of(items[0][2]).extend(items)
        self.count += len(items)

    def put_back(self, items: Sequence[Item]) -> None:
        """Add tasks, oldest first, before the others of their applications."""
        for item in reversed(items):
            self._waiting_of(item[2]).appendleft(item)
        self.count += len(items)

    @property
    def is_shared(self) -> bool:
        """Whether tasks of several applications wait."""
        return len(self._turns) > 1

    def take(self, count: int, turn: int) -> list[Item]:
        """Take up to ``count`` tasks of the application whose turn it is.

        :param turn: how many it gets at most while others wait too.
        """
        app = self._turns[0]
        waiting = self._waiting_by_app[app]
        size = min(len(waiting), count, max(1, turn) if self.is_shared else count)
        items = [waiting.popleft() for _ in range(size)]
        self.count -= size
        self._turns.rotate(-1)
        if not waiting:
            self._drop(app)
        return items

    def take_newest(self, count: int) -> list[Item]:
        """Take up to ``count`` tasks from the end, newest first, of whichever application has most."""
        items: list[Item] = []
        while self.count and len(items) < count:
            app = max(self._waiting_by_app, key=lambda one: len(self._waiting_by_app[one]))
            waiting = self._waiting_by_app[app]
            size = min(len(waiting), count - len(items))
            items += (waiting.pop() for _ in range(size))
            self.count -= size
            if not waiting:
                self._drop(app)
        return items

    def remove(self, numbers: Collection[int]) -> list[Item]:
        """Take out the tasks with these numbers, and return those that were here."""
        removed = [item for item in self if item[0] in numbers]
        if removed:
            for app, waiting in list(self._waiting_by_app.items()):
                kept = deque(item for item in waiting if item[0] not in numbers)
                self._waiting_by_app[app] = kept
                if not kept:
                    self._drop(app)
            self.count -= len(removed)
        return removed

    def _waiting_of(self, app: AppBlobs) -> deque[Item]:
        waiting = self._waiting_by_app.get(app)
        if waiting is None:
            waiting = self._waiting_by_app[app] = deque()
            self._turns.append(app)
        return waiting

    def _drop(self, app: AppBlobs) -> None:
        del self._waiting_by_app[app]
        self._turns.remove(app)
