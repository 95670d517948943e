"""The work in two phases of independent tasks, the controls, and the task system that runs them at the master.

A walk along the helix is a chain: the frame of a base is the product of all turns after it. A product may
be cut anywhere. So each task of phase one walks over a block of bases and returns their frames seen from
where the *block* ends; the first of these is the product of the whole block. When all are there, the
products are combined, block by block from the last one on, and each block is placed where it belongs: one
multiplication for each base, and the only sequential step. Curvature and angles look at neighbours, so a
task of phase two gets positions and normals of its block and of what its windows reach on both sides:
these overlap.

Controls need nothing of all that: each is a sequence of its own, which a task makes, measures, and tells one
number of. That is what a cluster is good at.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from concurrent.apps.node import peak_memory_bytes
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task

from .analysis import Measured
from .controls import control_bends
from .curve import Windows, points_of
from .models import model_named
from .walk import bends, placed, walked

__all__ = ["BendTask", "ControlTask", "DNACurveSystem", "Gathered", "Phases", "Plan", "WalkTask"]

CONTROLS_PER_TASK = 50


class Plan(NamedTuple):
    """What is to be done.

    :param sequence: letters A, C, G and T.
    :param tasks_per_batch: how many tasks travel and run as one.
    :param controls: how many shuffled sequences are measured too.
    :param stretch: how many bases the stretch has whose bend is told of them.
    """

    sequence: str
    model_name: str
    windows: Windows
    bases_per_task: int
    tasks_per_batch: int = 1
    controls: int = 0
    stretch: int = 60

    def blocks(self) -> Iterator[range]:
        """Cut the sequence into blocks of bases; the last one may be smaller."""
        size = len(self.sequence)
        for first in range(0, size, self.bases_per_task):
            yield range(first, min(first + self.bases_per_task, size))

    @property
    def block_count(self) -> int:
        """How many blocks there are, and so tasks in each phase."""
        return -(-len(self.sequence) // self.bases_per_task)

    @property
    def task_count(self) -> int:
        """How many tasks there are, of both phases and for controls."""
        return 2 * self.block_count + -(-self.controls // CONTROLS_PER_TASK)


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


class ControlTask(Task):
    """Shuffles a sequence several times, and measures what comes out.

    :param numbers: of the controls.
    :param size: how many bases the stretch has whose bend is returned.
    """

    def __init__(self, sequence: str, numbers: range, model_name: str, size: int) -> None:
        super().__init__(f"controls {numbers.start + 1} to {numbers.stop}")
        self.sequence = sequence
        self.numbers = numbers
        self.model_name = model_name
        self.size = size

    def __call__(self) -> array[float]:
        """Return the angle of the most bent stretch of each."""
        return control_bends(self.sequence, self.numbers, self.model_name, self.size)


class Phases:
    """Keeps all results, and makes the tasks of the second phase when the first is complete.

    It does not matter who drives it: an application with plain tasks, or a task system at the master.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.done = 0
        self._frames_by_base: dict[int, array[float]] = {}
        self._bends_by_base: dict[int, array[float]] = {}
        self._controls_by_first: dict[int, array[float]] = {}
        self._frames = array("d")

    def first_tasks(self) -> Iterator[WalkTask | ControlTask]:
        """Make the tasks of phase one and those of the controls, one after the other."""
        plan = self.plan
        steps = model_named(plan.model_name).steps(plan.sequence)
        for block in plan.blocks():
            yield WalkTask(block, steps[block.start : block.stop], plan.model_name)
        for first in range(0, plan.controls, CONTROLS_PER_TASK):
            numbers = range(first, min(first + CONTROLS_PER_TASK, plan.controls))
            yield ControlTask(plan.sequence, numbers, plan.model_name, plan.stretch)

    def take(self, task: Task, result: array[float]) -> Iterator[BendTask]:
        """Keep the result of a task; return what is to do now: phase two, after the last of phase one."""
        self.done += 1
        if isinstance(task, BendTask):
            self._bends_by_base[task.block.start] = result
            return iter(())
        if isinstance(task, ControlTask):
            self._controls_by_first[task.numbers.start] = result
            return iter(())
        assert isinstance(task, WalkTask)
        self._frames_by_base[task.first] = result
        if len(self._frames_by_base) < self.plan.block_count:
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
        return Measured(self._frames, _joined(self._bends_by_base))

    def controls(self) -> array[float]:
        """Return the bend of each control, when all are there."""
        return _joined(self._controls_by_first)

    def _second_tasks(self) -> Iterator[BendTask]:
        points = points_of(self._frames)
        size = len(self.plan.sequence)
        reach = self.plan.windows.reach
        for block in self.plan.blocks():
            first, end = max(0, block.start - reach), min(size, block.stop + reach)
            own = points[6 * first : 6 * end]
            yield BendTask(block, own, first, size, self.plan.windows)


def _joined(numbers_by_first: dict[int, array[float]]) -> array[float]:
    joined = array("d")
    for _first, numbers in sorted(numbers_by_first.items()):
        joined.extend(numbers)
    return joined


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
    controls: array[float]
    peak_bytes: int | None


class DNACurveSystem(ITaskSystem):
    """Runs both phases at the master; the application hears of progress, and gets the result at the end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def init_system(self, master: ISystemMaster) -> None:
        """Prepare what must not travel."""
        self.phases = Phases(self.plan)

    def generate_tasks(self, master: ISystemMaster) -> None:
        """Push phase one and the controls."""
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
        """Return whether all results are there."""
        return self.phases.is_complete

    def gather_result(self, master: ISystemMaster) -> Gathered:
        """Return what was found, and what it took."""
        return Gathered(self.phases.measured(), self.phases.controls(), peak_memory_bytes())
