"""Stands for an application's plug-in: a module that workers do not have, so its code travels by value."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from concurrent.scheduling import Task

OFFSET = 1000


class Colour(Enum):
    RED = 1
    BLUE = 2


class OwnError(Exception):
    def __init__(self, colour: Colour, detail: str) -> None:
        super().__init__(colour, detail)
        self.colour = colour
        self.detail = detail


@dataclass
class Point:
    x: int
    y: int

    def mirrored(self) -> Point:
        return Point(self.y, self.x)


class Base(Task):
    def __call__(self) -> object:
        return Point(1, 2)


class Derived(Base):
    def __call__(self) -> object:
        point = super().__call__()
        assert isinstance(point, Point)
        return point.mirrored()


def counted(function: Callable[[int], int]) -> Callable[[int], int]:
    @functools.wraps(function)
    def wrapper(number: int) -> int:
        return function(number) + 1

    return wrapper


@counted
def decorated(number: int) -> int:
    return shifted(number)


def shifted(number: int) -> int:
    return number + OFFSET


def mirror(point: Point) -> Point:
    return point.mirrored()


def fail(colour: Colour) -> None:
    raise OwnError(colour, "from the plug-in")
