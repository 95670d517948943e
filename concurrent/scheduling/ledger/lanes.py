"""Lanes: the tasks of one owner with equal terms that wait at the master, in their order. Pure.

Of an owner's lanes that with the oldest task is first, and a point of priority counts as ten seconds of
waiting. So tasks go out nearly in the order in which they were pushed, and yet in batches with equal terms;
what is urgent goes first, and nothing is left behind for ever.
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

AGING_S: Final = 10.0
"""A task of one point of priority more goes before those that have waited for less than so long, in seconds."""

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
    """The lanes of one owner, and which of them is first. Tell it of each one whose tasks have changed.

    ``only`` is the one lane that may have waiting tasks; None if there are several: then they are ranked.
    """

    def __init__(self, owner: JobRecord) -> None:
        self.only: Lane | None = None
        self._several: dict[Lane, None] = {}
        self._ranking = Ranking()
        self._owner = owner
        self._lane_by_terms: dict[Terms, Lane] = {}
        self._latest: Lane | None = None  # the one that was asked for last

    def __len__(self) -> int:
        return len(self._several) if self.only is None else int(self.only.count > 0)

    def __iter__(self) -> Iterator[Lane]:
        """Yield the lanes with waiting tasks, the first one first."""
        if self.only is None:
            return iter(sorted(self._several, key=_order))
        return iter((self.only,) if self.only.count else ())

    def lane(self, terms: Terms) -> Lane:
        """Return the lane for tasks with these terms."""
        lane = self._latest
        if lane is None or lane.terms is not terms:
            lane = self._latest = self._lane_by_terms.get(terms) or self._new(terms)
        return lane

    def first(self) -> Lane:
        """Return the lane whose turn it is; there must be one."""
        if self.only is not None:
            return self.only
        entry = self._ranking.first()
        assert entry is not None
        lane: Lane = entry[-1]
        return lane

    def changed(self, lane: Lane) -> None:
        """Rank a lane anew, whose tasks have changed."""
        only = self.only
        if not lane.count:
            lane.tasks.clear()
            self._leave(lane)
        elif only is None and self._several:
            self._rank(lane)
        elif only is None or not only.count:
            self.only = lane
        elif lane is not only:
            self.only = None
            self._rank(only)
            self._rank(lane)

    def clear(self) -> None:
        """Drop all tasks."""
        for lane in list(self):
            lane.count = 0
            self.changed(lane)

    def _new(self, terms: Terms) -> Lane:
        if len(self._lane_by_terms) >= len(self) + EMPTY_MAX:
            self._lane_by_terms = {lane.terms: lane for lane in self}
        lane = self._lane_by_terms[terms] = Lane(self._owner, terms)
        return lane

    def _rank(self, lane: Lane) -> None:
        self._several[lane] = None
        self._ranking.put((_order(lane), lane))

    def _leave(self, lane: Lane) -> None:
        """Rank a lane no more, for it is empty."""
        if lane in self._several:
            del self._several[lane]
            self._ranking.drop(lane)
            if len(self._several) == 1:
                (self.only,) = self._several
                self._several.clear()
                self._ranking.clear()


def _order(lane: Lane) -> tuple[float, int]:
    """Return what the first lane has least of: when its first task came, as its priority makes that count."""
    number = lane.first_number()
    return lane.owner.queue.arrivals.of(number) - AGING_S * lane.terms.priority, number
