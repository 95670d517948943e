"""The waiting tasks of a pool: those of each application in their order, the applications in turns. Pure.

The next turn is that of the application which has been given the fewest tasks, but nobody counts as further
behind than a credit. So who was away for a while gets first what it did not use, which makes short jobs soon
done beside a flood, and cannot save up more. (Virtual time with a bound on lag, as in fair queueing.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.scheduling.slave.workerlink import AppBlobs, Item

__all__ = ["FairQueue"]

_given_count = attrgetter("given_count")


class FairQueue:
    """See the module. ``count`` tells how many tasks wait."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting_by_app: dict[AppBlobs, deque[Item]] = {}

    def __iter__(self) -> Iterator[Item]:
        for waiting in self._waiting_by_app.values():
            yield from waiting

    def extend(self, items: Sequence[Item]) -> None:
        """Add tasks of one application behind its others."""
        self._waiting_of(items[0][2]).extend(items)
        self.count += len(items)

    def put_back(self, items: Sequence[Item]) -> None:
        """Add tasks that were taken, oldest first, before the others of their applications."""
        for item in reversed(items):
            app = item[2]
            app.given_count -= 1
            self._waiting_of(app).appendleft(item)
        self.count += len(items)

    @property
    def is_shared(self) -> bool:
        """Whether tasks of several applications wait."""
        return len(self._waiting_by_app) > 1

    def take(self, count: int, turn: int, credit: int) -> list[Item]:
        """Take up to ``count`` tasks of the application whose turn it is.

        :param turn: how many it gets at most while others wait too.
        :param credit: how many it may be behind another one.
        """
        apps = self._waiting_by_app
        if len(apps) == 1:
            app = next(iter(apps))
        else:
            app = min(apps, key=_given_count)
            app.given_count = max(app.given_count, max(map(_given_count, apps)) - credit)
            count = min(count, max(1, turn))
        waiting = apps[app]
        size = min(len(waiting), count)
        items = [waiting.popleft() for _ in range(size)]
        self.count -= size
        app.given_count += size
        if not waiting:
            del apps[app]
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
                del self._waiting_by_app[app]
        return items

    def remove(self, numbers: Collection[int]) -> list[Item]:
        """Take out the tasks with these numbers, and return those that were here."""
        removed = [item for item in self if item[0] in numbers]
        if removed:
            for app, waiting in list(self._waiting_by_app.items()):
                kept = deque(item for item in waiting if item[0] not in numbers)
                self._waiting_by_app[app] = kept
                if not kept:
                    del self._waiting_by_app[app]
            self.count -= len(removed)
        return removed

    def _waiting_of(self, app: AppBlobs) -> deque[Item]:
        waiting = self._waiting_by_app.get(app)
        if waiting is None:
            waiting = self._waiting_by_app[app] = deque()
        return waiting
