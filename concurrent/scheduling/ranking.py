"""Numbers in the order of a value that changes often: a heap whose outdated entries are passed over."""

from __future__ import annotations

import heapq

__all__ = ["Ranking"]

OUTDATED_MIN = 64
"""So many outdated entries are not worth sorting out."""


class Ranking:
    """See the module. What is ranked has one value at a time; a change costs the logarithm of their count."""

    def __init__(self) -> None:
        self._value_by_key: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []
        self._entries_max = OUTDATED_MIN

    def __len__(self) -> int:
        return len(self._value_by_key)

    def put(self, key: int, value: float) -> None:
        """Rank ``key`` by ``value``, whatever its value was."""
        heap = self._heap
        if self._value_by_key.get(key) == value:
            return
        self._value_by_key[key] = value
        if heap and heap[0][1] == key:  # what was first is outdated now
            heapq.heapreplace(heap, (value, key))
            return
        heapq.heappush(heap, (value, key))
        if len(heap) > self._entries_max:
            self._sort_out()

    def drop(self, key: int) -> None:
        """Rank ``key`` no more; nothing happens if it is not ranked."""
        self._value_by_key.pop(key, None)

    def clear(self) -> None:
        """Rank nothing."""
        self._value_by_key.clear()
        self._heap.clear()

    def first(self) -> tuple[float, int] | None:
        """Return the least value and its key; None if nothing is ranked."""
        heap, value_by_key = self._heap, self._value_by_key
        while heap:
            value, key = heap[0]
            if value_by_key.get(key) == value:
                return value, key
            heapq.heappop(heap)
        return None

    def _sort_out(self) -> None:
        """Drop outdated entries; so rarely that it costs little for each change."""
        self._heap = [(value, key) for key, value in self._value_by_key.items()]
        heapq.heapify(self._heap)
        self._entries_max = 2 * len(self._heap) + OUTDATED_MIN
