"""What an application may define, and what happens if it does not: the base of ``ApplicationNode``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from concurrent.apps.api import EXIT_FAILED
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem

__all__ = ["Callbacks"]


class Callbacks:
    """See the module. All of them run in the main thread, one at a time."""

    def report_error(self, what: str, error: BaseException) -> None:
        """Log an error with its remote traceback; the exit code becomes 1."""
        raise NotImplementedError

    def shutdown_main_loop(self, exit_code: int | None = None) -> None:
        """End the application when the present callback returns."""
        raise NotImplementedError

    def app_init(self) -> None:
        """Prepare; the node's loop and log are there, nothing is pushed yet."""

    def start_processing(self) -> None:
        """Push the first tasks; not called if ``get_task_system`` returns a system."""

    def get_task_system(self) -> ITaskSystem | None:
        """Return the task system that does the work, None if plain tasks do."""
        return None

    def task_finished(self, task: Task, result: Any, error: BaseException | None) -> None:
        """Take the outcome of a plain task; by default an error is logged and makes the exit code 1."""
        if error is not None:
            self.report_error(f"task {task.name}", error)

    def task_progress(self, task: Task, progress: TaskProgress) -> None:
        """A plain task says how far it is, with ``current_task().progress()``; a few times a second at most.

        :param progress: has ``done``, ``total`` and ``text``: the latest, if another callback ran meanwhile.
        """

    def work_finished(self, result: Any, task_system: ITaskSystem | None) -> None:
        """A task system has finished, or all plain tasks have; by default that ends the application.

        :param result: that of the task system; None for plain tasks.
        :param task_system: None for plain tasks.
        """
        self.shutdown_main_loop()

    def work_failed(self, error: BaseException, task_system: ITaskSystem) -> None:
        """A task system ended with an error; by default it is logged and ends the application."""
        self.report_error(f"task system {type(task_system).__name__}", error)
        self.shutdown_main_loop(EXIT_FAILED)

    def push_task_response(self, task: Task) -> None:
        """The master has accepted a task: it will be finished or reported, whatever happens."""

    def push_task_failed(self, task: Task, error: Exception) -> None:
        """A task cannot be pushed; by default the error is raised where it was pushed."""
        raise error

    def push_tasks_response(self, tasks: Sequence[Task]) -> None:
        """The master has accepted tasks that travelled together."""

    def push_tasks_failed(self, tasks: Sequence[Task], error: Exception) -> None:
        """The first of these tasks, or one of the first batch, cannot be pushed, and so none behind it.

        By default the error is raised where they were pushed.
        """
        raise error

    def push_tasksystem_response(self, task_system: ITaskSystem) -> None:
        """The master hosts a task system from now on."""

    def push_tasksystem_failed(self, task_system: ITaskSystem, error: Exception) -> None:
        """A task system cannot be pushed; by default the error is raised where it was pushed."""
        raise error
