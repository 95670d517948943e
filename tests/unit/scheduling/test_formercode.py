"""What a program gets of the results of tasks that a former program of its job pushed."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.pickling.code import ReceivedCode
from concurrent.scheduling.pickling.codebook import CodeBook

PROGRAM = "a_program_of_a_test"

FIRST = """
factor = 2

class Point:
    def __init__(self, x):
        self.x = x

    def doubled(self):
        return self.x * factor

class Gone:
    value = 7

def point(x):
    return Point(x * factor)

def gone():
    return Gone()
"""
SECOND = """
factor = 3

class Point:
    def __init__(self, x):
        self.x = x

    def doubled(self):
        return self.x * factor

def point(x):
    return Point(x + factor)
"""


def run_program(text: str) -> ModuleType:
    """Have a program begin in the place of another one."""
    module = ModuleType(PROGRAM)
    sys.modules[PROGRAM] = module
    exec(text, vars(module))
    return module


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    sys.modules.pop(PROGRAM, None)


class Worker:
    """Keeps the code of a job, as masters and slaves do."""

    def __init__(self) -> None:
        self.code = ReceivedCode()

    def take(self, book: CodeBook) -> None:
        for index in range(self.code.blob_count, book.blob_count):
            self.code.take(index, bytes(book.blob_at(index)))

    def run(self, payload: Any) -> Any:
        """Call what a payload holds; return the payload of the result."""
        function, args = self.code.loads_payload(payload)
        return self.code.dumps_payload(function(*args))


@pytest.fixture
def worker() -> Worker:
    return Worker()


def begin(worker: Worker, text: str) -> tuple[ModuleType, CodeBook]:
    """Have a program begin that goes on with the job of those before."""
    program, book = run_program(text), CodeBook([PROGRAM])
    blobs = [worker.code.blob_at(index) for index in range(worker.code.blob_count)]
    book.reserve(len(blobs))
    for index, blob in enumerate(blobs):
        book.recall(index, blob)
    return program, book


def pushed(worker: Worker, book: CodeBook, function: Any, *args: Any) -> Any:
    payload = book.dumps_payload((function, args))
    worker.take(book)
    return payload


def test_a_result_of_a_former_programs_task_is_an_instance_of_the_present_class(worker: Worker) -> None:
    program, book = begin(worker, FIRST)
    result = worker.run(pushed(worker, book, program.point, 5))
    program, book = begin(worker, FIRST)
    point = book.loads_payload(result)
    assert type(point) is program.Point
    assert point.x == 10


def test_a_class_that_is_no_more_is_the_former_one(worker: Worker) -> None:
    program, book = begin(worker, FIRST)
    result = worker.run(pushed(worker, book, program.gone))
    _, book = begin(worker, SECOND)
    assert book.loads_payload(result).value == 7


def test_tasks_of_both_programs_run_with_their_own_code_in_one_worker(worker: Worker) -> None:
    program, book = begin(worker, FIRST)
    first = pushed(worker, book, program.point, 5)
    program, book = begin(worker, SECOND)
    second = pushed(worker, book, program.point, 5)
    assert worker.code.blob_count == book.blob_count
    for payload, x in ((first, 10), (second, 8), (first, 10), (second, 8)):
        assert book.loads_payload(worker.run(payload)).x == x
    late = Worker()
    late.take(book)
    for payload, x in ((second, 8), (first, 10), (second, 8)):
        assert book.loads_payload(late.run(payload)).x == x


@pytest.mark.parametrize(("text", "changed"), [(FIRST, []), (SECOND, ["point"]), ("\n\n" + FIRST, [])])
def test_it_is_said_once_what_has_changed_since(
    worker: Worker, caplog: pytest.LogCaptureFixture, text: str, changed: list[str]
) -> None:
    program, book = begin(worker, FIRST)
    pushed(worker, book, program.point, 5)
    _, book = begin(worker, text)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            book.loads_payload(worker.code.dumps_payload(worker.code.object_at(0, 0, 0)))
    said = [record.getMessage().partition(" of ")[0] for record in caplog.records]
    assert said == changed


def test_a_program_that_has_pickled_something_cannot_go_on_with_a_job(worker: Worker) -> None:
    program, book = begin(worker, FIRST)
    pushed(worker, book, program.point, 5)
    with pytest.raises(SchedulingError, match="cannot go on with a job"):
        book.reserve(1)


def test_what_has_not_come_back_can_still_be_sent_on(worker: Worker) -> None:
    program, book = run_program(FIRST), CodeBook([PROGRAM])
    book.reserve(2)
    payload = pushed(worker, book, program.point, 5)
    assert book.loads_payload(worker.run(payload)).x == 10
