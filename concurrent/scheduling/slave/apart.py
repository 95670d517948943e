"""Tasks that do not wait with the others of a pool, because of how they are to run. Pure; the pool owns it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.scheduling.slave.crew import Crew, Item

__all__ = ["Apart"]


class Apart:
    """See the module. ``numbers`` has those of all that are known, ``waiting`` those that no worker has."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self.waiting: deque[Item] = deque()

    @property
    def next_crew(self) -> Crew | None:
        """The crew of the first waiting task."""
        return self.waiting[0][2] if self.waiting else None

    def set_apart(self, items: Sequence[Item]) -> Sequence[Item]:
        """Keep those of these tasks that are known; return the others."""
        if not self.numbers:
            return items
        self.waiting += (item for item in items if item[0] in self.numbers)
        return [item for item in items if item[0] not in self.numbers]

    def remove(self, numbers: Collection[int]) -> list[Item]:
        """Take out the waiting tasks with these numbers, and return those that were here."""
        removed = [item for item in self.waiting if item[0] in numbers]
        if removed:
            self.waiting = deque(item for item in self.waiting if item[0] not in numbers)
        return removed

    def forget(self, numbers: Iterable[int]) -> None:
        """Know no more of tasks that have ended."""
        self.numbers.difference_update(numbers)
