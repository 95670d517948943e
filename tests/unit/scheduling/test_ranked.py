"""The waiting tasks of one crew that differ in priority."""

from __future__ import annotations

from concurrent.scheduling.slave.crew import Item
from concurrent.scheduling.slave.ranked import RankedTasks
from concurrent.scheduling.tasks.runterms import RunTerms
from concurrent.scheduling.tasks.terms import POINT_S
from tests.unit.scheduling.slave_parts import new_crew

CREW = new_crew(1)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def items(priority: int, *numbers: int) -> list[Item]:
    return [(number, b"", CREW, RunTerms(priority=priority)) for number in numbers]


def numbers(found: list[Item]) -> list[int]:
    return [item[0] for item in found]


def test_the_higher_priority_comes_first_and_equals_in_their_order() -> None:
    waiting = RankedTasks(Clock(), items(0, 1, 2))
    waiting.extend(items(-1, 3))
    waiting.extend(items(5, 4, 5))
    assert len(waiting) == 5
    assert sorted(numbers(list(waiting))) == [1, 2, 3, 4, 5]
    assert waiting.priority == 5
    assert numbers(waiting.take(3)) == [4, 5, 1]
    assert waiting.priority == 0
    assert numbers(waiting.take(9)) == [2, 3]
    assert not waiting


def test_who_has_waited_long_enough_is_not_overtaken_any_more() -> None:
    clock = Clock()
    waiting = RankedTasks(clock, items(0, 1))
    clock.now += POINT_S + 1
    waiting.extend(items(1, 2))
    waiting.extend(items(2, 3))
    assert numbers(waiting.take(9)) == [3, 1, 2]


def test_the_rank_is_the_time_less_what_the_priority_is_worth() -> None:
    waiting = RankedTasks(Clock())
    assert waiting.rank > 1e9
    waiting.extend(items(2, 1))
    assert waiting.rank == 100.0 - 2 * POINT_S


def test_what_is_put_back_comes_before_its_equals() -> None:
    waiting = RankedTasks(Clock(), items(0, 1, 2))
    (first,) = waiting.take(1)
    waiting.extend(items(1, 9))
    waiting.appendleft(first)
    assert numbers(waiting.take(9)) == [9, 1, 2]


def test_the_last_one_has_the_least_priority() -> None:
    waiting = RankedTasks(Clock(), [*items(0, 1, 2), *items(1, 3)])
    assert [waiting.pop()[0] for _ in range(3)] == [2, 1, 3]


def test_tasks_are_removed_by_their_numbers() -> None:
    waiting = RankedTasks(Clock(), [*items(0, 1, 2), *items(1, 3)])
    waiting.remove({2, 3, 77})
    assert numbers(list(waiting)) == [1]
    assert len(waiting) == 1
