"""Tasks that a former program of a job has pushed, at the program that goes on with the job. Pure.

A program either makes the same pushes again, then outcomes wait here until it has come to their tasks; or the
master brings the tasks along with their outcomes.
"""

from __future__ import annotations

from concurrent.scheduling.wire.columns import Payload

__all__ = ["FormerTasks"]


class FormerTasks:
    """See the module. Loop thread only. Each task is met once: what comes of it later is a repetition."""

    def __init__(self) -> None:
        self._below = 0
        self._has_to_ask = False
        self._met: set[int] = set()
        self._waiting: dict[int, tuple[int, int, Payload]] = {}

    def begin(self, below: int, *, has_to_ask: bool) -> None:
        """Take note that the tasks whose ids are less are those of former programs.

        :param has_to_ask: whether this program makes the same pushes again.
        """
        self._below = below
        self._has_to_ask = has_to_ask

    def end(self) -> None:
        """The master has nothing of former programs any more."""
        self._below = 0
        self._waiting.clear()

    @property
    def first_waiting(self) -> int:
        """The number of the first outcome that waits here; 0 if none does."""
        return next(iter(self._waiting.values()))[0] if self._waiting else 0

    def keep(self, number: int, task_id: int, status: int, payload: Payload) -> None:
        """Keep an outcome, if it is one of a former program's tasks and this program will come to that.

        :param number: of the outcome.
        """
        if self._has_to_ask and task_id < self._below and task_id not in self._met:
            self._waiting[task_id] = number, status, payload

    def ask(self, task_id: int) -> tuple[int, Payload] | None:
        """Return the status and payload of a task to which this program has come; None if they come later."""
        if task_id < self._below:
            self._met.add(task_id)
        waiting = self._waiting.pop(task_id, None)
        return None if waiting is None else waiting[1:]

    def recall(self, task_id: int) -> bool:
        """Take note that a task comes along; tells whether it is one of theirs, for the first time."""
        if self._has_to_ask or task_id >= self._below or task_id in self._met:
            return False
        self._met.add(task_id)
        return True
