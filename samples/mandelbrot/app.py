"""Draws the Mandelbrot set in four ways, and checks every pixel against one process.

``concurrent app mandelbrot`` runs it. Read it from top to bottom: the options, the two ways to hand out work,
and what is done with the results.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from concurrent.apps import ApplicationNode
from concurrent.apps.samples.mandelbrot.counts import COUNT_MAX, BlockResult, joined
from concurrent.apps.samples.mandelbrot.image import write_png
from concurrent.apps.samples.mandelbrot.kernel import KERNEL
from concurrent.apps.samples.mandelbrot.report import Run
from concurrent.apps.samples.mandelbrot.sequential import count_picture
from concurrent.apps.samples.mandelbrot.tasks import TASK_BY_DATA, MandelbrotSystem, RowsTask, make_tasks
from concurrent.apps.samples.mandelbrot.view import View
from concurrent.core import BoolItem, ChoiceItem, FloatItem, IntItem, PathItem
from concurrent.scheduling import ITaskSystem, Task

__all__ = ["Mandelbrot"]

SECTION = "mandelbrot"


class Mandelbrot(ApplicationNode):
    """Draws the Mandelbrot set, and compares the cluster with one process."""

    width = IntItem(SECTION, "width", 1536, "Width of the picture.", minimum=1, unit="pixels")
    height = IntItem(SECTION, "height", 1024, "Height of the picture.", minimum=1, unit="pixels")
    centre_x = FloatItem(SECTION, "centre_x", -0.65, "Real part of the point in the middle.")
    centre_y = FloatItem(SECTION, "centre_y", 0.0, "Imaginary part of the point in the middle.")
    view_width = FloatItem(
        SECTION, "view_width", 3.3, "How much of the real axis the picture spans.", minimum=1e-12
    )
    iterations = IntItem(
        SECTION,
        "iterations",
        2000,
        "A point that has not escaped after so many steps is drawn as inside.",
        minimum=1,
        maximum=COUNT_MAX,
    )
    rows_per_task = IntItem(SECTION, "rows_per_task", 16, "Rows that one task computes.", minimum=1)
    mode = ChoiceItem(
        SECTION,
        "mode",
        "system",
        "Who hands out the work: a task system at the master, or this application by plain tasks.",
        choices=("system", "tasks"),
    )
    data = ChoiceItem(
        SECTION,
        "data",
        "optimized",
        "What a task moves: a few numbers and compact bytes, or plain Python lists of everything.",
        choices=tuple(TASK_BY_DATA),
    )
    sequential = BoolItem(
        SECTION, "sequential", True, "Whether the picture is computed in one process too, to compare."
    )
    output = PathItem(SECTION, "output", "mandelbrot.png", "The PNG file to write; nothing for none.")

    def app_init(self) -> None:
        """Prepare; called once, first."""
        self.view = View(
            self.width, self.height, self.centre_x, self.centre_y, self.view_width, self.iterations
        )
        self.task_count = self.view.block_count(self.rows_per_task)
        self.result_by_row: dict[int, BlockResult] = {}
        self.begin_s = 0.0

    def get_task_system(self) -> ITaskSystem | None:
        """Return the system that does everything at the master, if that is the mode."""
        if self.mode != "system":
            return None
        self.begin_s = time.perf_counter()
        return MandelbrotSystem(self.view, self.rows_per_task, self.data)

    def start_processing(self) -> None:
        """Push plain tasks, if that is the mode."""
        if self.mode == "tasks":
            self.begin_s = time.perf_counter()
            self.push_tasks(make_tasks(self.view, self.rows_per_task, self.data))

    def task_finished(self, task: Task, result: BlockResult, error: BaseException | None) -> None:
        """Keep the result of a plain task."""
        if error is not None or not isinstance(task, RowsTask):
            super().task_finished(task, result, error)
            return
        self.result_by_row[task.first_row] = result
        self.progress(len(self.result_by_row), self.task_count)

    def work_finished(self, result: Mapping[int, BlockResult] | None, task_system: ITaskSystem | None) -> None:
        """Put the picture together, check it, write it and say how it went."""
        result_by_row = self.result_by_row if result is None else result
        missing = self.task_count - len(result_by_row)
        if missing:
            self.log.error("%d of %d tasks have no result", missing, self.task_count)
            self.shutdown_main_loop(1)
            return
        counts = joined(result_by_row)
        parallel_s = time.perf_counter() - self.begin_s
        sequential_s, is_identical = self.compare(counts) if self.sequential else (None, True)
        is_written = self.write(counts)
        run = Run(
            kernel=KERNEL,
            mode=self.mode,
            data=self.data,
            tasks=self.task_count,
            workers=self.cluster_workers,
            parallel_s=parallel_s,
            sequential_s=sequential_s,
            is_identical=is_identical,
            picture=str(self.output or "none") if is_written else "could not be written",
        )
        print(*run.lines(), sep="\n", flush=True)
        self.shutdown_main_loop(0 if is_identical and is_written else 1)

    def compare(self, counts: bytes) -> tuple[float, bool]:
        """Compute the picture here; return the seconds it took, and whether the counts are the same."""
        print("the cluster is done; now the same in one process, to compare", flush=True)
        begin_s = time.perf_counter()
        expected = count_picture(self.view)
        return time.perf_counter() - begin_s, expected == counts

    def write(self, counts: bytes) -> bool:
        """Write the picture, if one is wanted; return whether nothing went wrong."""
        if self.output is None:
            return True
        try:
            write_png(self.output, self.view, counts)
        except OSError as error:
            self.log.error("%s; set [%s] output to a file that can be written", error, SECTION)
            return False
        return True
