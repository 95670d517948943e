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
    """It makes the same pushes again, from the first on; an outcome is consumed after its push only."""
    BY_IDS = 2
    """It asks for them, see ``TaskClient.adopt``. What it does not ask for is consumed all the same."""
    WITH_TASKS = 3
    """They come along with their outcomes, as :class:`~concurrent.scheduling.owner.results.Recalled`."""


class FormerTasks:
    """See the module. Loop thread only. Each task is met once: what comes of it later is a repetition."""

    def __init__(self) -> None:
        self._below = 0
        self._how = GoesOn.BY_IDS
        self._met: set[int] = set()
        self._waiting: dict[int, tuple[int, int, Payload]] = {}

    def begin(self, below: int, how: GoesOn) -> None:
        """Take note that the tasks whose ids are less are those of former programs."""
        self._below = below
        self._how = how

    def end(self) -> None:
        """The master has nothing of former programs any more."""
        self._below = 0
        self._waiting.clear()

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
        return self._waiting.pop(task_id, None)

    def recall(self, task_id: int) -> bool:
        """Take note that a task comes along; tells whether it is one of theirs, for the first time."""
        if self._how is not GoesOn.WITH_TASKS or task_id >= self._below or task_id in self._met:
            return False
        self._met.add(task_id)
        return True
