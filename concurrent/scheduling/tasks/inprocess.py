"""Runs a task system and its tasks in the calling process: for tests of task systems, and for debuggers."""

from __future__ import annotations

import io
import pickle
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from concurrent.core.loggers import get_log
from concurrent.scheduling.tasks.drive import SystemDrive
from concurrent.scheduling.tasks.options import TermOptions, options_of
from concurrent.scheduling.tasks.task import Task
from concurrent.scheduling.tasks.tasksystem import ITaskSystem
from concurrent.scheduling.tasks.terms import terms_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["InProcessMaster"]


class InProcessMaster:
    """What a task system knows as the master, without a cluster. One thread.

    Tasks are pickled on their way there and back, as on a cluster; so a task system that works here has no
    data that cannot travel.

    :param workers: how many worker processes there seem to be.
    :param restarts: whether another copy of the system goes on from its checkpoint after each outcome, as if
        its process had been lost again and again.
    """

    def __init__(self, workers: int = 1, *, restarts: bool = False) -> None:
        self.workers = workers
        self._restarts = restarts
        self.log = get_log("concurrent.system")
        self.shown: tuple[int, int] = (0, 0)
        self._tasks: deque[Task] = deque()
        self._drive: SystemDrive

    def progress(self, done: int, total: int) -> None:
        """Keep the count as ``shown``."""
        self.shown = (done, total)

    def push_task(self, task: Task, **options: Unpack[TermOptions]) -> None:
        """Have one more task run. What it asks for is checked, and nothing comes of it here."""
        self.push_tasks((task,), **options)

    def push_tasks(self, tasks: Iterable[Task], batch_size: int = 1, **options: Unpack[TermOptions]) -> None:
        """Have more tasks run; see :meth:`push_task`."""
        asked = options_of(options)
        for task in tasks:
            asked.over(terms_of(task))
            self._tasks.append(task)

    def run(self, system: ITaskSystem) -> Any:
        """Run a task system to its end and return its result.

        :raises SchedulingError: if it has no task left, but is not complete.
        :raises Exception: what the system's own methods raise.
        """
        self._pushed = pickle.dumps(system)
        self._drive = SystemDrive(pickle.loads(self._pushed), self, self._go_on)
        self._drive.begin()
        if self._restarts:
            self._restart()
        return self._drive.complete()

    def _go_on(self) -> bool:
        """Run the next task, if there is one."""
        if not self._tasks:
            return False
        self._drive.take([_run(self._tasks.popleft())])
        if self._restarts:
            self._restart()
        return True

    def _restart(self) -> None:
        """Go on from a checkpoint, with another system and other tasks."""
        self._tasks = pickle.loads(pickle.dumps(self._tasks))
        self._drive.restore(pickle.loads(self._pushed), _copied(self._drive.checkpoint(), self))


def _copied(value: Any, master: InProcessMaster) -> Any:
    """Return a copy that keeps its master, for a system may have it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            return "master" if thing is master else None

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, _pid: Any) -> Any:
            return master

    file = io.BytesIO()
    Pickler(file).dump(value)
    file.seek(0)
    return Unpickler(file).load()


def _run(task: Task) -> tuple[Task, Any, BaseException | None]:
    """Do what a worker does with a task."""
    there: Task = pickle.loads(pickle.dumps(task))
    try:
        result = there()
        there.clean_up()
    except BaseException as error:  # boundary: whatever a task raises is its outcome
        return task, None, error
    return task, pickle.loads(pickle.dumps((result, there) if task.returns_task else result)), None
