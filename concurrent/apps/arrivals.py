"""What the master says of an application's work, on its way to the main thread. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from concurrent.apps.callbacks import Callbacks
from concurrent.apps.jobrun import JobRun
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.tasks.current import TaskProgress
from concurrent.scheduling.tasks.task import Task

__all__ = ["Arrivals"]


class Arrivals:
    """See the module. Nothing goes on before a job has begun.

    :param app: whose callbacks will be run.
    :param job: what the application does about its job; None if that ends with it.
    """

    def __init__(self, app: Callbacks, inbox: Inbox, job: JobRun | None) -> None:
        self._app = app
        self._inbox = inbox
        self._job = job
        self._progress: dict[
            int, tuple[Task, TaskProgress]
        ] = {}  # what was not told yet, by the task's identity
        self._is_progress_told = True

    def outcomes(self, outcomes: list[Outcome]) -> None:
        """Have the callbacks of outcomes run."""
        self._put(self._inbox.put_outcomes, outcomes)

    def on_accepted(self) -> Callable[[list[Task]], object] | None:
        """Return what is told of accepted tasks; None where the application does not want to know."""
        cls = type(self._app)
        wants_each = cls.push_task_response is not Callbacks.push_task_response
        wants_all = cls.push_tasks_response is not Callbacks.push_tasks_response
        if not wants_each and not wants_all:
            return None
        return lambda tasks: self.callback(self._tell_accepted, tasks)

    def on_progress(self) -> Callable[[list[tuple[Any, TaskProgress]]], object] | None:
        """Return what is told how far tasks are; None where the application does not want to know."""
        wants_it = type(self._app).task_progress is not Callbacks.task_progress
        return self._take_progress if wants_it else None

    def callback(self, fn: Callable[..., object], *args: Any) -> None:
        """Have a callback run in the main thread."""
        self._put(self._inbox.put_callback, partial(fn, *args))

    def _put(self, put: Callable[[Any], object], item: Any) -> None:
        """Put something into the inbox, unless it has to wait until the job has begun."""
        if self._job is None:
            put(item)
        else:
            self._job.put(put, item)

    def _take_progress(self, said: list[tuple[Any, TaskProgress]]) -> None:
        """Have the latest progress of each task told, once the main thread comes to it."""
        self._progress.update((id(task), (task, one)) for task, one in said if isinstance(task, Task))
        if self._is_progress_told:
            self._is_progress_told = False
            self.callback(self._tell_progress)

    def _tell_progress(self) -> None:
        """Say how far tasks are. Main thread; what comes from now on has another call."""
        self._is_progress_told = True
        while self._progress:
            _, (task, progress) = self._progress.popitem()
            self._app.task_progress(task, progress)

    def _tell_accepted(self, tasks: list[Task]) -> None:
        """Say that tasks are accepted. Main thread."""
        for task in tasks:
            self._app.push_task_response(task)
        self._app.push_tasks_response(tasks)
