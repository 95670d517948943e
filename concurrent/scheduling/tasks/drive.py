"""The life of a task system, the same on a cluster and in a test. A pure module."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ISystemMaster, ITaskSystem

__all__ = ["Checkpoint", "SystemDrive"]


class Checkpoint(NamedTuple):
    """How far a task system is, between two of its calls. It has to be pickled at once.

    :param finished_count: how many of its tasks have ended.
    :param is_whole: whether ``state`` is the system itself.
    :param state: what its :meth:`~ITaskSystem.checkpoint` has returned.
    """

    finished_count: int
    is_whole: bool
    state: Any


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

    @property
    def name(self) -> str:
        """The class of the system."""
        return type(self._system).__name__

    def run(self) -> Any:
        """Return the result of the system, from its beginning to its end.

        :raises SchedulingError: if it has no task left, but is not complete.
        :raises Exception: what the system's own methods raise.
        """
        self.begin()
        return self.complete()

    def begin(self) -> None:
        """Have the system push its first tasks."""
        self._system.init_system(self._master)
        self._master.push_tasks(self._system.generate_tasks(self._master) or ())

    def complete(self) -> Any:
        """Go on until the system is complete, and return its result. See :meth:`run`."""
        master = self._master
        while not self._system.is_complete(master):
            if not self._go_on():
                raise SchedulingError(
                    "the task system has no unfinished task, but is_complete() says no",
                    thing=self.name,
                    remedy="Push more tasks in task_finished(), or let is_complete() return True",
                )
        return self._system.gather_result(master)

    def checkpoint(self) -> Checkpoint:
        """Return how far the system is; only between two of its calls."""
        state = self._system.checkpoint()
        return Checkpoint(self.finished_count, state is self._system, state)

    def restore(self, pushed: ITaskSystem, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint, in the place of :meth:`begin`.

        :param pushed: another copy of the system as it was pushed.
        :param checkpoint: unpickled.
        """
        self.finished_count, is_whole, state = checkpoint
        self._system = state if is_whole else pushed
        if not is_whole:
            pushed.restore(state)

    def take(self, outcomes: Iterable[tuple[Task, Any, BaseException | None]]) -> None:
        """Give the system the outcomes of tasks.

        :param outcomes: of each task its result and its error, one of which is None; the result of one that
            ``returns_task`` has the task beside it, as it came home.
        """
        master = self._master
        for task, result, error in outcomes:
            if task.returns_task and error is None:
                result, task = result
            self.finished_count += 1
            task.finished(result, error)
            more = self._system.task_finished(master, task, result, error)
            if more:
                master.push_tasks(more)
