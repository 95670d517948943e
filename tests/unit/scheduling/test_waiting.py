"""The waiting tasks of a pool."""

from concurrent.scheduling.slave.crew import Crew
from concurrent.scheduling.slave.waiting import WaitingTasks
from concurrent.scheduling.tasks.runterms import USUAL
from tests.unit.scheduling.slave_parts import new_crew


def items(crew: Crew, *numbers: int):
    return [(number, b"", crew, USUAL) for number in numbers]


def numbers(found) -> list[int]:
    return [item[0] for item in found]


def test_each_application_gets_its_tasks_in_order() -> None:
    one, other = new_crew(1), new_crew(2)
    waiting = WaitingTasks()
    waiting.extend(items(one, 1, 2, 3))
    assert not waiting.is_shared
    waiting.extend(items(other, 9))
    assert waiting.is_shared
    assert numbers(waiting.take(one, 2)) == [1, 2]
    assert numbers(waiting.take(other, 5)) == [9]
    assert list(waiting.crews) == [one]
    assert numbers(waiting.take(one, 5)) == [3]
    assert waiting.count == 0
    assert not waiting.crews


def test_what_is_put_back_comes_first_again() -> None:
    one, other = new_crew(1), new_crew(2)
    waiting = WaitingTasks()
    waiting.extend(items(one, *range(5)))
    taken = waiting.take(one, 5)
    waiting.extend(items(one, 5))
    waiting.put_back([*items(other, 7, 8), *taken[3:]])
    assert waiting.count == 5
    assert numbers(waiting.take(one, 9)) == [3, 4, 5]
    assert numbers(waiting.take(other, 9)) == [7, 8]


def test_the_newest_are_those_of_whoever_has_most() -> None:
    waiting = WaitingTasks()
    waiting.extend(items(new_crew(1), 1, 2, 3))
    waiting.extend(items(new_crew(2), 9))
    assert numbers(waiting.take_newest(2)) == [3, 2]
    assert sorted(numbers(waiting.take_newest(9))) == [1, 9]
    assert waiting.count == 0
    assert not waiting.crews


def test_tasks_are_removed_by_their_numbers() -> None:
    one, other = new_crew(1), new_crew(2)
    waiting = WaitingTasks()
    waiting.extend(items(one, 1, 2))
    waiting.extend(items(other, 3))
    assert sorted(numbers(waiting.remove({2, 3, 77}))) == [2, 3]
    assert numbers(waiting) == [1]
    assert waiting.count == 1
    assert list(waiting.crews) == [one]
