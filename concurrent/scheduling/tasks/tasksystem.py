"""Task systems: objects that travel to the master and control their tasks there on their own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from concurrent.scheduling.tasks.task import Task

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from concurrent.scheduling.tasks.options import TermOptions

__all__ = ["ISystemMaster", "ITaskSystem"]


class ISystemMaster(Protocol):
    """What a task system may ask of the master. Only in calls of the system."""

    @property
    def workers(self) -> int:
        """How many worker processes the cluster has now."""

    @property
    def log(self) -> logging.Logger:
        """A log that appears at the master."""

    def progress(self, done: int, total: int) -> None:
        """Have the application show how far the work is."""

    def push_task(self, task: Task, **options: Unpack[TermOptions]) -> None:
        """Have one more task run.

        :param options: as for ``push_task`` of an application, in the place of the task's own attributes.
        """

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1, **options: Unpack[TermOptions]) -> None:
        """Have more tasks run.

        :param batch_size: how many travel and run as one; for tasks far shorter than a millisecond.
        :param options: as for ``push_task``, for each of them.
        """


class ITaskSystem:
    """Derive, and give the object to ``push_tasksystem`` of an application.

    It is pickled, and lives from then on in a process of its own beside the master; all of its methods run
    in the main thread there, one at a time. An exception in one of them ends the system and reaches the
    application as the system's error.

    Where the master keeps a journal, the system outlives its process: from time to time, between two calls of
    :meth:`task_finished`, it is pickled, and another process goes on from there. It then has what its pickle
    has. The tasks that :meth:`task_finished` gets are unpickled too, so know them by what they hold, not by
    identity. What it pushed since the last pickle and pushes again alike is not run again.
    """

    def init_system(self, master: ISystemMaster) -> None:
        """Prepare; called once, first."""

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task] | None:
        """Return the first tasks, or push them; called once, second."""
        raise NotImplementedError(f"{type(self).__name__} must define generate_tasks(self, master)")

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Any, error: BaseException | None
    ) -> Sequence[Task] | None:
        """Take one result, or the error of a task that has none; may return or push more tasks."""
        raise NotImplementedError(
            f"{type(self).__name__} must define task_finished(self, master, task, result, error)"
        )

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether the system is done; asked after the first tasks and after each result."""
        raise NotImplementedError(f"{type(self).__name__} must define is_complete(self, master)")

    def gather_result(self, master: ISystemMaster) -> Any:
        """Return the result for the application; called once, last."""
        raise NotImplementedError(f"{type(self).__name__} must define gather_result(self, master)")

    def checkpoint(self) -> Any:
        """Return what :meth:`restore` goes on from, to be pickled; by default all of the system is pickled.

        Called between two calls of :meth:`task_finished`, at least every five seconds while there are any. What
        it raises, or what pickling raises, means that the system begins anew if its process is lost.
        """
        return self

    def restore(self, state: Any) -> None:
        """Go on from what :meth:`checkpoint` returned; define both or none.

        Called instead of :meth:`init_system` and :meth:`generate_tasks`, on the system as it was pushed.
        """
        raise NotImplementedError(f"{type(self).__name__} must define restore(self, state)")
