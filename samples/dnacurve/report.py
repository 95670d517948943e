"""What a run says at its end: its time, what it moved, and what Amdahl's law makes of it. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.apps.samples.shared.layout import Timing, line, mode_in_words
from concurrent.apps.samples.shared.usage import Usage

__all__ = ["AGREEMENT", "Run"]

AGREEMENT = 1e-9
"""How much the cluster may differ from one process: a product that is cut into blocks rounds otherwise."""

PRESENTED = "no S; over 10,000 tasks, 3 GB on the master, more sending than computing"


@dataclass(frozen=True)
class Run:
    """One analysis, done.

    :param carried_bytes: what tasks and results carried, without what wraps it.
    :param error: the largest difference between cluster and one process, 0 if only one of them ran.
    :param files: what was written.
    """

    kernel: str
    mode: str
    sequence: str
    bases: int
    model: str
    timing: Timing
    carried_bytes: int
    error: float
    usage: Usage
    files: str

    @property
    def is_equal(self) -> bool:
        """Whether cluster and one process found the same."""
        return self.error <= AGREEMENT

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        kernel = "compiled (Cython)" if self.kernel == "cython" else "pure Python, not compiled"
        verdict = f"equal to {self.error:.1e}" if self.is_equal else f"DIFFERS by {self.error:.1e}"
        if self.error == 0:
            verdict = "identical"
        tasks = self.timing.tasks
        carried = f"{self.carried_bytes / tasks:.0f} bytes of numbers for each task and its result"
        return [
            line("sequence", f"{self.sequence}, {self.bases} bases; model {self.model}"),
            line("kernel", kernel),
            line("variant", mode_in_words(self.mode)),
            *self.timing.lines(f"result {verdict}", PRESENTED),
            line("rate", f"{tasks / self.timing.parallel_s:,.0f} tasks per second; {carried}"),
            *self.usage.lines(),
            line("written", self.files),
        ]
