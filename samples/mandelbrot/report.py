"""What a run says at its end: how long it took, and what Amdahl's law makes of it. A pure module."""

from __future__ import annotations

from dataclasses import dataclass

from concurrent.apps.samples.shared.amdahl import describe_share

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """One picture, computed.

    :param sequential_s: None if it was not computed sequentially too.
    :param is_identical: whether both computations gave the same counts, to the pixel.
    :param picture: where it is.
    """

    kernel: str
    mode: str
    data: str
    tasks: int
    workers: int
    parallel_s: float
    sequential_s: float | None
    is_identical: bool
    picture: str

    def lines(self) -> list[str]:
        """Return the report, line by line."""
        mode = "a task system" if self.mode == "system" else "plain tasks"
        kernel = "compiled (Cython)" if self.kernel == "cython" else "pure Python, not compiled"
        return [
            f"kernel      {kernel}",
            f"flavour     {mode}, {self.data} data",
            f"parallel    {self.parallel_s:.2f} s, {self.tasks} tasks on {self.workers} workers",
            *self._comparison(),
            f"picture     {self.picture}",
        ]

    def _comparison(self) -> list[str]:
        if self.sequential_s is None:
            return ["sequential  not run"]
        speed_up = self.sequential_s / self.parallel_s
        verdict = "identical" if self.is_identical else "DIFFER: the picture is wrong"
        return [
            f"sequential  {self.sequential_s:.2f} s, counts {verdict}",
            f"speed-up    {speed_up:.2f}, efficiency {speed_up / self.workers:.0%} of {self.workers} workers",
            f"Amdahl      {describe_share(speed_up, self.workers)}",
            "to compare  P = 0.67 from S = 2.40 on N = 8 (the project's presentation)",
        ]
