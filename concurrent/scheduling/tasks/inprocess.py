"""Runs a task system and its tasks in the calling process: for tests of task systems, and for debuggers."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterable
from typing import Any

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.drive import SystemDrive
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem

__all__ = ["InProcessMaster"]


class InProcessMaster:
    """What a task system knows as the master, without a cluster. One thread.

    Tasks are pickled on their way there and back, as on a cluster; so a task system that works here has no
    data that cannot travel.

    :param workers: how many worker processes there seem to be.
    """

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers
        self.log = get_log("concurrent.system")
        self.shown: tuple[int, int] = (0, 0)
        self._tasks: deque[Task] = deque()
        self._drive: SystemDrive

    def progress(self, done: int, total: int) -> None:
        """Keep the count as ``shown``."""
        self.shown = (done, total)

    def push_task(self, task: Task) -> None:
        """Have one more task run."""
        self._tasks.append(task)

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1) -> None:
        """Have more tasks run."""
        self._tasks.extend(tasks)

    def run(self, system: ITaskSystem) -> Any:
        """Run a task system to its end and return its result.

        :raises SchedulingError: if it has no task left, but is not complete.
        :raises Exception: what the system's own methods raise.
        """
        self._drive = SystemDrive(pickle.loads(pickle.dumps(system)), self, self._go_on)
        return self._drive.run()

    def _go_on(self) -> bool:
        """Run the next task, if there is one."""
        if not self._tasks:
            return False
        self._drive.take([_run(self._tasks.popleft())])
        return True


def _run(task: Task) -> tuple[Task, Any, BaseException | None]:
    """Do what a worker does with a task."""
    there: Task = pickle.loads(pickle.dumps(task))
    try:
        result = there()
        there.clean_up()
    except BaseException as error:  # boundary: whatever a task raises is its outcome
        return task, None, error
    return task, pickle.loads(pickle.dumps((result, there) if task.returns_task else result)), None
