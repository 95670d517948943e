"""Stands for an application's own module in the tests of travelling code."""

from __future__ import annotations

import functools
from collections.abc import Callable

LIMIT = 10
ITEMS: list[int] = []


class Shape:
    name = "shape"

    def __init__(self, sides: int) -> None:
        self.sides = sides

    def doubled(self) -> Shape:
        return Shape(2 * self.sides)


class Square(Shape):
    def __init__(self) -> None:
        super().__init__(4)


class Unloadable:
    """Pickles, but cannot be rebuilt."""

    def __reduce__(self) -> tuple[object, ...]:
        return Unloadable._refuse, ()

    @staticmethod
    def _refuse() -> None:
        raise RuntimeError("refused")


def twice(function: Callable[[int], int]) -> Callable[[int], int]:
    @functools.wraps(function)
    def wrapper(number: int) -> int:
        return 2 * function(number)

    return wrapper


@twice
def capped(number: int) -> int:
    return min(number, LIMIT)


def countdown(number: int) -> int:
    return 0 if number == 0 else 1 + countdown(number - 1)


def item_count() -> int:
    return len(ITEMS)


def shape_of(sides: int) -> Shape:
    return Shape(sides)


def make_square() -> Square:
    return Square()
