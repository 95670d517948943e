"""Tasks that ended lately: many of those that failed or were cancelled, some of those that finished. Pure.

Finished tasks come by the thousand, so they are kept by batches, as the ledger has them; others row by row.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from concurrent.scheduling.telemetry.jobmark import JobMark

__all__ = ["FINISHED_MAX", "UNFINISHED_MAX", "EndedTask", "EndedTasks", "FinishedBatch", "short"]

UNFINISHED_MAX: Final = 10_000
"""So many that failed or were cancelled are kept, the latest."""

FINISHED_MAX: Final = 1000
"""At least so many that finished are kept, the latest."""

WORDS_BYTES_MAX: Final = 100


class EndedTask(NamedTuple):
    """A task that has ended.

    :param at: when, and ``came_at`` when the master got it; 0 if that is not known.
    :param id: the number that its program gave it.
    :param status: how it ended, as ``outcome.py`` has it.
    :param tries: how often it was tried again, and ``deaths`` how many workers died of it.
    :param exception: the type of what it raised, or what stands for that.
    :param reason: what is known of that in a few words, as UTF-8.
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
    reason: bytes = b""

    @property
    def words(self) -> str:
        """What is known of how it failed, in a few words."""
        return self.reason.decode("utf-8", "ignore")


class FinishedBatch(NamedTuple):
    """Tasks of one job that finished together; ``names`` has that of each, or one for all."""

    job: JobMark
    ids: Sequence[int]
    names: Sequence[str]
    slave: str
    at: float
    status: int

    def rows(self) -> Iterator[EndedTask]:
        """Iterate over the tasks, the latest first."""
        names = self.names if len(self.names) > 1 else [self.names[0]] * len(self.ids)
        for task_id, name in zip(reversed(self.ids), reversed(names), strict=True):
            yield EndedTask(self.job, task_id, name, self.status, self.slave, self.at)


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
        for task in self.unfinished():
            if task.id == task_id and task.job.owner == owner:
                return task
        for batch in reversed(self._finished):
            if batch.job.owner == owner and task_id in batch.ids:
                return next(task for task in batch.rows() if task.id == task_id)
        return None


def short(text: str) -> bytes:
    """Return the beginning of a text, as it is kept."""
    return text[:WORDS_BYTES_MAX].encode("utf-8", "replace")[:WORDS_BYTES_MAX]
