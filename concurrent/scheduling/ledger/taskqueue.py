"""The tasks that wait at the master for a slave: the owners in turns, those of one in their order. Pure.

A task that ends while it waits stays where it is, and is passed over when its turn comes: to take it out would
cost as much as there are tasks before it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from concurrent.scheduling.ledger.records import OwnerRecord, TaskRecord
from concurrent.scheduling.ledger.states import TaskEvent, TaskState

__all__ = ["TaskQueue"]

QUEUED = TaskState.QUEUED


class TaskQueue:
    """See the module. ``count`` tells how many tasks wait; whoever takes a task changes its state.

    :param batch_max: how many tasks an owner gets in one turn.
    """

    def __init__(self, batch_max: int) -> None:
        self.count = 0
        self._batch_max = batch_max
        self._turns: deque[OwnerRecord] = deque()

    @property
    def owners(self) -> Sequence[OwnerRecord]:
        """The owners of waiting tasks, in the order of their turns."""
        return self._turns

    def added(self, owner: OwnerRecord, count: int) -> None:
        """Take note of so many tasks that were put at the end of an owner's queue."""
        owner.queued_count += count
        self.count += count
        if count and not owner.is_listed:
            owner.is_listed = True
            self._turns.append(owner)

    def put_back(self, tasks: Iterable[TaskRecord]) -> None:
        """Put tasks back at the front of their owners' queues, in their old order."""
        for task in sorted(tasks, key=lambda task: task.number, reverse=True):
            task.undergo(TaskEvent.PUT_BACK)
            task.slave = 0
            task.owner.queue.appendleft(task)
            self.added(task.owner, 1)

    def take(self, count: int, owner: OwnerRecord | None = None) -> list[TaskRecord]:
        """Take a turn: up to ``count`` tasks from the front of one owner's queue.

        :param owner: whose; None for the one whose turn it is.
        """
        owner = owner or self._turns[0]
        queue = owner.queue
        missing = size = min(count, owner.queued_count, self._batch_max)
        batch: list[TaskRecord] = []
        while missing:
            task = queue.popleft()
            if task.state is QUEUED:
                batch.append(task)
                missing -= 1
        self.count -= size
        owner.queued_count -= size
        self._turns.remove(owner)
        if owner.queued_count:
            self._turns.append(owner)
        else:
            owner.is_listed = False
            queue.clear()
        return batch

    def pass_over(self, tasks: Iterable[TaskRecord]) -> None:
        """Count no more on waiting tasks that end; their states change now."""
        for task in tasks:
            owner = task.owner
            self.count -= 1
            owner.queued_count -= 1
            if not owner.queued_count:
                self._unlist(owner)

    def remove(self, task: TaskRecord) -> None:
        """Take one task out, wherever it is; best if it was put back lately."""
        task.owner.queue.remove(task)
        self.pass_over([task])

    def drop(self, owner: OwnerRecord) -> None:
        """Take out all tasks of an owner."""
        self.count -= owner.queued_count
        owner.queued_count = 0
        self._unlist(owner)

    def _unlist(self, owner: OwnerRecord) -> None:
        owner.queue.clear()
        if owner.is_listed:
            owner.is_listed = False
            self._turns.remove(owner)
