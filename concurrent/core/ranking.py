"""Things in the order of a value that changes often: a heap whose outdated entries are passed over."""

from __future__ import annotations

import heapq
from typing import Any

__all__ = ["Ranking"]

OUTDATED_MIN = 64
"""So many outdated entries are not worth sorting out."""

Entry = tuple[Any, ...]
"""The parts of a value, and the key at the end: equal values are in the order of their keys."""


class Ranking:
    """See the module. What is ranked has one value at a time; a change costs the logarithm of their count.

    A value is one number or several, all entries as many: the first that differs decides.
    """

    def __init__(self) -> None:
        self._entry_by_key: dict[Any, Entry] = {}
        self._heap: list[Entry] = []
        self._entries_max = OUTDATED_MIN

    def __len__(self) -> int:
        return len(self._entry_by_key)

    def put(self, entry: Entry) -> None:
        """Rank the key at the end of ``entry`` by what stands before it, whatever its value was."""
        heap = self._heap
        key = entry[-1]
        if self._entry_by_key.get(key) == entry:
            return
        self._entry_by_key[key] = entry
        if heap and heap[0][-1] == key:  # what was first is outdated now
            heapq.heapreplace(heap, entry)
            return
        heapq.heappush(heap, entry)
        if len(heap) > self._entries_max:
            self._sort_out()

    def drop(self, key: Any) -> None:
        """Rank ``key`` no more; nothing happens if it is not ranked."""
        self._entry_by_key.pop(key, None)

    def clear(self) -> None:
        """Rank nothing."""
        self._entry_by_key.clear()
        self._heap.clear()

    def first(self) -> Entry | None:
        """Return the least value with its key behind it; None if nothing is ranked."""
        heap, entry_by_key = self._heap, self._entry_by_key
        while heap:
            entry = heap[0]
            if entry_by_key.get(entry[-1]) is entry:
                return entry
            heapq.heappop(heap)
        return None

    def _sort_out(self) -> None:
        """Drop outdated entries; so rarely that it costs little for each change."""
        self._heap = list(self._entry_by_key.values())
        heapq.heapify(self._heap)
        self._entries_max = 2 * len(self._heap) + OUTDATED_MIN
