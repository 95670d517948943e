"""The tasks that wait at the master for a slave: the owners in turns, the lanes of one by rank. Pure.

A task that ends while it waits stays where it is, and is passed over when its turn comes: to take it out would
cost as much as there are tasks before it. A ledger has two queues: one that schedulers see, and one for jobs of
which nothing may run. Each job is in one of them, ``JobRecord.queue``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from concurrent.scheduling.ledger.arrivals import Arrivals
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord, undergo_all
from concurrent.scheduling.ledger.states import TaskEvent

__all__ = ["TaskQueue"]


class TaskQueue:
    """See the module. ``count`` tells how many tasks wait; whoever takes a task changes its state.

    Tasks that are put back or passed over may be of jobs in any queue; for the rest a job must be in this one.

    :param batch_max: how many tasks an owner gets in one turn.
    :param arrivals: knows when tasks came.
    """

    def __init__(self, batch_max: int, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.count = 0
        self._batch_max = batch_max
        self._turns: deque[JobRecord] = deque()

    @property
    def lanes(self) -> list[Lane]:
        """The lanes with waiting tasks: the owners in the order of their turns, the lanes of each by rank."""
        return [lane for owner in self._turns for lane in owner.lanes]

    @property
    def next_lane(self) -> Lane | None:
        """The lane whose turn it is; None if no task waits."""
        return self._turns[0].lanes.first() if self._turns else None

    def added(self, lane: Lane, count: int) -> None:
        """Take note of so many tasks that were put at the end of a lane; at least one."""
        owner = lane.owner
        was_empty = not lane.count
        lane.count += count
        self.count += count
        if not owner.queued_count:
            self._turns.append(owner)
        owner.queued_count += count
        if was_empty and lane is not owner.lanes.only:
            owner.lanes.changed(lane)

    def put_back(self, tasks: Iterable[TaskRecord]) -> None:
        """Put tasks back at the front of their lanes, in their old order."""
        tasks = sorted(tasks, key=attrgetter("number"), reverse=True)
        undergo_all(tasks, TaskEvent.PUT_BACK)
        for task in tasks:
            task.slave = 0
            lane = task.owner.lanes.lane(task.terms)
            lane.tasks.appendleft(task)
            lane.owner.queue.added(lane, 1)
            lane.owner.lanes.changed(lane)

    def take(self, count: int, lane: Lane | None = None) -> list[TaskRecord]:
        """Take a turn: up to ``count`` tasks, at least one, from the front of one lane; none if there are none.

        :param lane: which; None for the one whose turn it is.
        """
        turns = self._turns
        if lane is None:
            if not turns:
                return []
            lanes = turns[0].lanes
            lane = lanes.only or lanes.first()
        elif lane.owner.queue is not self:
            return []
        size = min(count, lane.count, self._batch_max)
        if not size:
            return []
        owner = lane.owner
        batch = lane.take(size)
        self.count -= size
        owner.queued_count -= size
        if not owner.queued_count:
            turns.remove(owner)
        elif len(turns) > 1:
            turns.remove(owner)
            turns.append(owner)
        if lane is not owner.lanes.only or (lane.tasks and not lane.count):
            owner.lanes.changed(lane)
        return batch

    def pass_over(self, tasks: Iterable[TaskRecord]) -> None:
        """Count no more on waiting tasks that end; their states change now."""
        for task in tasks:
            owner = task.owner
            lane = owner.lanes.lane(task.terms)
            lane.count -= 1
            owner.queue._passed(owner)
            if not lane.count:
                owner.lanes.changed(lane)

    def remove(self, tasks: Iterable[TaskRecord]) -> None:
        """Take out tasks, wherever they are; best if they are near the fronts of their lanes."""
        gone_by_lane: dict[Lane, set[TaskRecord]] = {}
        for task in tasks:
            gone_by_lane.setdefault(task.owner.lanes.lane(task.terms), set()).add(task)
        for lane, gone in gone_by_lane.items():
            kept: list[TaskRecord] = []
            missing = len(gone)
            while missing:
                task = lane.tasks.popleft()
                if task in gone:
                    missing -= 1
                else:
                    kept.append(task)
            lane.tasks.extendleft(reversed(kept))
            self.pass_over(gone)

    def drop(self, owner: JobRecord) -> None:
        """Take out all tasks of an owner."""
        self._leave(owner)
        owner.queued_count = 0
        owner.lanes.clear()

    def hand_over(self, owner: JobRecord, other: TaskQueue) -> None:
        """Have the tasks of an owner, and those that come, wait in another queue."""
        self._leave(owner)
        owner.queue = other
        if owner.queued_count:
            other.count += owner.queued_count
            other._turns.append(owner)

    def _leave(self, owner: JobRecord) -> None:
        if owner.queued_count:
            self.count -= owner.queued_count
            self._turns.remove(owner)

    def _passed(self, owner: JobRecord) -> None:
        """Count no more on one task of an owner."""
        self.count -= 1
        owner.queued_count -= 1
        if not owner.queued_count:
            self._turns.remove(owner)
