"""Tasks that a former program of a job has pushed, at the program that goes on with the job. Pure.

A program either makes the same pushes again, then outcomes wait here until it has come to their tasks; or the
master brings the tasks along with their outcomes.
"""

from __future__ import annotations

from enum import Enum

from concurrent.scheduling.wire.columns import Payload

__all__ = ["FormerTasks", "GoesOn"]


class GoesOn(Enum):
    """How a program goes on with the tasks of a former program of its job."""

    BY_PUSHES = 1
    """It makes the same pushes again, from the first on; an outcome is consumed after its push only. In the end
    those come with their tasks to which it has not come."""
    BY_IDS = 2
    """It asks for them, see ``TaskClient.adopt``. What it does not ask for is consumed all the same."""
    WITH_TASKS = 3
    """They come along with their outcomes, as :class:`~concurrent.scheduling.owner.results.Recalled`."""


class FormerTasks:
    """See the module. Loop thread only. Each task is met once: what comes of it later is a repetition."""

    def __init__(self) -> None:
        self._below = 0
        self._here_below = 0
        self._how = GoesOn.BY_IDS
        self._met: set[int] = set()
        self._waiting: dict[int, tuple[int, int, Payload]] = {}
        self._tasks: dict[int, Payload] = {}  # that came along, if the program may not come to them

    def begin(self, below: int, how: GoesOn) -> None:
        """Take note that the tasks whose ids are less are those of former programs."""
        self._below = self._here_below = below
        self._how = how

    def joined(self, next_id: int) -> None:
        """Take note that the master has the tasks whose ids are less; 0: none of former programs."""
        self._here_below = next_id
        if not next_id:
            self._below = 0
            self._waiting.clear()
            self._tasks.clear()

    def is_gone(self, task_id: int) -> bool:
        """Return whether the master has a former program's task no more. Any thread."""
        return task_id >= self._here_below

    @property
    def held_from(self) -> int:
        """The number of the first outcome that is not consumed before it is asked for; 0 if there is none."""
        is_held = self._waiting and self._how is GoesOn.BY_PUSHES
        return next(iter(self._waiting.values()))[0] if is_held else 0

    def keep(self, number: int, task_id: int, status: int, payload: Payload) -> None:
        """Keep an outcome, if it is one of a former program's tasks and this program will come to that.

        :param number: of the outcome.
        """
        if self._how is not GoesOn.WITH_TASKS and task_id < self._below and task_id not in self._met:
            self._waiting[task_id] = number, status, payload

    def ask(self, task_id: int) -> tuple[int, int, Payload] | None:
        """Return the outcome of a task to which this program has come; None if it comes later.

        It is the number, the status and the payload.
        """
        if task_id < self._below:
            self._met.add(task_id)
        self._tasks.pop(task_id, None)
        return self._waiting.pop(task_id, None)

    def recall(self, task_id: int, payload: Payload) -> bool:
        """Take note that a task comes along; tells whether its outcome may be given back with it."""
        if task_id >= self._below or task_id in self._met:
            return False
        if self._how is GoesOn.BY_PUSHES:
            self._tasks[task_id] = payload
        if self._how is not GoesOn.WITH_TASKS:
            return False
        self._met.add(task_id)
        return True

    def left_over(self, next_id: int) -> int:
        """Return how many tasks there are to which a program that makes the same pushes has not come.

        :param next_id: the first id that it has not used.
        """
        return max(0, self._below - max(next_id, 1)) if self._how is GoesOn.BY_PUSHES else 0

    def end_pushes(self) -> list[tuple[Payload, tuple[int, Payload]]]:
        """Have tasks come along from now on, to which the program has not come.

        Return the outcomes that have waited for it, in their order: the task, and the status and the payload.
        """
        if self._how is not GoesOn.BY_PUSHES:
            return []
        self._how = GoesOn.WITH_TASKS
        came = [(self._tasks[one], ended[1:]) for one, ended in self._waiting.items() if one in self._tasks]
        self._met.update(self._waiting)
        self._waiting.clear()
        self._tasks.clear()
        return came
