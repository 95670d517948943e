"""Methods whose names look like those that are called, and are not."""

from __future__ import annotations

import pytest

from concurrent.apps.misspelt import HOOKS, Misspelt, misspelt_methods


class Base:
    def task_finished(self) -> None: ...

    def work_finished(self) -> None: ...

    def push_task(self) -> None: ...


def found_in(*names: str, used: str = "") -> list[Misspelt]:
    body = {name: lambda self: None for name in names}
    if used:
        source = f"def start_processing(self): self.{used}()"
        exec(source, {}, body)  # a function whose code has the name
    return misspelt_methods(type("Mine", (Base,), body), Base, HOOKS)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("task_finnished", "task_finished"),
        ("tasks_finished", "task_finished"),
        ("taskFinished", "task_finished"),
        ("on_task_finished", "task_finished"),
        ("work_finnished", "work_finished"),
        ("WorkFinished", "work_finished"),
        ("start_process", "start_processing"),
        ("get_tasksystem", "get_task_system"),
        ("push_task_respons", "push_task_response"),
    ],
)
def test_a_near_name_is_found_with_what_was_meant(name: str, meant: str) -> None:
    assert found_in(name) == [Misspelt(name, meant)]


@pytest.mark.parametrize(
    "name", ["push_next", "tasks_done", "compare", "write", "_task_finnished", "task_finished"]
)
def test_other_names_are_left_alone(name: str) -> None:
    assert found_in(name) == []


def test_what_the_class_itself_calls_is_left_alone() -> None:
    assert found_in("task_finished_well", used="task_finished_well") == []
    assert found_in("task_finished_well", used="other") != []
