"""An application with a job, which notes each outcome; the options of section ``[storm]`` say what it does."""

from __future__ import annotations

from typing import Any

from benchmarks.storm.programs.work import Work, note
from concurrent.apps import ApplicationNode
from concurrent.core.items import ConfigItem, IntItem
from concurrent.scheduling import Task

__all__ = ["StormApplication"]


class StormApplication(ApplicationNode):
    """Pushes plain tasks."""

    folder = ConfigItem("storm", "folder", "", "Where the logs of the job are.")
    count = IntItem("storm", "count", 100, "How many tasks there are.", minimum=1)

    def start_processing(self) -> None:
        """Push all tasks."""
        for number in range(self.count):
            self.push_task(Work(self.folder, number))

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        """Note an outcome."""
        assert isinstance(task, Work)
        note(self.folder, "outcomes", task.number, result if error is None else repr(error))
