"""An application with one task; it prints the clock when it has the result."""

from __future__ import annotations

import time
from typing import Any

from concurrent.apps import ApplicationNode
from concurrent.scheduling import Task

__all__ = ["FirstResult", "Nothing"]


class Nothing(Task):
    """The least that a task can do."""

    def __call__(self) -> None:
        """Do nothing."""


class FirstResult(ApplicationNode):
    """See the module."""

    def start_processing(self) -> None:
        """Push the task."""
        self.push_task(Nothing())

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        """Print the clock."""
        super().task_finished(task, result, error)
        print(time.monotonic(), flush=True)
