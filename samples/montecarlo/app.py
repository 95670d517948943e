"""Estimates how much gets through a shield, to an error that you choose, and always finds the same number.

``concurrent app montecarlo`` runs it. ``shield.py`` has the physics and the random numbers, ``estimate.py`` the
error, and ``tasks.py`` cuts it into streams.
"""

from __future__ import annotations

import math
import time

from concurrent.apps import ApplicationNode
from concurrent.apps.samples.shared.layout import Timing, line
from concurrent.core import BoolItem, ChoiceItem, FloatItem, IntItem
from concurrent.core.errors import TaskCancelled
from concurrent.scheduling import ITaskSystem, Task

from .estimate import Estimate
from .shield import Shield
from .tasks import Plan, ShieldSystem, Streams, StreamTask

__all__ = ["MonteCarlo"]

SECTION = "montecarlo"
STREAMS_PER_WORKER = 4
"""So many are on their way at a time, so that no worker waits for the next one."""


class MonteCarlo(ApplicationNode):
    """Sends particles through a shield, in streams of random numbers that depend on their own number only."""

    thickness = FloatItem(
        SECTION, "thickness", 10.0, "Of the shield, in mean free paths.", minimum=0.1, maximum=30.0
    )
    scattering = FloatItem(
        SECTION, "scattering", 0.8, "Which share of collisions does not absorb.", minimum=0.0, maximum=0.99
    )
    goal = FloatItem(
        SECTION,
        "goal",
        0.005,
        "The standard error to reach, as a share of the result.",
        minimum=1e-4,
        maximum=0.5,
    )
    particles = IntItem(SECTION, "particles", 20_000, "How many particles a stream has.", minimum=1)
    streams_max = IntItem(SECTION, "streams_max", 100_000, "After so many streams it ends anyway.", minimum=30)
    seed = IntItem(SECTION, "seed", 1, "Another seed gives another, independent result.", minimum=0)
    mode = ChoiceItem(
        SECTION,
        "mode",
        "system",
        "Who sends the streams: a task system at the master, or this application by plain tasks.",
        choices=("system", "tasks"),
    )
    sequential = BoolItem(SECTION, "sequential", True, "Whether one process does the same, to compare.")

    system_class: type[ShieldSystem] = ShieldSystem

    def get_task_system(self) -> ITaskSystem | None:
        """Return the system that goes on until the error is small enough, if that is the mode."""
        self.worker_count = self.wait_workers()
        self.begin_s = time.perf_counter()
        ahead = STREAMS_PER_WORKER * self.worker_count
        shield = Shield(self.thickness, self.scattering)
        self.plan = Plan(shield, self.seed, self.particles, self.goal, ahead, self.streams_max)
        self.streams = Streams(self.plan, self.system_class.task_class)
        self.id_by_stream: dict[int, int] = {}  # of plain tasks that are open
        return self.system_class(self.plan) if self.mode == "system" else None

    def start_processing(self) -> None:
        """Push the first plain tasks, if that is the mode."""
        self.push_streams(self.streams.first_tasks())

    def push_streams(self, tasks: list[StreamTask]) -> None:
        """Push plain tasks."""
        for task in tasks:
            self.id_by_stream[task.stream] = self.push_task(task)

    def task_finished(self, task: Task, result: int, error: BaseException | None) -> None:
        """Count the stream of a plain task: go on, or cancel all the others."""
        if isinstance(error, TaskCancelled) and self.streams.is_over:
            return
        if error is not None or not isinstance(task, StreamTask):
            super().task_finished(task, result, error)
            self.shutdown_main_loop()
            return
        del self.id_by_stream[task.stream]
        following = self.streams.finish(task, result)
        self.progress(self.streams.estimate.streams, self.streams.expected())
        if self.streams.is_over:
            self.cancel_tasks(list(self.id_by_stream.values()))
        else:
            self.push_streams(following)

    def work_finished(self, result: Estimate | None, task_system: ITaskSystem | None) -> None:
        """Say what was found, beside the known value and what one process finds."""
        parallel_s = time.perf_counter() - self.begin_s
        result = result or self.streams.estimate
        share, error, exact = result.share, result.error, self.plan.shield.exact()
        away = abs(share - exact) / error if error else math.inf
        total = result.streams * result.particles
        lines = [
            line("shield", f"{self.thickness:g} mean free paths, {self.scattering:.0%} of collisions scatter"),
            line("through", f"{share:.4%} +- {error:.4%}, of {total:,} particles in {result.streams} streams"),
            line("95% sure", f"{max(0.0, share - 1.96 * error):.4%} to {share + 1.96 * error:.4%}"),
            line("known", f"{exact:.4%}, which is {away:.1f} standard errors away"),
            line("exactly", f"{result.through:,} particles with seed {self.seed}, on whatever cluster"),
        ]
        print(*lines, sep="\n", flush=True)
        is_same = self.job_run is not None or self.compare(result, parallel_s)  # of a job nobody took the time
        if not result.is_good:
            self.log.error("the error is above the goal after %d streams; raise streams_max", result.streams)
        self.shutdown_main_loop(0 if is_same and result.is_good else 1)

    def compare(self, result: Estimate, parallel_s: float) -> bool:
        """Send the same streams here, if that is wanted; return whether as many get through, and say so."""
        begin_s = time.perf_counter()
        sequential_s, is_same = None, True
        if self.sequential:
            through = sum(StreamTask(self.plan, stream)() for stream in range(result.streams))
            sequential_s, is_same = time.perf_counter() - begin_s, through == result.through
        timing = Timing(sequential_s, parallel_s, result.streams, self.worker_count)
        print(*timing.lines(f"count {'identical' if is_same else 'DIFFERS'}"), sep="\n", flush=True)
        return is_same
