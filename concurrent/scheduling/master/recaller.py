"""Brings a program what it lacks to take outcomes of tasks that a former program pushed. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from concurrent.core.loggers import get_log
from concurrent.scheduling.wire.columns import slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["Recaller", "readable"]

ReadTasks = Callable[[list[int]], list[Any]]

log = get_log(__name__)


def readable(tasks: ReadTasks, ids: list[int]) -> list[Any]:
    """Return the payloads of tasks, an empty one for each that cannot be read."""
    try:
        return tasks(ids)
    except OSError as error:
        if len(ids) == 1:
            log.error("a task of a former program cannot be read: %s", error)
            return [b""]
    middle = len(ids) // 2
    return readable(tasks, ids[:middle]) + readable(tasks, ids[middle:])


class Recaller:
    """For one session, before its outcomes.

    :param blobs: the code that the job had when the session was attached.
    :param below: tasks with lesser numbers were pushed by a former program.
    :param tasks: returns the payloads of tasks as they travel; may raise OSError. None if they are not wanted.
    """

    def __init__(
        self,
        courier: Courier,
        blobs: Sequence[Any],
        below: int,
        tasks: ReadTasks | None,
    ) -> None:
        self._courier = courier
        self._blobs = blobs
        self._below = below
        self._tasks = tasks

    def before(self, handler: TCPHandler, ids: list[int]) -> None:
        """Send what has to be there before the outcomes of these tasks."""
        former = [one for one in ids if one < self._below]
        if not former:
            return
        for index, blob in enumerate(self._blobs):
            self._courier.cast(handler, to_owner.recalled_code, index, blob)
        self._blobs = ()
        if self._tasks is None:
            return
        payloads = readable(self._tasks, former)
        for part in slices(payloads):
            self._courier.cast(handler, to_owner.recalled, former[part], payloads[part])
