"""What is said becomes JSON and comes back, whatever another version has said instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from concurrent.core.status import Status, hints_of, part_of


@dataclass(frozen=True, slots=True)
class Wheel(Status):
    size: float
    spokes: int


@dataclass(frozen=True)
class Cart(Status):
    name: str
    is_old: bool
    load_kg: float
    owner: str | None
    wheels: tuple[Wheel, ...]
    spare: Wheel | None
    progress: tuple[int, int] | None
    wheel_by_place: Mapping[int, int | None]
    data: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)


CART = Cart(
    name="cart", is_old=True, load_kg=2.5, owner=None, wheels=(Wheel(1.0, 8), Wheel(2.0, 9)), spare=None,
    progress=(1, 4), wheel_by_place={1: 7, 2: None}, data={"a": [1]},
)  # fmt: skip
JSON = {
    "name": "cart",
    "is_old": True,
    "load_kg": 2.5,
    "owner": None,
    "wheels": [{"size": 1.0, "spokes": 8}, {"size": 2.0, "spokes": 9}],
    "spare": {},
    "progress": [1, 4],
    "wheel_by_place": {1: 7, 2: None},
    "data": {"a": [1]},
}
BLANK = Cart("", False, 0.0, None, (), None, None, {}, {})


def test_it_becomes_json_and_comes_back() -> None:
    assert CART.to_json() == JSON
    assert Cart.from_json(JSON) == CART
    assert list(CART.to_json()) == list(hints_of(Cart))
    assert Cart.from_json({**JSON, "spare": {"size": 3, "spokes": 1}}).spare == Wheel(3.0, 1)


def test_keys_that_are_texts_in_json_are_numbers_again() -> None:
    assert Cart.from_json({"wheel_by_place": {"1": 7}}).wheel_by_place == {1: 7}
    assert Cart.from_json({"wheel_by_place": {"front": 7}}).wheel_by_place == {}


@pytest.mark.parametrize("answer", [{}, None, "text", [1], 7])
def test_what_is_missing_is_blank(answer: Any) -> None:
    assert Cart.from_json(answer) == BLANK


@pytest.mark.parametrize("wrong", [["x"], {"x": 1}, object()])
def test_what_has_another_type_is_blank(wrong: Any) -> None:
    names = ("name", "is_old", "load_kg", "owner")
    cart = Cart.from_json(dict.fromkeys(names, wrong))
    assert (cart.name, cart.is_old, cart.load_kg) == ("", False, 0.0)
    assert Cart.from_json({"progress": [1]}).progress == (0, 0)
    assert Wheel.from_json({"size": True, "spokes": True}) == Wheel(0.0, 0)
    assert Cart.from_json({"wheels": [wrong]}).wheels == (Wheel(0.0, 0),)


def test_what_is_not_known_is_kept_where_there_is_a_place_for_it() -> None:
    cart = Cart.from_json({**JSON, "colour": "red"})
    assert cart.more == {"colour": "red"}
    assert cart.to_json() == {**JSON, "colour": "red"}
    assert Wheel.from_json({"size": 1.0, "spokes": 8, "colour": "red"}) == Wheel(1.0, 8)


def test_a_part_that_may_be_missing_is_told_from_other_types() -> None:
    assert part_of(Wheel | None) is Wheel
    assert [part_of(hint) for hint in (Wheel, int | None, int | str, int)] == [None] * 4
