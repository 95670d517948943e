"""The tasks, how many of them are out at once, and the task system that runs them.

More workers than wanted cannot be sent away from inside an application. So a step for N workers has N lanes: N
tasks are out at any time, and the next one is pushed when one has come home. Whatever the scheduler does, no
more than N run at once. It is a fair measure, for each step is done in the same way, and a strict one: every
task pays for its whole way there and back, which a cluster with a full queue does while others run.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence

from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .load import Done, Load

__all__ = ["BenchmarkSystem", "Lanes", "LoadTask"]


class LoadTask(Task):
    """Does a load once."""

    def __init__(self, load: Load, number: int) -> None:
        super().__init__(f"{load.kind} {number}")
        self.load = load
        self.number = number

    def __call__(self) -> Done:
        """Return what came of it."""
        return self.load.carry(self.number)


class Lanes:
    """The tasks of one step.

    :param task_count: how many tasks there are in all.
    :param lane_count: how many of them may be out at once.
    :param before: how many tasks of the whole measurement the steps before had.
    :param total: how many tasks it has in all; 0 if nobody wants to know.
    """

    def __init__(self, load: Load, task_count: int, lane_count: int, before: int = 0, total: int = 0) -> None:
        self.load = load
        self.task_count = task_count
        self.lane_count = lane_count
        self.before = before
        self.total = total
        self.made = 0
        self.done: list[Done] = []

    @property
    def is_complete(self) -> bool:
        """Whether all tasks have come home."""
        return len(self.done) == self.task_count

    def next_tasks(self) -> list[LoadTask]:
        """Return the tasks to push now."""
        room = self.lane_count - (self.made - len(self.done))
        numbers = range(self.made, min(self.made + room, self.task_count))
        self.made = numbers.stop
        return [LoadTask(self.load, number) for number in numbers]

    def take(self, done: Done, progress: Callable[[int, int], None]) -> list[LoadTask]:
        """Keep what came of a task and show it; return the tasks to push now."""
        self.done.append(done)
        if self.total:
            progress(self.before + len(self.done), self.total)
        return self.next_tasks()

    def answers(self) -> dict[int, bytes]:
        """Return what the tasks computed, by their numbers."""
        return {done.number: done.answer for done in self.done}

    def data_bytes(self) -> int:
        """Return the size of all tasks and results, pickled; messages around them come on top."""
        tasks = (LoadTask(self.load, done.number) for done in self.done)
        return sum(len(pickle.dumps(each)) for each in (*tasks, *self.done))


class BenchmarkSystem(ITaskSystem):
    """Runs a step beside the master."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        """Return the first task of each lane."""
        return self.lanes.next_tasks()

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Done, error: BaseException | None
    ) -> Sequence[Task]:
        """Keep one result and return the next task; an error ends the system."""
        if error is not None:
            raise error
        return self.lanes.take(result, master.progress)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether all tasks have come home."""
        return self.lanes.is_complete

    def gather_result(self, master: ISystemMaster) -> Lanes:
        """Return the lanes, with what came of each task."""
        return self.lanes
