"""How much of a list a status shows: the rows that matter most; the rest is counted. A pure module."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection
from typing import Any, Final, TypeVar

__all__ = ["ROWS_MAX", "chosen_rows"]

ROWS_MAX: Final = 100
"""How many rows of one list anybody is shown, however many there are."""

T = TypeVar("T")


def chosen_rows(items: Collection[T], rank: Callable[[T], Any], count_max: int = ROWS_MAX) -> list[T]:
    """Return the ``count_max`` items of the highest rank, in their own order: rows do not jump about."""
    if len(items) <= count_max:
        return list(items)
    chosen = {id(item) for item in heapq.nlargest(count_max, items, rank)}
    return [item for item in items if id(item) in chosen]
