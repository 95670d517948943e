"""Measures what more workers gain, fits Amdahl's law to it, and draws the speed-up.

``concurrent app benchmark`` runs it. Read ``tasks.py`` first: it says how the number of workers is varied. Then
read this file from top to bottom: the options, the course of the measurement, and its small parts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle

from concurrent.apps import ApplicationNode
from concurrent.apps.node import peak_memory_bytes
from concurrent.apps.samples.shared.layout import line
from concurrent.apps.samples.shared.usage import Usage
from concurrent.core import BoolItem, ChoiceItem, FloatItem, IntItem, PathItem
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling import ITaskSystem, Task

from .chart import svg_of
from .counts import CountsItem
from .load import Done, Load, calibrated, run_alone
from .report import NOTES, lines_of
from .results import Row, Series, Step
from .tasks import BenchmarkSystem, Lanes

__all__ = ["Benchmark"]

SECTION = "benchmark"
WARM_UP = Load("wait", 0.01)
WARM_UP_TASKS = 8
"""For each worker: by then it has loaded the code of the tasks."""


class Benchmark(ApplicationNode):
    """Runs the same tasks on one worker, two, three, and compares the times."""

    tasks = IntItem(SECTION, "tasks", 24, "How many tasks a step has; best a multiple of each N.", minimum=1)
    task_ms = FloatItem(
        SECTION, "task_ms", 200.0, "How long one task takes.", minimum=0.01, unit="milliseconds"
    )
    workers = CountsItem(SECTION, "workers", (), "The numbers of workers N; nothing: 1 to all there are.")
    lanes = BoolItem(
        SECTION, "lanes", True, "Whether N tasks at a time are measured, or only all tasks at once."
    )
    kind = ChoiceItem(
        SECTION, "kind", "both", "What a task does: wait actively, or compute.",
        choices=("wait", "work", "both"),
    )  # fmt: skip
    mode = ChoiceItem(
        SECTION, "mode", "both",
        "Who hands out the work: a task system at the master, or this application by plain tasks.",
        choices=("system", "tasks", "both"),
    )  # fmt: skip
    output = PathItem(SECTION, "output", "benchmark.svg", "The SVG file to write; nothing for none.")

    def app_init(self) -> None:
        """Prepare; called once, first."""
        self.kinds = ("wait", "work") if self.kind == "both" else (self.kind,)
        self.modes = ("system", "tasks") if self.mode == "both" else (self.mode,)
        self.all_series: list[Series] = []
        self.is_right = True
        self.task_total = 0
        self.course = self.measure()

    def start_processing(self) -> None:
        """Begin; each step is pushed when the one before is finished."""
        self.go_on()

    def measure(self) -> Iterator[None]:
        """Do everything; yields when something was pushed, and goes on when that is finished."""
        self.push_lanes(Lanes(WARM_UP, 1, 1))
        yield  # until the cluster is there
        worker_count = self.wait_workers()
        steps = self.steps(worker_count)
        warm_up_count = WARM_UP_TASKS * worker_count
        self.push_lanes(Lanes(WARM_UP, warm_up_count, warm_up_count))
        yield
        self.task_total = len(self.kinds) * len(self.modes) * len(steps) * self.tasks
        for kind in self.kinds:
            load = calibrated(kind, self.task_ms / 1e3)
            for mode in self.modes:
                series = Series(kind, mode, [])
                self.all_series.append(series)
                yield from self.measure_series(series, load, steps)

    def measure_series(self, series: Series, load: Load, steps: list[Step]) -> Iterator[None]:
        """Do the steps of one kind of task and one mode; yields as :meth:`measure` does.

        Cores get faster and slower in a minute. So half of the work is done in one process between any two
        steps: what a step is compared with surrounds it.
        """
        middle = self.tasks // 2
        halves = cycle((range(middle), range(middle, self.tasks)))
        half_before = run_alone(load, next(halves))
        for step in steps:
            begin_s = time.perf_counter()
            before = self.tasks * sum(len(each.rows) for each in self.all_series)
            lane_count = self.tasks if step.is_full else step.workers
            lanes = Lanes(load, self.tasks, lane_count, before, self.task_total)
            if series.mode == "system":
                self.push_tasksystem(BenchmarkSystem(lanes))
            else:
                self.push_lanes(lanes)
            yield
            seconds = time.perf_counter() - begin_s
            half_after = run_alone(load, next(halves))
            alone = half_before.together(half_after)
            self.is_right = self.is_right and self.out.answers() == alone.answers
            series.rows.append(Row.of(step, alone, self.out.done, seconds, self.out.data_bytes()))
            half_before = half_after

    def steps(self, worker_count: int) -> list[Step]:
        """Return the steps of each series, the one with all tasks pushed at once last.

        :raises ConfigurationError: if there are fewer workers than asked for.
        """
        counts = self.workers or tuple(range(1, worker_count + 1))
        if counts[-1] > worker_count:
            raise ConfigurationError(
                f"[{SECTION}] workers asks for {counts[-1]} workers, the cluster has {worker_count}",
                thing=f"{SECTION}.workers",
                value=counts[-1],
                remedy=f"Name fewer, or start a cluster with --workers {counts[-1]}",
            )
        by_lanes = [Step(count, False) for count in counts] if self.lanes else []
        return [*by_lanes, Step(worker_count, True)]

    def push_lanes(self, lanes: Lanes) -> None:
        """Push the first plain tasks of a step."""
        self.out = lanes
        self.push_tasks(lanes.next_tasks())

    def task_finished(self, task: Task, result: Done, error: BaseException | None) -> None:
        """Keep the result of a plain task, and push the next one of its lane."""
        if error is not None:
            super().task_finished(task, result, error)
            self.shutdown_main_loop()
            return
        self.push_tasks(self.out.take(result, self.progress))

    def work_finished(self, result: Lanes | None, task_system: ITaskSystem | None) -> None:
        """A step is finished."""
        if result is not None:
            self.out = result
        self.go_on()

    def go_on(self) -> None:
        """Begin the next step; after the last one say what was measured."""
        try:
            next(self.course)
        except StopIteration:
            self.shutdown_main_loop(0 if self.report() else 1)

    def report(self) -> bool:
        """Print and draw what was measured; return whether nothing went wrong."""
        for series in self.all_series:
            print(*lines_of(series), "", sep="\n")
        usage = Usage.of(self.cluster_status(), peak_memory_bytes())
        print(*NOTES, "", *usage.lines(), sep="\n")
        if not self.is_right:
            self.log.error("the tasks computed something else on the cluster than in one process")
        is_drawn = self.draw()
        print(line("picture", str(self.output or "none") if is_drawn else "could not be written"), flush=True)
        return self.is_right and is_drawn

    def draw(self) -> bool:
        """Write the picture, if one is wanted; return whether nothing went wrong."""
        if self.output is None:
            return True
        try:
            self.output.write_text(svg_of(self.all_series), encoding="utf-8")
        except OSError as error:
            self.log.error("%s; set [%s] output to a file that can be written", error, SECTION)
            return False
        return True
