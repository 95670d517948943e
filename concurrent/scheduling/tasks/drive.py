"""The life of a task system, the same on a cluster and in a test. A pure module."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ISystemMaster, ITaskSystem

__all__ = ["SystemDrive"]


class SystemDrive:
    """Calls the methods of one task system in their order. One thread.

    :param master: what the system is given as its master.
    :param go_on: waits for what comes next, has :meth:`take` called with outcomes, and returns True; or
        returns False if no task is unfinished.
    """

    def __init__(self, system: ITaskSystem, master: ISystemMaster, go_on: Callable[[], bool]) -> None:
        self.finished_count = 0
        """How many tasks have ended, in whichever way."""
        self._system = system
        self._master = master
        self._go_on = go_on

    def run(self) -> Any:
        """Return the result of the system.

        :raises SchedulingError: if it has no task left, but is not complete.
        :raises Exception: what the system's own methods raise.
        """
        system, master = self._system, self._master
        system.init_system(master)
        master.push_tasks(system.generate_tasks(master) or ())
        while not system.is_complete(master):
            if not self._go_on():
                raise SchedulingError(
                    "the task system has no unfinished task, but is_complete() says no",
                    thing=type(system).__name__,
                    remedy="Push more tasks in task_finished(), or let is_complete() return True",
                )
        return system.gather_result(master)

    def take(self, outcomes: Iterable[tuple[Task, Any, BaseException | None]]) -> None:
        """Give the system the outcomes of tasks.

        :param outcomes: of each task its result and its error, one of which is None; the result of one that
            ``returns_task`` has the task beside it, as it came home.
        """
        system, master = self._system, self._master
        for task, result, error in outcomes:
            if task.returns_task and error is None:
                result, task = result
            self.finished_count += 1
            task.finished(result, error)
            more = system.task_finished(master, task, result, error)
            if more:
                master.push_tasks(more)
