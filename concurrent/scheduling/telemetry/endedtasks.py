"""Tasks that ended lately: the latest that finished, and as many that failed or were cancelled. Pure.

What ends together is one entry, which keeps the columns that there are anyway: so it costs a report of a slave
something, and not a task. Of what has not finished there is more to tell, in a row for each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.telemetry.failuretexts import FailureSaid
from concurrent.scheduling.telemetry.jobmark import JobMark

__all__ = ["LISTED_MIN", "EndedBatch", "EndedTask", "EndedTasks"]

LISTED_MIN: Final = 1000
"""At least so many that finished are listed; of older ones it is known when somebody asks for them."""

TRIED_MAX: Final = 1000
"""Of so many tasks it is known, the latest, that they had more than one try."""

EndedBatch = tuple[JobMark, Sequence[int], list[int], int, Sequence[str], tuple[str, float, float], int]
"""Tasks of one job that ended together: their numbers at their program, how each ended, how many finished,
their names or one for all, where that was (the slave, when, and how long tasks took there lately), the number
of the last of their outcomes. A plain tuple: each report makes one."""


class EndedTask(NamedTuple):
    """A task that has ended.

    :param at: when, and ``came_at`` when the master got it; 0 if that is not known.
    :param id: the number that its program gave it.
    :param status: how it ended, as ``outcome.py`` has it.
    :param tries: how often it was tried again, and ``deaths`` how many workers died of it.
    :param exception: the type of what it raised, or what stands for that.
    :param said: what it says of that; None if it has not failed.
    :param usual_s: how long tasks took lately at its slave; 0 if that is not known.
    :param outcome: the number of its outcome, as its job counts them.
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
    outcome: int = 0

    @property
    def words(self) -> str:
        """What is known of how it failed, in a few words."""
        return self.said.words if self.said is not None else ""

    @property
    def text(self) -> str:
        """All that it says, with its traceback; empty if that is not kept any more."""
        return self.said.text if self.said is not None else ""


class EndedTasks:
    """See the module.

    :param kept_count: so many that finished are kept at least, and up to so many others.
    """

    def __init__(self, kept_count: int) -> None:
        self._kept_count = kept_count
        self._unfinished: deque[EndedTask] = deque(maxlen=kept_count)
        self._batches: deque[EndedBatch] = deque()
        self._finished_count = 0
        self._tries: dict[tuple[int, int], tuple[int, int]] = {}

    def add(self, task: EndedTask) -> None:
        """Keep a task that failed or was cancelled."""
        self._unfinished.append(task)

    def add_batch(self, batch: EndedBatch) -> None:
        """Keep tasks of which some have finished, and drop the oldest."""
        batches = self._batches
        batches.append(batch)
        count = self._finished_count + batch[3]
        while (left := count - batches[0][3]) >= self._kept_count:
            batches.popleft()
            count = left
        self._finished_count = count

    def tried(self, owner: int, task_id: int, tries: int, deaths: int) -> None:
        """Take note that a task is tried again, in case that it finishes after all."""
        self._tries[owner, task_id] = tries, deaths
        while len(self._tries) > TRIED_MAX:
            del self._tries[next(iter(self._tries))]

    def unfinished(self) -> Iterator[EndedTask]:
        """Iterate over those that failed or were cancelled, the latest first."""
        return reversed(self._unfinished)

    def finished(self) -> Iterator[EndedTask]:
        """Iterate over those that finished, the latest first, as far as they are listed."""
        count = 0
        for batch in reversed(self._batches):
            if count >= LISTED_MIN:
                return
            statuses = batch[2]
            for place in range(len(statuses) - 1, -1, -1):
                if statuses[place] == FINISHED:
                    count += 1
                    yield self._row(batch, place)

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
        for batch in reversed(self._batches):
            if task_id in batch[1] and is_its(batch[0]):
                return self._row(batch, batch[1].index(task_id))
        return None

    def _row(self, batch: EndedBatch, place: int) -> EndedTask:
        job, ids, statuses, _, names, (slave, at, usual_s), last_outcome = batch
        tries, deaths = self._tries.get((job.owner, ids[place]), (0, 0))
        return EndedTask(
            job,
            ids[place],
            names[place] if len(names) > 1 else names[0],
            statuses[place],
            slave,
            at,
            tries=tries,
            deaths=deaths,
            usual_s=usual_s,
            outcome=last_outcome - len(ids) + 1 + place,
        )
