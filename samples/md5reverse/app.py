"""Finds the number behind an MD5 digest by brute force, and stops as soon as one task has it.

``concurrent app md5reverse`` runs it. Read it from top to bottom: the options, the two ways to hand out work,
and what is done when the number is found.
"""

from __future__ import annotations

import time

from concurrent.apps import ApplicationNode
from concurrent.apps.node import peak_memory_bytes
from concurrent.apps.samples.shared.usage import Usage
from concurrent.core import BoolItem, ChoiceItem, IntItem
from concurrent.core.errors import ConfigurationError, TaskCancelled
from concurrent.scheduling import ITaskSystem, Task

from .candidates import DIGITS_MAX, Search
from .digest import DigestItem
from .hunt import Hunt, Outcome
from .kernel import KERNEL, digest_of
from .report import Run
from .sequential import pace_of_hashlib, pace_of_kernel
from .tasks import BlockTask, Md5System, make_tasks

__all__ = ["Md5Reverse"]

SECTION = "md5reverse"
NUMBER_MAX = 10**DIGITS_MAX


class Md5Reverse(ApplicationNode):
    """Finds the number behind a digest, and compares the cluster with one process."""

    digest = DigestItem(SECTION, "digest", None, "The digest to reverse; nothing: that of the secret.")
    secret = IntItem(
        SECTION, "secret", 31_415_926, "The number to find, where no digest is given.",
        minimum=0, maximum=NUMBER_MAX - 1,
    )  # fmt: skip
    first = IntItem(SECTION, "first", 0, "The first number that is tried.", minimum=0, maximum=NUMBER_MAX - 1)
    last = IntItem(
        SECTION, "last", 50_000_000, "The number behind the last one that is tried.",
        minimum=0, maximum=NUMBER_MAX,
    )  # fmt: skip
    width = IntItem(
        SECTION, "width", 0, "Shorter numbers have leading zeros up to this width; 0: none have.",
        minimum=0, maximum=DIGITS_MAX, unit="digits",
    )  # fmt: skip
    numbers_per_task = IntItem(
        SECTION, "numbers_per_task", 500_000, "How many numbers one task tries.",
        minimum=1, maximum=10**15,
    )  # fmt: skip
    tasks_out = IntItem(
        SECTION, "tasks_out", 64, "How many tasks are out at once; several for each worker.", minimum=1
    )
    mode = ChoiceItem(
        SECTION, "mode", "system",
        "Who hands out the work: a task system at the master, or this application by plain tasks.",
        choices=("system", "tasks"),
    )  # fmt: skip
    sequential = BoolItem(SECTION, "sequential", True, "Whether one process searches too, to compare.")

    def app_init(self) -> None:
        """Prepare; called once, first."""
        if self.first >= self.last:
            raise ConfigurationError(
                f"the range from {self.first} to below {self.last} is empty",
                thing=f"{SECTION}.last",
                value=self.last,
                remedy=f"Set [{SECTION}] last to more than [{SECTION}] first",
            )
        digest = self.digest or digest_of(self.secret, self.width)
        self.search = Search(digest, self.first, self.last, self.width)
        self.hunt = Hunt(self.search, self.numbers_per_task, self.tasks_out)
        self.id_by_block: dict[Search, int] = {}
        self.worker_count = 0
        self.begin_s = self.parallel_s = 0.0

    def get_task_system(self) -> ITaskSystem | None:
        """Return the system that does everything at the master, if that is the mode."""
        self.worker_count = self.wait_workers()  # the cluster is there: now the clock may run
        self.begin_s = time.perf_counter()
        return Md5System(self.hunt) if self.mode == "system" else None

    def start_processing(self) -> None:
        """Push the first plain tasks, if that is the mode."""
        self.push_next()

    def push_next(self) -> None:
        """Push the plain tasks that may be out now."""
        for task in make_tasks(self.hunt):
            self.id_by_block[task.block] = self.push_task(task)

    def task_finished(self, task: Task, result: int | None, error: BaseException | None) -> None:
        """Take what a plain task found: go on, or cancel all the others."""
        if isinstance(error, TaskCancelled) and self.hunt.found is not None:
            return
        if error is not None or not isinstance(task, BlockTask):
            super().task_finished(task, result, error)
            self.shutdown_main_loop()
            return
        del self.id_by_block[task.block]
        self.hunt.finish(task.block, result)
        self.progress(self.hunt.finished_count, self.hunt.task_count)
        if self.hunt.is_over:
            self.parallel_s = time.perf_counter() - self.begin_s
            self.cancel_tasks(list(self.id_by_block.values()))
        else:
            self.push_next()

    def work_finished(self, result: Outcome | None, task_system: ITaskSystem | None) -> None:
        """Say what was found, and how it went."""
        parallel_s = self.parallel_s or time.perf_counter() - self.begin_s
        outcome = self.hunt.outcome() if result is None else result
        if self.sequential:
            print("the cluster is done; now the same in one process, to compare", flush=True)
        run = Run(
            search=self.search,
            kernel=KERNEL,
            mode=self.mode,
            workers=self.worker_count,
            outcome=outcome,
            parallel_s=parallel_s,
            alone=pace_of_kernel(self.search) if self.sequential else None,
            hashlib=pace_of_hashlib(self.search) if self.sequential else None,
            usage=Usage.of(self.cluster_status(), peak_memory_bytes()),
        )
        print(*run.lines(), sep="\n", flush=True)
        self.shutdown_main_loop(0 if outcome.number is not None else 1)
