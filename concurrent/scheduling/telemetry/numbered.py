"""Things that come again and again, by small numbers, so that arrays can refer to them. A pure module."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

__all__ = ["Numbered"]

K = TypeVar("K", bound=Hashable)


class Numbered(Generic[K]):
    """Gives each thing a number, from 1 on. Number 0 stands for all that there is no room for.

    :param rest: what number 0 is shown as.
    :param count_max: how many things have a number at once.
    """

    def __init__(self, rest: K, count_max: int) -> None:
        self._keys: list[K | None] = [rest]
        self._number_by_key: dict[K, int] = {}
        self._free: list[int] = []
        self._count_max = count_max

    def __len__(self) -> int:
        """Return how many things have a number."""
        return len(self._number_by_key)

    @property
    def is_full(self) -> bool:
        """Whether what is new is number 0 from now on, until something is forgotten."""
        return len(self._number_by_key) >= self._count_max

    def number(self, key: K) -> int:
        """Return the number of a thing, which it keeps from now on; 0 if there is no room for it."""
        number = self._number_by_key.get(key)
        if number is not None:
            return number
        if self.is_full:
            return 0
        if self._free:
            number = self._free.pop()
            self._keys[number] = key
        else:
            number = len(self._keys)
            self._keys.append(key)
        self._number_by_key[key] = number
        return number

    def key(self, number: int) -> K:
        """Return the thing with a number."""
        key = self._keys[number]
        assert key is not None, f"number {number} is in use"
        return key

    def keep(self, used: Collection[int]) -> None:
        """Forget everything but what has one of these numbers."""
        for key, number in list(self._number_by_key.items()):
            if number not in used:
                del self._number_by_key[key]
                self._keys[number] = None
                self._free.append(number)
