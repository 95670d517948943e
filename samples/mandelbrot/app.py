"""Draws the Mandelbrot set in four ways, and checks every pixel against one process.

``concurrent app mandelbrot`` runs it. Read it from top to bottom: the options, the two ways to hand out work,
and what is done with the results.
"""

from __future__ import annotations

import time

from concurrent.apps import ApplicationNode
from concurrent.apps.node import peak_memory_bytes
from concurrent.apps.samples.shared.layout import Timing
from concurrent.apps.samples.shared.usage import Usage
from concurrent.core import BoolItem, ChoiceItem, FloatItem, IntItem, PathItem
from concurrent.core.errors import ConfigurationError
from concurrent.scheduling import ITaskSystem, Task

from .counts import ITERATIONS_MAX, Picture, TileResult
from .image import write_png
from .kernel import KERNEL
from .report import Run
from .sequential import Baseline
from .tasks import TASK_BY_DATA, MandelbrotSystem, TileTask, make_tasks
from .view import Tile, View

__all__ = ["Mandelbrot"]

SECTION = "mandelbrot"
TASKS_PER_WORKER = 24
"""More share the work out more evenly, fewer cost less on the way."""


class Mandelbrot(ApplicationNode):
    """Draws the Mandelbrot set, and compares the cluster with one process."""

    width = IntItem(SECTION, "width", 1536, "Width of the picture.", minimum=1, unit="pixels")
    height = IntItem(SECTION, "height", 1024, "Height of the picture.", minimum=1, unit="pixels")
    centre_x = FloatItem(SECTION, "centre_x", -0.65, "Real part of the point in the middle.")
    centre_y = FloatItem(SECTION, "centre_y", 0.0, "Imaginary part of the point in the middle.")
    view_width = FloatItem(
        SECTION, "view_width", 3.3, "How much of the real axis the picture spans.", minimum=1e-300
    )
    iterations = IntItem(
        SECTION,
        "iterations",
        8000,
        "A point that has not escaped after so many steps is drawn as inside.",
        minimum=1,
        maximum=ITERATIONS_MAX,
    )
    rows_per_task = IntItem(
        SECTION, "rows_per_task", 0, "Rows that one task computes; 0: so many that each worker gets 24 tasks.",
        minimum=0,
    )  # fmt: skip
    columns_per_task = IntItem(
        SECTION, "columns_per_task", 0, "Columns that one task computes; 0: whole rows.", minimum=0
    )
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
        """Prepare; called once, first.

        :raises ConfigurationError: if the picture is deeper than doubles reach.
        """
        self.view = View(
            self.width, self.height, self.centre_x, self.centre_y, self.view_width, self.iterations
        )
        if self.view.step < self.view.step_min:
            raise ConfigurationError(
                f"pixels {self.view.step:.1e} apart are closer to one another than doubles are there",
                thing=f"{SECTION}.view_width",
                value=self.view_width,
                remedy=f"Set [{SECTION}] view_width to {self.view.step_min * self.width:.1e} or more",
            )
        self.tiles: list[Tile] = []
        self.picture = Picture(self.view)
        self.baseline = Baseline(self.view)
        self.worker_count = 0
        self.begin_s = 0.0

    def get_task_system(self) -> ITaskSystem | None:
        """Return the system that does everything at the master, if that is the mode."""
        self.worker_count = self.wait_workers()
        if self.sequential:
            print("every second row in one process, to compare; then the cluster's turn", flush=True)
            self.baseline.count_half()
        self.begin_s = time.perf_counter()  # the cluster is there: now the clock may run
        rows = self.rows_per_task or self.view.rows_for(TASKS_PER_WORKER * self.worker_count)
        self.tiles = self.view.tiles(rows, self.columns_per_task)
        return MandelbrotSystem(self.view, self.tiles, self.data) if self.mode == "system" else None

    def start_processing(self) -> None:
        """Push plain tasks."""
        self.push_tasks(make_tasks(self.view, self.tiles, self.data))

    def task_finished(self, task: Task, result: TileResult, error: BaseException | None) -> None:
        """Put the result of a plain task into the picture."""
        if error is not None or not isinstance(task, TileTask):
            super().task_finished(task, result, error)
            return
        self.picture.put(task.tile, result)
        self.progress(self.picture.tile_count, len(self.tiles))

    def work_finished(self, result: memoryview | None, task_system: ITaskSystem | None) -> None:
        """Check the picture, write it and say how it went."""
        parallel_s = time.perf_counter() - self.begin_s
        missing = len(self.tiles) - self.picture.tile_count if result is None else 0
        if missing:
            self.log.error("%d of %d tasks have no result", missing, len(self.tiles))
            self.shutdown_main_loop(1)
            return
        counts = bytes(self.picture.counts if result is None else result)
        is_identical = self.compare(counts) if self.sequential else True
        sequential_s = self.baseline.seconds if self.sequential else None
        is_written = self.write(counts)
        run = Run(
            kernel=KERNEL,
            mode=self.mode,
            data=self.data,
            timing=Timing(sequential_s, parallel_s, len(self.tiles), self.worker_count),
            is_identical=is_identical,
            usage=Usage.of(self.cluster_status(), peak_memory_bytes()),
            picture=str(self.output or "none") if is_written else "could not be written",
        )
        print(*run.lines(), sep="\n", flush=True)
        self.shutdown_main_loop(0 if is_identical and is_written else 1)

    def compare(self, counts: bytes) -> bool:
        """Compute the rest of the picture here; return whether the counts are the same."""
        print("the cluster is done; now the other rows in one process, to compare", flush=True)
        self.baseline.count_half()
        return self.baseline.is_identical(counts)

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
