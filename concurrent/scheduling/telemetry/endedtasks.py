"""Tasks that ended lately: many of those that failed or were cancelled, some of those that finished. Pure.

Finished tasks come by the thousand, so they are kept by batches, as the ledger has them; others row by row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from concurrent.scheduling.telemetry.failuretexts import FailureSaid
from concurrent.scheduling.telemetry.jobmark import JobMark

__all__ = ["FINISHED_MAX", "UNFINISHED_MAX", "EndedTask", "EndedTasks", "FinishedBatch"]

UNFINISHED_MAX: Final = 10_000
"""So many that failed or were cancelled are kept, the latest."""

FINISHED_MAX: Final = 1000
"""At least so many that finished are kept, the latest."""


class EndedTask(NamedTuple):
    """A task that has ended.

    :param at: when, and ``came_at`` when the master got it; 0 if that is not known.
    :param id: the number that its program gave it.
    :param status: how it ended, as ``outcome.py`` has it.
    :param tries: how often it was tried again, and ``deaths`` how many workers died of it.
    :param exception: the type of what it raised, or what stands for that.
    :param said: what it says of that; None if it has not failed.
    :param usual_s: how long tasks took lately at its slave; 0 if that is not known.
    """

    job: JobMark
    id: int
    name: str
    status: int
    slave: str
    at: float
    came_at: float = 0.0
    tries: int = 0
    deaths: int = 0
    exception: str = ""
    said: FailureSaid | None = None
    usual_s: float = 0.0

    @property
    def words(self) -> str:
        """What is known of how it failed, in a few words."""
        return self.said.words if self.said is not None else ""

    @property
    def text(self) -> str:
        """All that it says, with its traceback; empty if that is not kept any more."""
        return self.said.text if self.said is not None else ""


class FinishedBatch(NamedTuple):
    """Tasks of one job that finished together; ``names`` has that of each, or one for all."""

    job: JobMark
    ids: Sequence[int]
    names: Sequence[str]
    slave: str
    at: float
    status: int
    usual_s: float = 0.0

    def rows(self) -> Iterator[EndedTask]:
        """Iterate over the tasks, the latest first."""
        names = self.names if len(self.names) > 1 else [self.names[0]] * len(self.ids)
        for task_id, name in zip(reversed(self.ids), reversed(names), strict=True):
            yield EndedTask(self.job, task_id, name, self.status, self.slave, self.at, usual_s=self.usual_s)


class EndedTasks:
    """See the module."""

    def __init__(self) -> None:
        self._unfinished: deque[EndedTask] = deque(maxlen=UNFINISHED_MAX)
        self._finished: deque[FinishedBatch] = deque()
        self._finished_count = 0

    def add(self, task: EndedTask) -> None:
        """Keep a task that failed or was cancelled."""
        self._unfinished.append(task)

    def add_finished(self, batch: FinishedBatch) -> None:
        """Keep tasks that finished, and drop the oldest of them."""
        batches = self._finished
        batches.append(batch)
        count = self._finished_count + len(batch.ids)
        while count - len(batches[0].ids) >= FINISHED_MAX:
            count -= len(batches.popleft().ids)
        self._finished_count = count

    def unfinished(self) -> Iterator[EndedTask]:
        """Iterate over those that failed or were cancelled, the latest first."""
        return reversed(self._unfinished)

    def finished(self) -> Iterator[EndedTask]:
        """Iterate over those that finished, the latest first."""
        for batch in reversed(self._finished):
            yield from batch.rows()

    def find(self, owner: int, task_id: int) -> EndedTask | None:
        """Return what is known of a task of a job that has ended."""
        return self._find(task_id, lambda job: job.owner == owner)

    def find_of(self, title: str, task_id: int) -> EndedTask | None:
        """Return what is known of a task whose job was called so, of the latest such job."""
        return self._find(task_id, lambda job: job.name == title)

    def _find(self, task_id: int, is_its: Callable[[JobMark], bool]) -> EndedTask | None:
        for task in self.unfinished():
            if task.id == task_id and is_its(task.job):
                return task
        for batch in reversed(self._finished):
            if task_id in batch.ids and is_its(batch.job):
                return next(task for task in batch.rows() if task.id == task_id)
        return None
