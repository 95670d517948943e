"""What a run says at its end: how long it took, and what Amdahl's law makes of it. A pure module."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Run", "parallel_share"]


def parallel_share(speed_up: float, workers: int) -> float:
    """Return P, the share of the work that ran in parallel, from S(N) = 1 / ((1 - P) + P / N).

    The law: G. M. Amdahl, "Validity of the single processor approach to achieving large scale computing
    capabilities", AFIPS 1967. Below 0 where the cluster was slower than one process.

    :param speed_up: S, sequential seconds by parallel seconds.
    :param workers: N; with fewer than two the law says nothing and the answer is not a number.
    """
    if workers < 2:
        return math.nan
    return (1 - 1 / speed_up) / (1 - 1 / workers)


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
            f"Amdahl      {self._amdahl(speed_up)}",
            "to compare  P = 0.67 from S = 2.40 on N = 8 (the project's presentation)",
        ]

    def _amdahl(self, speed_up: float) -> str:
        share = parallel_share(speed_up, self.workers)
        if math.isnan(share):
            return "says nothing of a single worker"
        if share < 0:
            return "no parallel share: the cluster was slower than one process"
        return f"P = {share:.2f} from S(N) = 1 / ((1 - P) + P / N) (Amdahl, 1967)"
