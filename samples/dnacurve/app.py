"""Finds where a piece of DNA is bent, and whether that is more than chance.

``concurrent app dnacurve`` runs it, on a piece that is known to be bent if you give none. Read it from top to
bottom: the options, the two ways to drive the two phases, and what is done with the results. How a walk along
a helix becomes tasks that do not depend on one another is said in ``tasks.py``.
"""

from __future__ import annotations

import time
from array import array
from operator import sub
from pathlib import Path

from concurrent.apps import ApplicationNode
from concurrent.apps.node import peak_memory_bytes
from concurrent.apps.samples.shared.layout import Timing
from concurrent.apps.samples.shared.usage import Usage
from concurrent.core import BoolItem, ChoiceItem, ConfigItem, IntItem, PathItem
from concurrent.scheduling import ITaskSystem, Task

from .analysis import Measured, analysed, difference, measured
from .bent import most_bent, shortest
from .controls import control_bends
from .curve import Windows
from .models import MODEL_NAMES, model_named
from .plot import write_svg
from .report import Findings, Run
from .sequence import Sequence, checked_length, read_fasta, repeated
from .table import write_csv
from .tasks import DNACurveSystem, Gathered, Phases, Plan
from .walk import KERNEL

__all__ = ["DNACurve"]

SECTION = "dnacurve"
KINETOPLAST = Path(__file__).with_name("kinetoplast.fasta")


