"""What was measured, and the figures that follow from it. A pure module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from concurrent.apps.samples.shared.amdahl import fit_parallel_share
from concurrent.apps.samples.shared.layout import mode_in_words

from .load import Alone, Done

__all__ = ["PRESENTED_N", "PRESENTED_P", "PRESENTED_S", "Row", "Series", "Step"]

PRESENTED_N, PRESENTED_S, PRESENTED_P = 8, 7.02, 0.98
"""Workers, speed-up and parallel share of this benchmark in the project's presentation."""


class Step(NamedTuple):
    """One step of a series.

    :param workers: N.
    :param is_full: whether all tasks are pushed at once, rather than N of them being out at any time.
    """

    workers: int
    is_full: bool


class Row(NamedTuple):
    """One step, measured.

    :param alone: the same tasks in one process, half of them just before and half just after.
    :param seconds: from the push of the first task to the arrival of the last result.
    :param task_wall_s: how long all tasks took together, on their workers.
    :param task_cpu_s: how long cores worked on them meanwhile.
    """

    step: Step
    alone: Alone
    seconds: float
    task_count: int
    task_wall_s: float
    task_cpu_s: float
    data_bytes: int

    @classmethod
    def of(cls, step: Step, alone: Alone, done: Sequence[Done], seconds: float, data_bytes: int) -> Row:
        """Return the row of a step from what came of its tasks."""
        wall_s, cpu_s = sum(one.wall_s for one in done), sum(one.cpu_s for one in done)
        return cls(step, alone, seconds, len(done), wall_s, cpu_s, data_bytes)

    @property
    def speed_up(self) -> float:
        """S, the time in one process by that on the cluster."""
        return self.alone.seconds / self.seconds

    @property
    def cpu_share(self) -> float:
        """How much of a core a task had while it ran: 1 where every worker has a core of its own."""
        return self.task_cpu_s / self.task_wall_s

    @property
    def overhead_s(self) -> float:
        """How long a lane was without a running task, for each of its tasks."""
        return (self.step.workers * self.seconds - self.task_wall_s) / self.task_count


class Series(NamedTuple):
    """The steps of one kind of task and one mode, from few workers to many."""

    kind: str
    mode: str
    rows: list[Row]

    @property
    def title(self) -> str:
        """What was run, in words."""
        kind = "active wait" if self.kind == "wait" else "computing"
        return f"{kind}, {mode_in_words(self.mode)}"

    def points(self) -> dict[int, float]:
        """Return S by N of the rows that are comparable, those with N tasks out."""
        return {row.step.workers: row.speed_up for row in self.rows if not row.step.is_full}

    def parallel_share(self) -> float:
        """Return the P of Amdahl's law that fits these best; not a number without any N above 1."""
        return fit_parallel_share(self.points())
