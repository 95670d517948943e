"""Lanes: the tasks of one owner with equal terms that wait at the master, in their order. Pure.

Of an owner's lanes the one with the highest priority is first, and of equal ones that with the oldest task: so
tasks go out nearly in the order in which they were pushed, and yet in batches with equal terms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from concurrent.core.ranking import Ranking
from concurrent.scheduling.ledger.states import TaskState

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
    from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Lane", "OwnerLanes"]

QUEUED: Final = TaskState.QUEUED

EMPTY_MAX: Final = 32
"""So many lanes of an owner are kept when they are empty, for their next tasks."""


class Lane:
    """See the module. ``count`` is how many tasks wait in it.

    Cancelled ones stay among ``tasks`` until their turn, and are not counted.
    """

    __slots__ = ("count", "owner", "tasks", "terms")

    def __init__(self, owner: JobRecord, terms: Terms) -> None:
        self.owner = owner
        self.terms = terms
        self.count = 0
        self.tasks: deque[TaskRecord] = deque()

    def __repr__(self) -> str:
        return f"<Lane of {self.owner.name}: {self.count} tasks, {self.terms}>"

    def take(self, count: int) -> list[TaskRecord]:
        """Take out the first so many tasks; there must be as many."""
        popleft = self.tasks.popleft
        batch: list[TaskRecord] = []
        missing = count
        while missing:
            task = popleft()
            if task.state is QUEUED:
                batch.append(task)
                missing -= 1
        self.count -= count
        return batch

    def first_number(self) -> int:
        """Return the number of the first task; there must be one."""
        tasks = self.tasks
        while tasks[0].state is not QUEUED:
            tasks.popleft()
        return tasks[0].number


class OwnerLanes:
    """The lanes of one owner, and which of them is first. Tell it of each one whose tasks have changed."""

    def __init__(self, owner: JobRecord) -> None:
        self._owner = owner
        self._lane_by_terms: dict[Terms, Lane] = {}
        self._latest: Lane | None = None  # that was asked for
        self._waiting: dict[Lane, None] = {}
        self._ranking = Ranking()  # of those that wait, while they are several

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Lane]:
        """Yield the lanes with waiting tasks, the first one first."""
        return iter(sorted(self._waiting, key=_rank) if len(self._waiting) > 1 else list(self._waiting))

    def lane(self, terms: Terms) -> Lane:
        """Return the lane for tasks with these terms."""
        lane = self._latest
        if lane is not None and lane.terms is terms:
            return lane
        lane = self._lane_by_terms.get(terms)
        if lane is None:
            if len(self._lane_by_terms) >= len(self._waiting) + EMPTY_MAX:
                self._lane_by_terms = {lane.terms: lane for lane in self._waiting}
            lane = self._lane_by_terms[terms] = Lane(self._owner, terms)
        self._latest = lane
        return lane

    def first(self) -> Lane:
        """Return the lane whose turn it is; there must be one."""
        if len(self._waiting) == 1:
            return next(iter(self._waiting))
        entry = self._ranking.first()
        assert entry is not None
        lane: Lane = entry[-1]
        return lane

    def changed(self, lane: Lane) -> None:
        """Rank a lane anew, whose tasks or their count have changed."""
        waiting, ranking = self._waiting, self._ranking
        if lane.count:
            waiting[lane] = None
            if len(waiting) > 1:
                for one in (lane,) if len(ranking) else list(waiting):
                    ranking.put((_rank(one), one))
            return
        lane.tasks.clear()
        waiting.pop(lane, None)
        if len(waiting) > 1:
            ranking.drop(lane)
        elif len(ranking):
            ranking.clear()

    def clear(self) -> None:
        """Drop all tasks."""
        for lane in list(self._waiting):
            lane.count = 0
            self.changed(lane)


def _rank(lane: Lane) -> tuple[int, int]:
    """Return what the first lane has least of."""
    return -lane.terms.priority, lane.first_number()
