"""The work in two phases of independent tasks, and the task system that runs them at the master.

A walk along the helix is a chain: the frame of a base is the product of all turns after it. A product may
be cut anywhere. So each task of phase one walks over a block of bases and returns their frames seen from
where the *block* ends; the first of these is the product of the whole block. When all are there, the
products are combined, block by block from the last one on, and each block is placed where it belongs: one
multiplication for each base, and the only sequential step. Curvature and angles look at neighbours, so a
task of phase two gets positions and normals of its block and of what its windows reach on both sides:
these overlap.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from concurrent.apps.node import peak_memory_bytes
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .analysis import Measured
from .curve import Windows, points_of
from .models import model_named
from .walk import bends, placed, walked

__all__ = ["BendTask", "DNACurveSystem", "Gathered", "Phases", "Plan", "WalkTask"]


class Plan(NamedTuple):
    """What is to be done.

    :param sequence: letters A, C, G and T.
    :param tasks_per_batch: how many tasks travel and run as one.
    """

    sequence: str
    model_name: str
    windows: Windows
    bases_per_task: int
    tasks_per_batch: int = 1

    def blocks(self) -> Iterator[range]:
        """Cut the sequence into blocks of bases; the last one may be smaller."""
        size = len(self.sequence)
        for first in range(0, size, self.bases_per_task):
            yield range(first, min(first + self.bases_per_task, size))

    @property
    def task_count(self) -> int:
        """How many tasks both phases have together."""
        return 2 * -(-len(self.sequence) // self.bases_per_task)


class WalkTask(Task):
    """Phase one: walks over a block.

    :param block: the bases.
    :param steps: the kind of step that follows on each of them.
    """

    def __init__(self, block: range, steps: bytes, model_name: str) -> None:
        super().__init__(f"walk over bases {block.start + 1} to {block.stop}")
        self.first = block.start
        self.steps = steps
        self.model_name = model_name

    def __call__(self) -> array[float]:
        """Return the frames of the block, seen from its end."""
        return walked(self.steps, model_named(self.model_name).turns)


class BendTask(Task):
    """Phase two: computes the curvature and the angles of a block.

    :param points: of the block and of what the windows reach on both sides.
    :param first: the base that the points begin with.
    :param size: how many bases the sequence has.
    """

    def __init__(self, block: range, points: array[float], first: int, size: int, windows: Windows) -> None:
        super().__init__(f"bend of bases {block.start + 1} to {block.stop}")
        self.block = block
        self.points = points
        self.first = first
        self.size = size
        self.windows = windows

    def __call__(self) -> array[float]:
        """Return six numbers for each base of the block; see the kernel."""
        return bends(self.points, self.first, self.size, self.block, self.windows)


class Phases:
    """Keeps the results of both phases, and makes the tasks of the second one when the first is complete.

    It does not matter who drives it: an application with plain tasks, or a task system at the master.

    :param data_bytes: the size of what tasks and results have carried so far, without what wraps it.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.done = 0
        self.data_bytes = 0
        self._frames_by_base: dict[int, array[float]] = {}
        self._bends_by_base: dict[int, array[float]] = {}
        self._frames = array("d")

    def first_tasks(self) -> Iterator[WalkTask]:
        """Make the tasks of phase one, one after the other."""
        steps = model_named(self.plan.model_name).steps(self.plan.sequence)
        for block in self.plan.blocks():
            own = steps[block.start : block.stop]
            self.data_bytes += len(own)
            yield WalkTask(block, own, self.plan.model_name)

    def take(self, task: Task, result: array[float]) -> Iterator[BendTask]:
        """Keep the result of a task; return what is to do now: phase two, after the last of phase one."""
        self.done += 1
        self.data_bytes += 8 * len(result)
        if isinstance(task, BendTask):
            self._bends_by_base[task.block.start] = result
            return iter(())
        assert isinstance(task, WalkTask)
        self._frames_by_base[task.first] = result
        if 2 * len(self._frames_by_base) < self.plan.task_count:
            return iter(())
        self._frames = combined(self._frames_by_base)
        self._frames_by_base = {}
        return self._second_tasks()

    @property
    def is_complete(self) -> bool:
        """Whether all results are there."""
        return self.done == self.plan.task_count

    def measured(self) -> Measured:
        """Return what both phases found, when they are complete."""
        found = array("d")
        for _first, numbers in sorted(self._bends_by_base.items()):
            found.extend(numbers)
        return Measured(self._frames, found)

    def _second_tasks(self) -> Iterator[BendTask]:
        points = points_of(self._frames)
        size = len(self.plan.sequence)
        reach = self.plan.windows.reach
        for block in self.plan.blocks():
            first, end = max(0, block.start - reach), min(size, block.stop + reach)
            own = points[6 * first : 6 * end]
            self.data_bytes += 8 * len(own)
            yield BendTask(block, own, first, size, self.plan.windows)


def combined(frames_by_base: dict[int, array[float]]) -> array[float]:
    """Return the frames of all bases, seen from the last one, from those of blocks, seen from their ends."""
    parts: list[array[float]] = []
    for _first, frames in sorted(frames_by_base.items(), reverse=True):
        parts.append(placed(parts[-1][:12], frames) if parts else frames)
    whole = array("d")
    for part in reversed(parts):
        whole.extend(part)
    return whole


class Gathered(NamedTuple):
    """What a task system brings home.

    :param peak_bytes: the most memory that its process had; None if that is not known.
    """

    measured: Measured
    data_bytes: int
    peak_bytes: int | None


class DNACurveSystem(ITaskSystem):
    """Runs both phases at the master; the application hears of progress, and gets the result at the end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def init_system(self, master: ISystemMaster) -> None:
        """Prepare what must not travel."""
        self.phases = Phases(self.plan)

    def generate_tasks(self, master: ISystemMaster) -> None:
        """Push phase one."""
        master.push_tasks(self.phases.first_tasks(), self.plan.tasks_per_batch)

    def task_finished(
        self, master: ISystemMaster, task: Task, result: array[float], error: BaseException | None
    ) -> None:
        """Keep one result, and push phase two after the last of phase one; an error ends the system."""
        if error is not None:
            raise error
        master.push_tasks(self.phases.take(task, result), self.plan.tasks_per_batch)
        master.progress(self.phases.done, self.plan.task_count)

    def is_complete(self, master: ISystemMaster) -> bool:
        """Return whether both phases are complete."""
        return self.phases.is_complete

    def gather_result(self, master: ISystemMaster) -> Gathered:
        """Return what was found, and what it took."""
        return Gathered(self.phases.measured(), self.phases.data_bytes, peak_memory_bytes())
