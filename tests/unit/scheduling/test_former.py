"""Outcomes of tasks that a former program has pushed, until the present one asks for them."""

from __future__ import annotations

import pytest

from concurrent.scheduling.owner.former import FormerTasks, GoesOn
from concurrent.scheduling.tasks.outcome import FINISHED


@pytest.fixture
def former() -> FormerTasks:
    made = FormerTasks()
    made.begin(10, GoesOn.BY_PUSHES)
    return made


def test_what_comes_early_waits_until_it_is_asked_for_and_is_given_once(former: FormerTasks) -> None:
    former.keep(1, 5, FINISHED, b"five")
    assert former.ask(5) == (1, FINISHED, b"five")
    assert former.ask(5) is None


def test_what_was_asked_for_is_not_kept_a_second_time(former: FormerTasks) -> None:
    assert former.ask(5) is None
    former.keep(1, 5, FINISHED, b"five")
    assert former.ask(5) is None


def test_what_the_present_program_pushes_itself_is_not_kept(former: FormerTasks) -> None:
    former.keep(1, 10, FINISHED, b"ten")
    assert former.ask(10) is None


def test_the_first_number_that_waits_is_known(former: FormerTasks) -> None:
    assert former.held_from == 0
    for number, task_id in ((3, 7), (4, 2), (5, 9)):
        former.keep(number, task_id, FINISHED, b"")
    former.ask(7)
    assert former.held_from == 4
    former.ask(9)
    assert former.held_from == 4
    former.ask(2)
    assert former.held_from == 0


def test_what_is_asked_for_by_ids_holds_nothing_up() -> None:
    former = FormerTasks()
    former.begin(10, GoesOn.BY_IDS)
    former.keep(1, 5, FINISHED, b"five")
    assert former.held_from == 0
    assert former.ask(5) == (1, FINISHED, b"five")


def test_nothing_waits_when_the_master_has_nothing_of_former_programs(former: FormerTasks) -> None:
    former.keep(1, 5, FINISHED, b"five")
    former.joined(0)
    assert former.ask(5) is None
    former.keep(1, 5, FINISHED, b"five")
    assert former.ask(5) is None


def test_what_the_present_master_has_not_is_gone(former: FormerTasks) -> None:
    assert [former.is_gone(task_id) for task_id in (5, 9, 10)] == [False, False, True]
    former.joined(6)
    assert [former.is_gone(task_id) for task_id in (5, 6)] == [False, True]


def test_a_task_that_comes_along_is_taken_once_and_only_if_it_is_a_former_one() -> None:
    former = FormerTasks()
    former.begin(10, GoesOn.WITH_TASKS)
    former.keep(1, 5, FINISHED, b"five")
    assert former.held_from == 0
    assert [former.recall(task_id, b"task") for task_id in (5, 5, 10)] == [True, False, False]


def test_no_task_is_taken_that_the_program_pushes_again(former: FormerTasks) -> None:
    assert not former.recall(5, b"task")


def test_to_what_a_shorter_push_does_not_come_comes_with_its_tasks_in_the_order_of_the_outcomes(
    former: FormerTasks,
) -> None:
    for number, task_id in enumerate((9, 3, 8), 1):
        assert not former.recall(task_id, b"task %d" % task_id)
        former.keep(number, task_id, FINISHED, b"%d" % task_id)
    former.ask(3)
    assert (former.held_from, former.left_over(8)) == (1, 2)
    assert former.end_pushes() == [(b"task 9", (FINISHED, b"9")), (b"task 8", (FINISHED, b"8"))]
    assert former.held_from == 0
    assert [former.recall(task_id, b"task") for task_id in (9, 3, 7)] == [False, False, True]
    assert former.end_pushes() == []


@pytest.mark.parametrize("how", [GoesOn.BY_IDS, GoesOn.WITH_TASKS])
def test_nothing_is_left_over_of_what_is_not_pushed_again(how: GoesOn) -> None:
    former = FormerTasks()
    former.begin(10, how)
    assert former.left_over(1) == 0
