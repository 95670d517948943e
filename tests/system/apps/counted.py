"""An application whose tasks write down that they run, and wait for a file: it is seen what ran how often."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from concurrent.apps import ApplicationNode
from concurrent.core import IntItem, PathItem
from concurrent.scheduling import ITaskSystem, Task


class CountedTask(Task):
    """Writes its number to the file ``runs`` of a folder, waits for the file ``go`` there, and returns it."""

    def __init__(self, number: int, folder: Path) -> None:
        super().__init__(f"counted {number}")
        self.number = number
        self.folder = folder

    def __call__(self) -> int:
        with (self.folder / "runs").open("a") as runs:
            runs.write(f"{self.number}\n")
        pause = threading.Event()
        while not (self.folder / "go").exists():
            pause.wait(0.02)
        return self.number


class Counted(ApplicationNode):
    """Says ``each once`` if each task came back exactly once."""

    count = IntItem("counted", "count", 4, "How many tasks there are.")
    folder = PathItem("counted", "folder", ".", "Where they write that they run.")

    def app_init(self) -> None:
        self.numbers: list[int] = []

    def start_processing(self) -> None:
        assert self.folder is not None
        self.push_tasks(CountedTask(number, self.folder) for number in range(self.count))

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        if error is not None:
            super().task_finished(task, result, error)
        else:
            self.numbers.append(result)

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        is_right = sorted(self.numbers) == list(range(self.count))
        print("each once" if is_right else f"wrong: {sorted(self.numbers)}")
        self.shutdown_main_loop(0 if is_right else 1)
