"""The end of what tasks printed that have ended, for owners who ask. A pure module; the newest is kept."""

from __future__ import annotations

from collections.abc import Container
from itertools import islice
from typing import Final

__all__ = ["OutputShelf"]

OWNER_CHARS_MAX: Final = 4 << 20
CHARS_MAX: Final = 32 << 20
"""How much is kept of one owner, and of all together."""

END_CHARS_MAX: Final = 20_000
"""How much is kept of one task; slaves send less."""

OVERHEAD_CHARS: Final = 200
"""What a text counts for besides its length."""


class _Shelf:
    """What is kept of one owner, the oldest first."""

    def __init__(self) -> None:
        self.end_by_id: dict[int, str] = {}
        self.chars = 0
        self.put_count = 0

    def put(self, task_id: int, end: str) -> None:
        self._drop(task_id)
        self.put_count += 1
        self.end_by_id[task_id] = end
        self.chars += len(end) + OVERHEAD_CHARS

    def drop_oldest(self) -> None:
        self._drop(next(iter(self.end_by_id)))

    def _drop(self, task_id: int) -> None:
        end = self.end_by_id.pop(task_id, None)
        if end is not None:
            self.chars -= len(end) + OVERHEAD_CHARS


class OutputShelf:
    """See the module."""

    def __init__(self) -> None:
        self._shelf_by_owner: dict[int, _Shelf] = {}

    def put(self, owner: int, task_id: int, end: str) -> None:
        """Keep the end of what a task has printed, in the place of what a former try of it has."""
        shelf = self._shelf_by_owner.get(owner)
        if shelf is None:
            shelf = self._shelf_by_owner[owner] = _Shelf()
        shelf.put(task_id, end[-END_CHARS_MAX:])
        while shelf.chars > OWNER_CHARS_MAX:
            shelf.drop_oldest()

    def get(self, owner: int, task_id: int) -> str:
        """Return what is kept of a task; empty if nothing is."""
        shelf = self._shelf_by_owner.get(owner)
        return shelf.end_by_id.get(task_id, "") if shelf is not None else ""

    def put_count(self, owner: int) -> int:
        """Return how many texts of an owner have come."""
        shelf = self._shelf_by_owner.get(owner)
        return shelf.put_count if shelf is not None else 0

    def latest(self, owner: int, count: int) -> list[int]:
        """Return of which tasks of an owner the last texts are kept, the oldest first, so many at most."""
        shelf = self._shelf_by_owner.get(owner)
        if shelf is None or count <= 0:
            return []
        return list(islice(reversed(shelf.end_by_id), count))[::-1]

    def tidy(self, owners: Container[int]) -> None:
        """Drop what is too much, of whoever has most, and what belongs to nobody any more.

        :param owners: those that there are.
        """
        shelves = self._shelf_by_owner
        for owner in [owner for owner in shelves if owner not in owners]:
            del shelves[owner]
        over_chars = sum(shelf.chars for shelf in shelves.values()) - CHARS_MAX
        while over_chars > 0:
            largest = max(shelves.values(), key=lambda shelf: shelf.chars)
            over_chars -= largest.chars
            largest.drop_oldest()
            over_chars += largest.chars
