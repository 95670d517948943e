"""An application whose task system adds up, in two rounds; the options of ``[storm]`` say how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.storm.programs.work import Work, note
from concurrent.apps import ApplicationNode
from concurrent.core.items import ConfigItem, IntItem
from concurrent.scheduling import ITaskSystem, Task

__all__ = ["StormSystem"]


class _Sum(ITaskSystem):
    """Adds up the results of ``count`` tasks, the second half of which it pushes as the first one ends."""

    def __init__(self, folder: str, count: int) -> None:
        self.folder = folder
        self.half = count // 2
        self.open = self.half
        self.total = 0

    def generate_tasks(self, master: Any) -> Sequence[Task]:
        return [Work(self.folder, number) for number in range(self.half)]

    def task_finished(
        self, master: Any, task: Task, result: Any, error: BaseException | None
    ) -> Sequence[Task] | None:
        assert isinstance(task, Work)
        if error is not None:
            raise error
        self.open -= 1
        self.total += result
        if task.number >= self.half:
            return None
        self.open += 1
        return [Work(self.folder, task.number + self.half)]

    def is_complete(self, master: Any) -> bool:
        return self.open == 0

    def gather_result(self, master: Any) -> int:
        return self.total


class StormSystem(ApplicationNode):
    """Has the master host the system, and notes its result."""

    folder = ConfigItem("storm", "folder", "", "Where the logs of the job are.")
    count = IntItem("storm", "count", 100, "How many tasks there are; an even number.", minimum=2)

    def get_task_system(self) -> ITaskSystem:
        """Return the system."""
        return _Sum(self.folder, self.count)

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        """Note the result; a former program may have dealt with it just before it was killed."""
        if task_system is not None:
            note(self.folder, "outcomes", "total", result)
        self.shutdown_main_loop()

    def work_failed(self, error: BaseException, task_system: ITaskSystem) -> None:
        """Note the failure."""
        note(self.folder, "outcomes", "total", repr(error))
        self.shutdown_main_loop()
