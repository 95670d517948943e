"""What a run says at its end: its time, what it moved, and what Amdahl's law makes of it. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from concurrent.apps.samples.shared.amdahl import describe_share

__all__ = ["AGREEMENT", "Run"]

AGREEMENT = 1e-9
"""How much the cluster may differ from one process: a product that is cut into blocks rounds otherwise."""

SLIDES = "over 10,000 tasks, 3 GB on the master, sending takes longer than computing"


@dataclass(frozen=True)
class Run:
    """One analysis, done.

    :param data_bytes: what tasks and results carried, without what wraps it.
    :param sequential_s: None if it was not done in one process too.
    :param error: the largest difference between both, 0 if there is only one.
    :param peak_bytes_by_process: the most memory that a process had; None if not known.
    :param files: what was written.
    """

    kernel: str
    mode: str
    sequence: str
    bases: int
    model: str
    tasks: int
    workers: int
    data_bytes: int
    parallel_s: float
    sequential_s: float | None
    error: float
    peak_bytes_by_process: Mapping[str, int | None]
    files: str

    @property
    def is_equal(self) -> bool:
        """Whether cluster and one process found the same."""
        return self.error <= AGREEMENT

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        mode = "a task system" if self.mode == "system" else "plain tasks"
        kernel = "compiled (Cython)" if self.kernel == "cython" else "pure Python, not compiled"
        memory = ", ".join(
            f"{name} {'not known' if size is None else f'{size / 1e6:.0f} MB'}"
            for name, size in self.peak_bytes_by_process.items()
        )
        return [
            f"sequence    {self.sequence}, {self.bases} bases; model {self.model}",
            f"kernel      {kernel}; driven by {mode}",
            f"parallel    {self.parallel_s:.3f} s, {self.tasks} tasks on {self.workers} workers",
            f"data        {self.data_bytes / 1e6:.2f} MB, {self.data_bytes / self.tasks:.0f} bytes a task",
            f"memory      peaks: {memory}",
            *self._comparison(),
            f"to compare  {SLIDES} (the project's presentation)",
            f"written     {self.files}",
        ]

    def _comparison(self) -> list[str]:
        if self.sequential_s is None:
            return ["sequential  not run"]
        speed_up = self.sequential_s / self.parallel_s
        verdict = f"equal to {self.error:.1e}" if self.is_equal else f"DIFFERS by {self.error:.1e}"
        if self.error == 0:
            verdict = "identical"
        return [
            f"sequential  {self.sequential_s:.3f} s, result {verdict}",
            f"speed-up    {speed_up:.3f}, efficiency {speed_up / self.workers:.1%} of {self.workers} workers",
            f"Amdahl      {describe_share(speed_up, self.workers)}",
        ]
