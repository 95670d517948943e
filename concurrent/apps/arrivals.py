"""What the master says of an application's work, on its way to the main thread. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from concurrent.apps.callbacks import Callbacks
from concurrent.apps.jobrun import JobRun
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.scheduling.owner.results import Outcome
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

    def callback(self, fn: Callable[..., object], *args: Any) -> None:
        """Have a callback run in the main thread."""
        self._put(self._inbox.put_callback, partial(fn, *args))

    def _put(self, put: Callable[[Any], object], item: Any) -> None:
        """Put something into the inbox, unless it has to wait until the job has begun."""
        if self._job is None:
            put(item)
        else:
            self._job.put(put, item)

    def _tell_accepted(self, tasks: list[Task]) -> None:
        """Say that tasks are accepted. Main thread."""
        for task in tasks:
            self._app.push_task_response(task)
        self._app.push_tasks_response(tasks)
