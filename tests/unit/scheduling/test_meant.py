"""Attributes of tasks that look like what tasks can be asked for, and have no effect."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import pytest

from concurrent.scheduling import Task
from concurrent.scheduling.owner.classesmet import ClassesMet
from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.coding import shorthand_for
from concurrent.scheduling.tasks.meant import ignored_attributes
from tests.unit.scheduling.test_coding import CODEC


def found_in(**attributes: Any) -> list[tuple[str, str]]:
    return list(ignored_attributes(type("Mine", (Task,), {"__module__": __name__, **attributes})))


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("timeout", 5, "timeout_s"),
        ("time_limit", 5, "timeout_s"),
        ("deadline", 60, "deadline_s"),
        ("retries", 3, "retry"),
        ("max_retries", 3, "retry"),
        ("autoretry_for", (OSError,), "retry"),
        ("resource", {"gpu": 1}, "resources"),
        ("num_gpus", 1, "resources"),
        ("memory", "4GiB", "resources"),
        ("prio", 7, "priority"),
        ("prority", 7, "priority"),
        ("max_attempts", 1, "attempts_max"),
        ("returns_tasks", True, "returns_task"),
    ],
)
def test_a_name_that_is_near_or_of_another_framework_is_found_with_the_one_that_is_meant(
    name: str, value: Any, meant: str
) -> None:
    assert found_in(**{name: value}) == [(name, meant)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout_s", 5),
        ("retry", 3),
        ("names", ["a"]),
        ("resources_dir", "/data"),
        ("priority_queue", []),
        ("retry_url", "http://"),
        ("TIMEOUT", 5),
        ("_timeout", 5),
        ("timeout", object()),
        ("timeout", property(lambda self: 5)),
        ("retries", lambda self: 3),
    ],
)
def test_other_attributes_are_left_alone(name: str, value: Any) -> None:
    assert found_in(**{name: value}) == []


class Fetch(Task):
    timeout = 5
    retries = 3
    deadline = 60
    gpus = 2
    memory = 100
    prio = 9

    def __call__(self) -> Any:
        return [self.timeout for _ in range(getattr(self, "retries"))]  # noqa: B009

    @property
    def until(self) -> int:
        return self.deadline

    @cached_property
    def devices(self) -> int:
        return self.gpus

    @staticmethod
    def size() -> int:
        return Fetch.memory


class SubFetch(Fetch):
    def __call__(self) -> Any:
        return self.prio


def test_what_a_method_of_the_class_uses_is_its_own() -> None:
    assert list(ignored_attributes(Fetch)) == [("prio", "priority")]
    assert list(ignored_attributes(SubFetch)) == []


class Hurried(Task):
    timeout = 5


@pytest.mark.parametrize("codec", [None, CODEC])
def test_a_class_is_warned_of_once_where_it_is_pushed_first(
    codec: Any, caplog: pytest.LogCaptureFixture
) -> None:
    book = CodeBook(())
    shorthand = shorthand_for(book, codec, ClassesMet())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            shorthand.dumps(Hurried())
            shorthand.dumps(TaskBatch([Hurried(), Hurried()]))
            book.refresh()
            shorthand.refresh()
    (said,) = caplog.messages
    assert "Hurried.timeout has no effect: is timeout_s meant?" in said
