"""Runs a task system and its tasks in the calling process: for tests of task systems, and for debuggers."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterable
from typing import Any

from concurrent.core.errors import SchedulingError
from concurrent.core.loggers import get_log
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
        system = pickle.loads(pickle.dumps(system))
        system.init_system(self)
        self.push_tasks(system.generate_tasks(self) or ())
        while not system.is_complete(self):
            if not self._tasks:
                raise SchedulingError(
                    "the task system has no unfinished task, but is_complete() says no",
                    thing=type(system).__name__,
                    remedy="Push more tasks in task_finished(), or let is_complete() return True",
                )
            task, result, error = _run(self._tasks.popleft())
            task.finished(result, error)
            self.push_tasks(system.task_finished(self, task, result, error) or ())
        return system.gather_result(self)


def _run(task: Task) -> tuple[Task, Any, BaseException | None]:
    """Do what a worker does with a task."""
    there: Task = pickle.loads(pickle.dumps(task))
    try:
        result = there()
        there.clean_up()
    except BaseException as error:  # boundary: whatever a task raises is its outcome
        return task, None, error
    result, home = pickle.loads(pickle.dumps((result, there)))
    return (home if task.returns_task else task), result, None
