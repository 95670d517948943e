"""What the master says of an application's work, on its way to the main thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from concurrent.apps.arrivals import Arrivals
from concurrent.apps.callbacks import Callbacks
from concurrent.scheduling import Task, TaskProgress


class App(Callbacks):
    def __init__(self) -> None:
        self.heard: dict[Task, list[TaskProgress]] = {}

    def task_progress(self, task: Task, progress: TaskProgress) -> None:
        self.heard.setdefault(task, []).append(progress)


class Inbox:
    """Callbacks that wait for the main thread."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], object]] = []

    def put_callback(self, call: Callable[[], object]) -> None:
        self.waiting.append(call)

    def run(self) -> int:
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()
        return len(waiting)


@pytest.fixture
def inbox() -> Any:
    return Inbox()


def progress(done: int) -> TaskProgress:
    return TaskProgress(done, 10)


def test_an_application_that_does_not_want_to_know_is_not_told(inbox: Any) -> None:
    assert Arrivals(Callbacks(), inbox, None).on_progress() is None


def test_of_each_task_the_latest_waits_for_the_main_thread(inbox: Any) -> None:
    app, first, second = App(), Task("first"), Task("second")
    tell = Arrivals(app, inbox, None).on_progress()
    assert tell is not None
    tell([(first, progress(1)), (second, progress(1))])
    tell([(first, progress(2))])
    assert inbox.run() == 1
    assert app.heard == {first: [progress(2)], second: [progress(1)]}
    tell([(first, progress(3))])
    assert inbox.run() == 1
    assert app.heard[first] == [progress(2), progress(3)]


def test_what_a_former_program_has_pushed_is_not_told_of(inbox: Any) -> None:
    app = App()
    tell = Arrivals(app, inbox, None).on_progress()
    assert tell is not None
    tell([(object(), progress(1))])
    inbox.run()
    assert not app.heard
