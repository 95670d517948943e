"""The look at what a program may have changed: the compiled one and its twin in Python."""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, ModuleType
from typing import Any

import pytest

from concurrent.core.native import glance_py

GONE = object()


@pytest.fixture(params=["python", "cython"])
def glance_class(request: pytest.FixtureRequest) -> Any:
    if request.param == "python":
        return glance_py.Glance
    reason = "the routine was not compiled: no C compiler or no Cython at installation"
    return pytest.importorskip("concurrent.core.native._glance", reason=reason).Glance


class Place:
    """Things that a program can change."""

    def __init__(self) -> None:
        class Thing:
            size = 10**6

            def area(self) -> int:
                return self.size

        def function(width: int = 10**6, *, height: int = 10**6) -> Any:
            return width, height, self.cell

        self.space: dict[str, Any] = {"a": 10**6, "b": "text"}
        self.kind = Thing
        self.function = function
        self.function.note = 1  # type: ignore[attr-defined]
        self.cell = CellType(10**6)
        self.empty = CellType()

    def glance(self, kind: Any) -> Any:
        """Look at all of them."""
        return kind(
            [(self.space, ("a", "b", "missing"), GONE)],
            [vars(self.kind), vars(self.function)],
            [self.function],
            [self.cell, self.empty],
        )


def equal_code(place: Place) -> None:
    place.function.__code__ = place.function.__code__.replace()


CHANGES: dict[str, Callable[[Place], object]] = {
    "a name": lambda place: place.space.update(a=2),
    "a name, to an equal object": lambda place: place.space.update(a=int("1000000")),
    "a name that is gone": lambda place: place.space.pop("b"),
    "a name that was not there": lambda place: place.space.update(missing=1),
    "an attribute of a class": lambda place: setattr(place.kind, "size", 2),
    "a method": lambda place: setattr(place.kind, "area", lambda self: 0),
    "a new attribute of a class": lambda place: setattr(place.kind, "other", 1),
    "an attribute of a class that is gone": lambda place: delattr(place.kind, "size"),
    "an attribute of a function": lambda place: setattr(place.function, "note", 2),
    "code": equal_code,
    "defaults": lambda place: setattr(place.function, "__defaults__", (2,)),
    "no defaults": lambda place: setattr(place.function, "__defaults__", None),
    "defaults of keywords": lambda place: setattr(place.function, "__kwdefaults__", {"height": 2}),
    "a closure": lambda place: setattr(place.cell, "cell_contents", 2),
    "a closure that is emptied": lambda place: delattr(place.cell, "cell_contents"),
    "a closure that is filled": lambda place: setattr(place.empty, "cell_contents", 2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_is_another_object_is_seen(glance_class: Any, change: str) -> None:
    place = Place()
    glance = place.glance(glance_class)
    assert glance.is_same()
    CHANGES[change](place)
    assert not glance.is_same()
    assert place.glance(glance_class).is_same()


def test_what_nobody_looks_at_may_change(glance_class: Any) -> None:
    place = Place()
    glance = place.glance(glance_class)
    place.space["other"] = 1
    assert glance.is_same()


def test_a_change_is_seen_after_others_that_did_not_matter(glance_class: Any) -> None:
    place = Place()
    glance = place.glance(glance_class)
    for number in range(100):  # as the names of a loop in a script do
        place.space["other"] = number
        assert glance.is_same()
    place.space["a"] = 2
    assert not glance.is_same()


def test_a_change_by_code_that_has_run_often_is_seen(glance_class: Any) -> None:
    module = ModuleType("module")
    module.size = 0  # type: ignore[attr-defined]

    def write(size: int) -> None:
        module.size = size  # type: ignore[attr-defined]

    for number in range(100):
        glance = glance_class([(vars(module), ("size",), GONE)], [], [], [])
        assert glance.is_same()
        write(number + 10**6)
        assert not glance.is_same()


def test_the_very_object_that_comes_back_counts_as_the_same(glance_class: Any) -> None:
    place = Place()
    glance = place.glance(glance_class)
    before = place.space["a"]
    place.space["a"] = 2
    place.space["a"] = before
    assert glance.is_same()


def test_nothing_is_always_the_same(glance_class: Any) -> None:
    assert glance_class((), (), (), ()).is_same()
