"""Who is to blame, when tasks went down together."""

from __future__ import annotations

from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.suspects import KNOWN_MAX, Suspects
from tests.unit.scheduling.slave_parts import new_crew

APP = new_crew(1)


def items(*numbers: int) -> list[Item]:
    return [(number, b"", APP) for number in numbers]


def numbers_of(some: list[Item]) -> list[int]:
    return [item[0] for item in some]


def test_who_was_alone_did_it() -> None:
    assert Suspects().went_down([7], patience=2) == 7


def test_of_several_nobody_is_charged_but_they_run_apart() -> None:
    suspects = Suspects()
    assert suspects.went_down([1, 2, 3], patience=1) is None
    assert numbers_of(suspects.set_apart(items(3, 4, 1))) == [4]
    assert numbers_of(list(suspects.waiting)) == [3, 1]
    assert suspects.went_down([3], patience=1) == 3


def test_who_goes_down_with_others_may_do_so_as_often_as_patience_says() -> None:
    suspects = Suspects()
    assert suspects.went_down([1, 2, 3], patience=2) is None
    assert numbers_of(suspects.set_apart(items(1, 2, 3))) == [1, 2, 3]
    assert suspects.went_down([2, 8, 9], patience=2) == 2


def test_of_several_that_were_always_there_the_one_that_runs_apart_did_it() -> None:
    suspects = Suspects()
    assert suspects.went_down([1, 2, 3], patience=2) is None
    assert suspects.went_down([1, 2, 4], patience=2) is None
    assert numbers_of(suspects.set_apart(items(1, 2, 3, 4))) == [3, 4]
    assert suspects.went_down([2, 5, 6], patience=2) == 2


def test_who_has_an_outcome_is_cleared() -> None:
    suspects = Suspects()
    suspects.went_down([1, 2], patience=1)
    suspects.finished([1, 2, 99])
    assert not suspects.count_by_number
    assert suspects.set_apart(items(1, 2)) == items(1, 2)


def test_waiting_suspects_can_be_taken_out() -> None:
    suspects = Suspects()
    suspects.went_down([1, 2, 3], patience=1)
    suspects.set_apart(items(1, 2, 3))
    assert numbers_of(suspects.remove({2, 50})) == [2]
    assert numbers_of(list(suspects.waiting)) == [1, 3]


def test_the_latest_are_remembered() -> None:
    suspects = Suspects()
    suspects.went_down([1, 2], patience=1)
    for number in range(10, 10 + 2 * KNOWN_MAX, 2):
        suspects.went_down([number, number + 1], patience=1)
    assert suspects.set_apart(items(1)) == items(1)