class DNACurve(ApplicationNode):
    """Computes bend and curvature of a DNA helix and of controls, and compares the cluster with one process."""

    file = PathItem(
        SECTION,
        "file",
        "",
        "A FASTA file with one sequence; nothing: 'sequence', or the piece that comes along.",
    )
    sequence = ConfigItem(SECTION, "sequence", "", "Letters to analyse in the place of a file.")
    repeat = IntItem(SECTION, "repeat", 1, "How often these letters are repeated.", minimum=1)
    unknown = ChoiceItem(
        SECTION,
        "unknown",
        "refuse",
        "What to do with letters other than A, C, G and T, such as N and U: refuse the sequence, or skip them.",
        choices=("refuse", "skip"),
    )
    model = ChoiceItem(SECTION, "model", "trifonov", "The bending model.", choices=MODEL_NAMES)
    curvature_window = IntItem(
        SECTION, "curvature_window", 10, "For the curvature.", minimum=1, maximum=20, unit="bases"
    )
    bend_window = IntItem(
        SECTION, "bend_window", 2, "For the local bend angle.", minimum=1, maximum=3, unit="bases"
    )
    curve_window = IntItem(
        SECTION, "curve_window", 15, "For the curvature angle.", minimum=10, maximum=20, unit="bases"
    )
    stretch = IntItem(
        SECTION,
        "stretch",
        60,
        "How long the stretch is whose bend is told, the most bent one.",
        minimum=10,
        maximum=100,
        unit="bases",
    )
    controls = IntItem(
        SECTION, "controls", 1000, "How often the letters are shuffled and measured, to compare.", minimum=0
    )
    bases_per_task = IntItem(
        SECTION, "bases_per_task", 60, "Bases of one task; 1 makes as many tasks as can be.", minimum=1
    )
    tasks_per_batch = IntItem(
        SECTION, "tasks_per_batch", 1, "Tasks that travel and run as one; many are faster.", minimum=1
    )
    mode = ChoiceItem(
        SECTION,
        "mode",
        "system",
        "Who starts the second phase: a task system at the master, or this application.",
        choices=("system", "tasks"),
    )
    sequential = BoolItem(SECTION, "sequential", True, "Whether one process does the analysis too, to compare.")
    output = PathItem(SECTION, "output", "dnacurve.csv", "The CSV file to write; nothing for none.")
    plot = PathItem(SECTION, "plot", "dnacurve.svg", "The SVG picture to write; nothing for none.")

    def app_init(self) -> None:
        """Get the sequence; called once, first.

        :raises BadSequence: if there is none that can be analysed.
        """
        skips_unknown = self.unknown == "skip"
        if self.file is None and self.sequence:
            self.dna: Sequence = repeated(self.sequence, self.repeat, skips_unknown=skips_unknown)
        else:
            self.dna = read_fasta(self.file or KINETOPLAST, skips_unknown=skips_unknown)
        checked_length(self.dna, model_named(self.model).order)
        self.windows = Windows(self.curvature_window, self.bend_window, self.curve_window)
        self.has_stretch = len(self.dna.letters) >= shortest(self.stretch)
        self.plan = Plan(
            self.dna.letters,
            self.model,
            self.windows,
            self.bases_per_task,
            self.tasks_per_batch,
            self.controls if self.has_stretch else 0,
            self.stretch,
        )
        self.phases = Phases(self.plan)
        self.worker_count = 0
        self.begin_s = 0.0

    def get_task_system(self) -> ITaskSystem | None:
        """Return the system that runs both phases at the master, if that is the mode."""
        self.worker_count = self.wait_workers()  # the cluster is there: now the clock may run
        self.begin_s = time.perf_counter()
        return DNACurveSystem(self.plan) if self.mode == "system" else None

    def start_processing(self) -> None:
        """Push phase one and the controls as plain tasks."""
        self.push_tasks(self.phases.first_tasks(), self.tasks_per_batch)

    def task_finished(self, task: Task, result: array[float], error: BaseException | None) -> None:
        """Keep the result of a plain task; after the last one of phase one push phase two."""
        if error is not None:
            super().task_finished(task, result, error)
            return
        self.push_tasks(self.phases.take(task, result), self.tasks_per_batch)
        self.progress(self.phases.done, self.plan.task_count)

    def work_finished(self, result: Gathered | None, task_system: ITaskSystem | None) -> None:
        """Compare, write and say how it went."""
        if result is None and not self.phases.is_complete:
            missing = self.plan.task_count - self.phases.done
            self.log.error("%d of %d tasks have no result", missing, self.plan.task_count)
            self.shutdown_main_loop(1)
            return
        found = self.phases.measured() if result is None else result.measured
        controls = self.phases.controls() if result is None else result.controls
        parallel_s = time.perf_counter() - self.begin_s
        own_bytes = peak_memory_bytes()
        status = self.cluster_status()
        sequential_s, error = self.compare(found, controls) if self.sequential else (None, 0.0)
        findings = self.findings(found, controls)
        files, is_written = self.write(findings)
        run = Run(
            kernel=KERNEL,
            mode=self.mode,
            timing=Timing(sequential_s, parallel_s, self.plan.task_count, self.worker_count),
            error=error,
            usage=Usage.of(status, own_bytes, None if result is None else result.peak_bytes),
            files=files,
        )
        print(*findings.lines(), *run.lines(), sep="\n", flush=True)
        self.shutdown_main_loop(0 if run.is_equal and is_written else 1)

    def compare(self, found: Measured, controls: array[float]) -> tuple[float, float]:
        """Do the same here; return the seconds it took, and the largest difference."""
        print("the cluster is done; now the same in one process, to check", flush=True)
        begin_s = time.perf_counter()
        expected = measured(self.dna.letters, self.model, self.windows)
        numbers = range(len(controls))
        expected_controls = control_bends(self.dna.letters, numbers, self.model, self.stretch)
        seconds = time.perf_counter() - begin_s
        errors = map(abs, map(sub, controls, expected_controls))
        return seconds, max(difference(found, expected), *errors, 0.0)

    def findings(self, found: Measured, controls: array[float]) -> Findings:
        """Return what the numbers mean."""
        analysis = analysed(self.dna.letters, self.model, self.windows, found)
        stretch = most_bent(found.bends, self.stretch) if self.has_stretch else None
        return Findings(self.dna.name, analysis, stretch, self.stretch, controls)

    def write(self, findings: Findings) -> tuple[list[str], bool]:
        """Write the files that are wanted; return their names, and whether nothing went wrong."""
        analysis = findings.analysis
        title = f"{self.dna.name}: {len(self.dna.letters)} bases, model of {analysis.model.title}"
        written = []
        try:
            if self.output is not None:
                write_csv(self.output, analysis)
                written.append(str(self.output))
            if self.plot is not None:
                write_svg(self.plot, title, analysis, findings.stretch)
                written.append(str(self.plot))
        except OSError as error:
            self.log.error("%s; set [%s] output and plot to files that can be written", error, SECTION)
            return written, False
        return written, True
