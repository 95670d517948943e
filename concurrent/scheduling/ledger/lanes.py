"""Lanes: the tasks of one owner with equal terms that wait at the master, in their order. Pure.

Those of an owner's lanes whose tasks claim the same are a group, so that it is asked once for all of them who
has that. Of a group the lane with the oldest task is first, and a point of priority counts as ten seconds of
waiting. So tasks go out nearly in the order in which they were pushed, and yet in batches with equal terms;
what is urgent goes first, and nothing is left behind for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Final

from concurrent.core.ranking import Ranking
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.claim import NO_CLAIM
from concurrent.scheduling.tasks.terms import POINT_S

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
    from concurrent.scheduling.ledger.taskqueue import TaskQueue
    from concurrent.scheduling.tasks.claim import Claim
    from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Lane", "LaneGroup", "OwnerLanes"]

QUEUED: Final = TaskState.QUEUED

EMPTY_MAX: Final = 32
"""So many lanes of an owner are kept when they are empty, for their next tasks, or as many as are not."""


class Lane:
    """See the module. ``count`` is how many tasks wait in it, ``group`` are the lanes with the same claim.

    Cancelled ones stay among ``tasks`` until their turn, and are not counted.
    """

    __slots__ = ("count", "group", "owner", "tasks", "terms")

    def __init__(self, group: LaneGroup, terms: Terms) -> None:
        self.group = group
        self.owner = group.owner
        self.terms = terms
        self.count = 0
        self.tasks: deque[TaskRecord] = deque()

    def __repr__(self) -> str:
        return f"<Lane of {self.owner.name}: {self.count} tasks, {self.terms}>"

    @property
    def claim(self) -> Claim:
        """What each of its tasks takes while it runs."""
        return self.group.claim

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

    def waiting(self) -> list[TaskRecord]:
        """Return the tasks that wait, in their order."""
        return [task for task in self.tasks if task.state is QUEUED]

    def first_number(self) -> int:
        """Return the number of the first task; there must be one."""
        tasks = self.tasks
        while tasks[0].state is not QUEUED:
            tasks.popleft()
        return tasks[0].number


class LaneGroup:
    """The lanes of one owner with one claim, and which of them is first. Tell it of each one that has changed.

    ``count`` is how many tasks wait in them, ``queue`` where they do so if there are any, and ``turns_left``
    how many turns the owner has there before the next one. ``only`` is the one lane that may have waiting
    tasks; None if there are several: then they are ranked.
    """

    __slots__ = ("_ranking", "_several", "claim", "count", "only", "owner", "queue", "turns_left")

    def __init__(self, owner: JobRecord, claim: Claim) -> None:
        self.owner = owner
        self.claim = claim
        self.count = 0
        self.queue: TaskQueue | None = None
        self.turns_left = 1
        self.only: Lane | None = None
        self._several: dict[Lane, None] = {}
        self._ranking = Ranking()

    def __len__(self) -> int:
        return len(self._several) if self.only is None else int(self.only.count > 0)

    def __iter__(self) -> Iterator[Lane]:
        """Yield the lanes with waiting tasks, the first one first."""
        if self.only is None:
            return iter(sorted(self._several, key=_order))
        return iter((self.only,) if self.only.count else ())

    @property
    def rank(self) -> tuple[float, int]:
        """What the first of several groups has least of; there must be tasks."""
        return _order(self.first())

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
        self.count = 0
        for lane in list(self):
            lane.count = 0
            self.changed(lane)

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


class OwnerLanes:
    """All lanes of one owner. ``plain`` are those whose tasks claim nothing but a place to run."""

    def __init__(self, owner: JobRecord) -> None:
        self.plain = LaneGroup(owner, NO_CLAIM)
        self._owner = owner
        self._group_by_claim: dict[Claim, LaneGroup] = {NO_CLAIM: self.plain}
        self._lane_by_terms: dict[Terms, Lane] = {}
        self._latest: Lane | None = None  # the one that was asked for last
        self._tidy_at = EMPTY_MAX

    def __iter__(self) -> Iterator[Lane]:
        """Yield the lanes with waiting tasks, those of a group in their order."""
        return chain.from_iterable(self._group_by_claim.values())

    def in_any_order(self) -> Iterator[Lane]:
        """Iterate over the lanes with waiting tasks, which is quick however many there are."""
        return (lane for lane in self._lane_by_terms.values() if lane.count)

    @property
    def groups(self) -> list[LaneGroup]:
        """The groups with waiting tasks."""
        return [group for group in self._group_by_claim.values() if group.count]

    def lane(self, terms: Terms) -> Lane:
        """Return the lane for tasks with these terms."""
        lane = self._latest
        if lane is None or lane.terms is not terms:
            lane = self._latest = self._lane_by_terms.get(terms) or self._new(terms)
        return lane

    def first(self) -> Lane:
        """Return the lane whose turn it is, of those that claim nothing; there must be one."""
        return self.plain.first()

    def _new(self, terms: Terms) -> Lane:
        if len(self._lane_by_terms) >= self._tidy_at:
            self._lane_by_terms = {lane.terms: lane for lane in self}
            self._group_by_claim = {group.claim: group for group in (self.plain, *self.groups)}
            count = len(self._lane_by_terms)
            self._tidy_at = count + max(EMPTY_MAX, count)
        group = self._group_by_claim.get(terms.resources)
        if group is None:
            group = self._group_by_claim[terms.resources] = LaneGroup(self._owner, terms.resources)
        lane = self._lane_by_terms[terms] = Lane(group, terms)
        return lane


def _order(lane: Lane) -> tuple[float, int]:
    """Return what the first lane has least of: when its first task came, as its priority makes that count."""
    number = lane.first_number()
    return lane.owner.queue.arrivals.of(number) - POINT_S * lane.terms.priority, number
