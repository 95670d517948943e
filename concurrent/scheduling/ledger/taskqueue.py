"""The tasks that wait at the master for a slave: the owners in turns, the lanes of one by rank. Pure.

A task that ends while it waits stays where it is, and is passed over when its turn comes: to take it out would
cost as much as there are tasks before it. A ledger has two queues: one that schedulers see, and one for jobs of
which nothing may run. Each job is in one of them, ``JobRecord.queue``. Of the first one tasks that claim more
than a place to run wait apart, in a queue for each claim.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from concurrent.scheduling.ledger.arrivals import Arrivals
from concurrent.scheduling.ledger.lanes import Lane, LaneGroup
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord, undergo_all
from concurrent.scheduling.ledger.states import TaskEvent
from concurrent.scheduling.tasks.claim import Claim

__all__ = ["TaskQueue"]


class TaskQueue:
    """See the module. ``count`` tells how many tasks wait; whoever takes a task changes its state.

    Tasks that are put back or passed over may be of jobs in any queue; for the rest a job must be in this one.
    ``by_claim`` are the queues of tasks with claims, which ``count`` leaves out; one may be empty.

    :param batch_max: how many tasks an owner gets in one turn.
    :param arrivals: knows when tasks came.
    :param is_by_claim: whether tasks that claim something wait apart.
    """

    def __init__(self, batch_max: int, arrivals: Arrivals, *, is_by_claim: bool = False) -> None:
        self.arrivals = arrivals
        self.count = 0
        self.by_claim: dict[Claim, TaskQueue] = {}
        self._is_by_claim = is_by_claim
        self._batch_max = batch_max
        self._turns: deque[LaneGroup] = deque()

    @property
    def lanes(self) -> list[Lane]:
        """The lanes with waiting tasks: the owners in the order of their turns, the lanes of each by rank."""
        return [lane for group in self._turns for lane in group]

    @property
    def groups(self) -> list[LaneGroup]:
        """The same in groups, one for each owner and claim."""
        return list(self._turns)

    @property
    def next_lane(self) -> Lane | None:
        """The lane whose turn it is; None if no task waits."""
        return self._turns[0].first() if self._turns else None

    @property
    def claimed_count(self) -> int:
        """How many tasks with claims wait."""
        return sum(queue.count for queue in self.by_claim.values())

    def added(self, lane: Lane, count: int) -> None:
        """Take note of so many tasks that were put at the end of a lane; at least one."""
        group = lane.group
        was_empty = not lane.count
        lane.count += count
        if not group.count:
            self._for(group.claim)._enter(group)
        group.count += count
        assert group.queue is not None
        group.queue.count += count
        lane.owner.queued_count += count
        if was_empty and lane is not group.only:
            group.changed(lane)

    def put_back(self, tasks: Iterable[TaskRecord]) -> None:
        """Put tasks back at the front of their lanes, in their old order."""
        tasks = sorted(tasks, key=attrgetter("number"), reverse=True)
        undergo_all(tasks, TaskEvent.PUT_BACK)
        for task in tasks:
            task.slave = 0
            lane = task.owner.lanes.lane(task.terms)
            lane.tasks.appendleft(task)
            lane.owner.queue.added(lane, 1)
            lane.group.changed(lane)

    def take(self, count: int, lane: Lane | None = None) -> list[TaskRecord]:
        """Take a turn: up to ``count`` tasks, at least one, from the front of one lane; none if there are none.

        :param lane: which; None for the one whose turn it is.
        """
        turns = self._turns
        if lane is None:
            if not turns:
                return []
            group = turns[0]
            lane = group.only or group.first()
        else:
            group = lane.group
            if group.queue is not self:
                queue = self.by_claim.get(group.claim)
                return queue.take(count, lane) if queue is not None and queue is group.queue else []
        size = min(count, lane.count, self._batch_max)
        if not size:
            return []
        batch = lane.take(size)
        self.count -= size
        group.count -= size
        group.owner.queued_count -= size
        if not group.count:
            turns.remove(group)
        elif len(turns) > 1:
            group.turns_left -= 1
            if group.turns_left <= 0:
                turns.remove(group)
                self._enter(group)
        if lane is not group.only or (lane.tasks and not lane.count):
            group.changed(lane)
        return batch

    def pass_over(self, tasks: Iterable[TaskRecord]) -> None:
        """Count no more on waiting tasks that end; their states change now."""
        for task in tasks:
            lane = task.owner.lanes.lane(task.terms)
            group = lane.group
            lane.count -= 1
            group.count -= 1
            task.owner.queued_count -= 1
            assert group.queue is not None
            group.queue.count -= 1
            if not group.count:
                group.queue._turns.remove(group)
            if not lane.count:
                group.changed(lane)

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
        for group in owner.lanes.groups:
            _leave(group)
            group.clear()
        owner.queued_count = 0

    def hand_over(self, owner: JobRecord, other: TaskQueue) -> None:
        """Have the tasks of an owner, and those that come, wait in another queue."""
        owner.queue = other
        for group in owner.lanes.groups:
            _leave(group)
            queue = other._for(group.claim)
            queue._enter(group)
            queue.count += group.count

    def _for(self, claim: Claim) -> TaskQueue:
        """Return where tasks with a claim wait."""
        if not claim or not self._is_by_claim:
            return self
        queue = self.by_claim.get(claim)
        if queue is None:
            queue = self.by_claim[claim] = TaskQueue(self._batch_max, self.arrivals)
        return queue

    def _enter(self, group: LaneGroup) -> None:
        """Let an owner have turns, behind the others."""
        group.queue = self
        group.turns_left = group.owner.weight
        self._turns.append(group)


def _leave(group: LaneGroup) -> None:
    queue = group.queue
    assert queue is not None
    queue.count -= group.count
    queue._turns.remove(group)
