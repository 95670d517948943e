"""What tasks say on its way from a slave to its master."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling import TaskProgress
from concurrent.scheduling.slave.sayings import UNSENT_CHARS_MAX, Sayings, said_columns

HALF = TaskProgress(1, 2, "half")
WHOLE = TaskProgress(2, 2, "whole")


class Link:
    """A worker whose task says something new each time it is looked at."""

    outstanding = (1,)

    def __init__(self, number: int) -> None:
        self._number = number
        self._done = 0

    def new_progress(self) -> tuple[int, TaskProgress] | None:
        self._done += 1
        return self._number, TaskProgress(self._done, 0)


@pytest.fixture
def said() -> list[Any]:
    return []


@pytest.fixture
def sayings(said: list[Any]) -> Sayings:
    return Sayings(lambda *what: said.append(what))


def test_the_latest_of_each_task_is_sent_on_together(sayings: Sayings, said: list[Any]) -> None:
    sayings.progress(1, HALF)
    sayings.progress(2, HALF)
    sayings.progress(1, WHOLE)
    sayings.printed(1, "its output\n")
    sayings.printed(2, "")
    sayings.flush()
    sayings.flush()
    assert said == [({1: WHOLE, 2: HALF}, {1: "its output\n"})]


def test_much_output_does_not_wait(sayings: Sayings, said: list[Any]) -> None:
    sayings.printed(1, "x" * UNSENT_CHARS_MAX)
    assert not said
    sayings.printed(2, "x")
    assert len(said) == 1


def test_the_more_tasks_speak_the_less_often_each_is_heard(sayings: Sayings, said: list[Any]) -> None:
    links: Any = [Link(number) for number in range(100)]
    times = [look / 5 for look in range(100)]
    for now in times:
        sayings.look(links, now)
    rows = sum(len(progress) for progress, _ in said)
    assert {number for progress, _ in said for number in progress} == set(range(100))
    assert rows <= 50 * times[-1] + 100
    assert rows >= 50 * times[-1] / 2


def test_a_task_alone_is_heard_each_time(sayings: Sayings, said: list[Any]) -> None:
    links: Any = [Link(7)]
    for look in range(10):
        sayings.look(links, look / 5)
    assert [progress[7].done for progress, _ in said] == list(range(1, 11))


def test_progress_travels_in_columns() -> None:
    assert said_columns({1: HALF, 2: WHOLE}) == ([1, 2], [1, 2], [2, 2], ["half", "whole"])
