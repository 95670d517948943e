"""What tasks ask for: how terms come from tasks and functions, and travel."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling import Task, Terms
from concurrent.scheduling.tasks.terms import once, terms_from, terms_of, terms_of_call, terms_of_each
from concurrent.scheduling.wire.stretches import pack_stretches, parts_of, read_stretches


class Cube(Task):
    attempts_max = 5


class Slotted(Task):
    __slots__ = ("name",)


class Named(Task):
    name = "resize"


def test_a_task_asks_for_what_its_attributes_say() -> None:
    task = Cube()
    assert terms_of(task) == Terms(attempts_max=5, name="Cube")
    task.attempts_max = 2
    assert terms_of(task) == Terms(attempts_max=2, name="Cube")


def test_the_name_is_that_of_the_class_and_not_of_one_task() -> None:
    assert terms_of(Cube(name="the third")).name == "Cube"
    assert terms_of(Named(name="the third")).name == "resize"
    assert terms_of(Slotted()).name == "Slotted"


def test_equal_terms_are_one_object() -> None:
    assert terms_of(Cube()) is terms_of(Cube())
    assert terms_of(Slotted()) is terms_of(Slotted())
    assert terms_of_call(len) is terms_of_call(len)
    assert once(terms_of_call(len)) is once(terms_of_call(len))


def test_tasks_ask_together_for_what_each_asks() -> None:
    other = Cube()
    other.attempts_max = 2
    assert terms_of_each([]) == []
    assert terms_of_each([Cube(), Cube()]) == [terms_of(Cube())] * 2
    assert terms_of_each([Cube(), Named(), other]) == [terms_of(Cube()), terms_of(Named()), terms_of(other)]
    with pytest.raises(SchedulingError, match="a int cannot be pushed"):
        terms_of_each([Cube(), 3])
    other.attempts_max = 0
    with pytest.raises(SchedulingError, match="attempts_max"):
        terms_of_each([Cube(), other])
    with pytest.raises(SchedulingError, match="attempts_max"):
        terms_of_each([other, other])


@pytest.mark.parametrize("attempts_max", [0, -1, 1001, True, 3.0, "3", None, [3]])
def test_attempts_that_cannot_be_are_named(attempts_max: Any) -> None:
    terms_of(Task())  # what was made before is not taken for what looks the same
    task = Cube()
    task.attempts_max = attempts_max
    with pytest.raises(SchedulingError, match="attempts_max must be a whole number from 1 to 1000, but is"):
        terms_of(task)


@pytest.mark.parametrize("priority", [-101, 101, False, 1.0, "high", None])
def test_priorities_that_cannot_be_are_named(priority: Any) -> None:
    task = Cube()
    task.priority = priority
    with pytest.raises(SchedulingError, match="priority must be a whole number from -100 to 100, but is"):
        terms_of(task)


def test_a_priority_of_one_task_is_its_own() -> None:
    task = Cube()
    task.priority = -100
    assert terms_of(task) == Terms(attempts_max=5, name="Cube", priority=-100)
    assert terms_of(Cube()).priority == 0


def test_what_is_no_task_is_told_from_one() -> None:
    with pytest.raises(SchedulingError, match="a str cannot be pushed, only tasks can"):
        terms_of("text")


class Adder:
    def __call__(self) -> None:
        """Do nothing."""


def odd() -> None:
    """Do nothing."""


odd.__name__ = "two\nlines" + "x" * 500


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (len, "len"),
        (partial(len, ()), "len"),
        (partial(Adder()), "Adder"),
        (Adder(), "Adder"),
        (Cube.clean_up, "clean_up"),
        (lambda: 0, "<lambda>"),
        (odd, "twolines" + "x" * 191),
    ],
)
def test_a_call_is_named_after_its_function(function: Any, name: str) -> None:
    assert terms_of_call(function) == Terms(name=name)


def test_pieces_of_what_killed_its_worker_keep_their_other_terms() -> None:
    assert once(Terms(attempts_max=7, name="Cube")) == Terms(attempts_max=1, name="Cube")


def test_terms_travel_without_what_is_usual_and_unknown_ones_are_ignored() -> None:
    assert Terms().as_map() == {}
    assert Terms(attempts_max=1, name="a").as_map() == {"attempts_max": 1, "name": "a"}
    assert terms_from({"name": "a", "of_tomorrow": [1]}) == Terms(name="a")
    assert terms_from({"name": "a"}) is terms_from({"name": "a", "priority": 0})


def test_stretches_come_as_they_went() -> None:
    stretches = [(0, Terms(name="a")), (3, Terms(name="b"))]
    assert read_stretches(pack_stretches(stretches), 5) == stretches
    assert list(parts_of(stretches, 5)) == [(slice(0, 3), stretches[0][1]), (slice(3, 5), stretches[1][1])]


def test_terms_that_come_again_are_named_by_the_number_of_their_pair() -> None:
    a, b = Terms(name="a"), Terms(name="b")
    stretches = [(0, a), (1, b), (2, a), (3, b)]
    packed = pack_stretches(stretches)
    assert packed == [[0, {"name": "a"}], [1, {"name": "b"}], [2, 0], [3, 1]]
    assert read_stretches(packed, 4) == stretches


def test_a_peer_of_the_first_form_says_attempts_only() -> None:
    assert read_stretches(2, 5) == [(0, Terms(attempts_max=2))]
