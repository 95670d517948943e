"""Which tasks have ended lately: when, where and how, for people who ask. A pure module; the ledger owns it.

Tasks that ended together are one entry, which keeps the columns that there are anyway: so it costs a report of
a slave something, and not a task. What only few tasks have, such as other tries, is noted when it happens.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from concurrent.scheduling.ledger.records import TaskRecord

__all__ = ["KEPT_COUNT", "NOWHERE", "Ending", "LatelyEnded", "Where"]

KEPT_COUNT: Final = 10_000
"""So many tasks that have ended are known, the latest."""

FEW_COUNT: Final = 1000
"""So many tasks are known, the latest, of which there is more to tell than how they ended."""


Where = tuple[str, float]
"""Where tasks ended together, and when: the name of the slave, empty if no slave said so, and seconds since the
epoch, 0 if that is not known. A plain tuple, like that of a batch: one is made for each report of a slave."""

NOWHERE: Final[Where] = ("", 0.0)


class Ending(NamedTuple):
    """How one task ended.

    :param status: see ``outcome.py``.
    :param outcome: the number of its outcome, as its job counts them.
    :param slave: the name of the slave that said so; empty if none did.
    :param at: when, in seconds since the epoch; 0 if that is not known.
    :param tries: how many more tries than one there were.
    :param deaths: how many workers died of it.
    """

    status: int
    outcome: int
    slave: str
    at: float
    tries: int
    deaths: int


_Batch = tuple[int, list[int], list[int], int, Where]
"""Owner, its numbers of the tasks, statuses, the number of the last outcome, and where."""


class LatelyEnded:
    """See the module."""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._count = 0
        self._failures: dict[tuple[int, int], tuple[int, int]] = {}

    def note(self, owner: int, ids: list[int], statuses: list[int], last_outcome: int, where: Where) -> None:
        """Take note of tasks of an owner that ended together; nobody changes the columns after that.

        :param last_outcome: the number of the last of their outcomes.
        """
        batches = self._batches
        batches.append((owner, ids, statuses, last_outcome, where))
        self._count += len(ids)
        while self._count > KEPT_COUNT:
            self._count -= len(batches.popleft()[1])

    def failed(self, tasks: list[TaskRecord]) -> None:
        """Take note of tasks that failed, or of which a worker died, and that are tried again."""
        for task in tasks:
            self._failures[task.owner.owner, task.client_id] = task.tries, len(task.evidence)
        while len(self._failures) > FEW_COUNT:
            del self._failures[next(iter(self._failures))]

    def ending(self, owner: int, task_id: int) -> Ending | None:
        """Return how a task ended, by the number that its program gave it; None if it is not known any more."""
        for whose, ids, statuses, last_outcome, where in reversed(self._batches):
            if whose == owner and task_id in ids:
                place = ids.index(task_id)
                number = last_outcome - len(ids) + 1 + place
                failures = self._failures.get((owner, task_id), (0, 0))
                return Ending(statuses[place], number, *where, *failures)
        return None
