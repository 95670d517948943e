"""The work: a task that searches one block, and the task system that ends as soon as one has found it."""

from __future__ import annotations

from collections.abc import Sequence

from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .candidates import Search
from .hunt import Hunt, Outcome
from .kernel import search

__all__ = ["BlockTask", "Md5System", "make_tasks"]


class BlockTask(Task):
    """Tries the numbers of one block."""

    def __init__(self, block: Search) -> None:
        super().__init__(f"numbers {block.first} to {block.last - 1}")
        self.block = block

    def __call__(self) -> int | None:
        """Return the number that has the digest, None if none of the block has."""
        return search(*self.block)


def make_tasks(hunt: Hunt) -> list[BlockTask]:
    """Make the tasks that may be out now."""
    return [BlockTask(block) for block in hunt.next_blocks()]


class Md5System(ITaskSystem):
    """Hands out the blocks at the master. Once complete, the master cancels what it has not finished."""

    def __init__(self, hunt: Hunt) -> None:
        self.hunt = hunt

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        """Return the first tasks."""
        return make_tasks(self.hunt)

    def task_finished(
        self, master: ISystemMaster, task: Task, result: int | None, error: BaseException | None
    ) -> Sequence[Task]:
        """Take what a task found and return the next ones; an error ends the system."""
        if error is not None:
            raise error
        assert isinstance(task, BlockTask)
        self.hunt.finish(task.block, result)
        master.progress(self.hunt.finished_count, self.hunt.task_count)
        return make_tasks(self.hunt)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether the number is found, or all are tried."""
        return self.hunt.is_over

    def gather_result(self, master: ISystemMaster) -> Outcome:
        """Return how the search ended."""
        return self.hunt.outcome()
