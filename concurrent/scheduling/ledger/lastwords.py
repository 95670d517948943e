"""Whose the last words are of tasks that have ended while a slave had them, which has yet to end them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from concurrent.scheduling.ledger.records import TaskRecord

__all__ = ["LastWords", "Whose"]

KEPT_COUNT: Final = 1000
"""So many are known, the latest; what others say is lost."""


class Whose(NamedTuple):
    """A task at a slave.

    :param slave: the number of the slave.
    :param owner: that of its job.
    :param task_id: the number that its program gave it.
    """

    slave: int
    owner: int
    task_id: int


class LastWords:
    """See the module. The ledger owns it."""

    def __init__(self) -> None:
        self._whose: dict[int, Whose] = {}

    def expect(self, tasks: Iterable[TaskRecord]) -> None:
        """Take note of tasks that slaves have and are told to end."""
        for task in tasks:
            self._whose[task.number] = Whose(task.slave, task.owner.owner, task.client_id)
        while len(self._whose) > KEPT_COUNT:
            del self._whose[next(iter(self._whose))]

    def of(self, slave: int, number: int) -> Whose | None:
        """Return whose it is what a slave says of a task that it has no more."""
        whose = self._whose.get(number)
        return whose if whose is not None and whose.slave == slave else None

    def found(self, owner: int, task_id: int) -> tuple[int, int] | None:
        """Return the slave that had a task until it ended, and its number there; None if that is not known."""
        for number, whose in reversed(self._whose.items()):
            if whose.owner == owner and whose.task_id == task_id:
                return whose.slave, number
        return None
