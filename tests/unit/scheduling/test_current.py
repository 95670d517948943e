"""What a task says and asks while it runs, without a worker around it."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from concurrent.scheduling import Task, TaskProgress, current_task
from concurrent.scheduling.pickling.chunk import run_calls
from concurrent.scheduling.pickling.initializer import initialized_call
from concurrent.scheduling.tasks.current import CurrentTask
from concurrent.scheduling.worker.board import BOARD_BYTES, TEXT_BYTES_MAX, read_record
from concurrent.scheduling.worker.voice import Voice, name_of_work


class Output:
    """Stands in for the output of a worker."""

    def __init__(self) -> None:
        self.is_written = False
        self.lines: list[str] = []

    def write_line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def output() -> Any:
    return Output()


@pytest.fixture
def board() -> memoryview:
    return memoryview(bytearray(BOARD_BYTES))


@pytest.fixture
def voice(output: Any, board: memoryview) -> Voice:
    made = Voice(output, board)
    made.number, made.work = 7, (len, ("abc",), {})
    return made


@pytest.fixture
def task(voice: Voice) -> CurrentTask:
    return voice.current()


def test_where_no_task_runs_nothing_happens() -> None:
    task = current_task()
    task.progress(1, 2, "nobody hears it")
    task.log("nor this")
    assert (task.name, task.number, task.is_cancelled) == ("", 0, False)


def test_between_two_tasks_no_task_runs(voice: Voice, board: memoryview) -> None:
    voice.work = None
    voice.current().progress(1, 2)
    assert read_record(bytes(board)) is None


def test_the_latest_progress_is_on_the_board(task: CurrentTask, board: memoryview) -> None:
    task.progress(1, 10, "a rather long text")
    task.progress(2.5, 10)
    assert read_record(bytes(board)) == (7, TaskProgress(2.5, 10, ""))


def test_what_a_task_said_last_goes_with_its_result(task: CurrentTask, voice: Voice, output: Any) -> None:
    task.progress(1, 2)
    task.progress(2, 2, "done")
    assert output.is_written
    assert read_record(voice.take(7)) == (7, TaskProgress(2, 2, "done"))
    assert voice.take(7) == b""


def test_what_another_task_said_does_not(task: CurrentTask, voice: Voice) -> None:
    task.progress(1, 2)
    assert voice.take(8) == b""


def test_a_worker_without_a_board_tells_it_with_the_result(output: Any) -> None:
    voice = Voice(output, None)
    voice.number, voice.work = 3, (len, (), {})
    voice.current().progress(1, 2)
    assert read_record(voice.take(3)) == (3, TaskProgress(1, 2, ""))


@pytest.mark.parametrize(
    ("done", "total"), [("a", 1), (None, 1), (float("nan"), 1), (1, float("inf")), (10**400, 1)]
)
def test_what_is_no_number_raises_nothing_and_is_said_once_in_the_output(
    task: CurrentTask, voice: Voice, output: Any, done: Any, total: Any
) -> None:
    task.progress(done, total)
    task.progress(done, total)
    assert voice.take(7) == b""
    (line,) = output.lines
    assert "WARNING progress() was not understood" in line


def test_an_error_without_a_text_raises_nothing_either(task: CurrentTask, output: Any) -> None:
    class NoTextError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    class Broken:
        def __float__(self) -> float:
            raise NoTextError

    done: Any = Broken()
    task.progress(done, 2)
    (line,) = output.lines
    assert line.endswith("NoTextError")


def test_what_people_read_of_it_is_one_line() -> None:
    assert TaskProgress(1, 2, "two\nlines\r\vand\u2028more ").words == "1 of 2, two lines and more"
    assert TaskProgress(1, 2, "\n").words == "1 of 2"


def test_a_text_may_be_anything_and_long(task: CurrentTask, board: memoryview) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    text: Any = Broken()
    task.progress(1, 2, text)
    task.progress(2, 2, "é\udc80" * TEXT_BYTES_MAX)
    said = read_record(bytes(board))
    assert said is not None
    assert said[1].text.startswith("é?é?")


def test_lines_have_a_time_and_a_level(task: CurrentTask, output: Any) -> None:
    task.log("begun")
    task.log("strange", logging.WARNING)
    assert [line.split(" ", 1)[1] for line in output.lines] == ["INFO begun", "WARNING strange"]


def test_output_that_cannot_be_written_raises_nothing(board: memoryview) -> None:
    class Closed(Output):
        def write_line(self, text: str) -> None:
            raise OSError("closed")

    closed: Any = Closed()
    voice = Voice(closed, board)
    voice.work = (len, (), {})
    voice.current().log("lost")


def test_a_thread_that_outlives_its_task_says_nothing_for_the_next(
    task: CurrentTask, voice: Voice, board: memoryview, output: Any
) -> None:
    voice.number = 8
    task.progress(1, 2)
    task.log("late")
    assert read_record(bytes(board)) is None
    assert not output.lines
    assert task.is_cancelled
    assert task.name == ""


def test_a_task_is_cancelled_once_its_worker_is_told_to_end(task: CurrentTask, voice: Voice) -> None:
    assert not task.is_cancelled
    voice.is_ending = True
    assert task.is_cancelled


def test_many_threads_leave_a_whole_record(task: CurrentTask, board: memoryview) -> None:
    def say() -> None:
        for done in range(500):
            task.progress(done, 500, "x" * (done % 50))

    threads = [threading.Thread(target=say) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = read_record(bytes(board))
    assert said is not None
    assert said[1].total == 500


def test_a_record_that_is_being_written_is_none(task: CurrentTask, board: memoryview) -> None:
    task.progress(1, 2, "whole")
    for place in range(0, 35, 3):
        torn = bytearray(board)
        torn[place] ^= 0xFF
        assert read_record(bytes(torn)) is None


class Cube(Task):
    pass


class Nameless:
    @property
    def name(self) -> str:
        raise RuntimeError("no name")


@pytest.mark.parametrize(
    ("work", "name"),
    [
        ((len, ("abc",), {}), "len"),
        ((run_calls, (len, [("abc",)], {}), {}), "len"),
        ((initialized_call("token", b""), (len, ("abc",), {}), {}), "len"),
        ((initialized_call("token", b""), (run_calls, (len, [("abc",)], {}), {}), {}), "len"),
        (Cube(), "Cube"),
        (Cube("the third"), "the third"),
        (None, ""),
    ],
)
def test_a_task_knows_its_name(work: Any, name: str) -> None:
    assert name_of_work(work) == name


def test_a_task_whose_name_fails_has_none(voice: Voice) -> None:
    voice.work = Nameless()
    assert voice.current().name == ""
