"""Amdahl's law: what a measured speed-up says of the parallel share of the work. A pure module.

    S(N) = 1 / ((1 - P) + P / N)

S is sequential time by parallel time, N the number of workers, and P the share of the work that gains from
workers. G. M. Amdahl, "Validity of the single processor approach to achieving large scale computing
capabilities", AFIPS Conference Proceedings 30, 1967; the formula is the usual form of what he says in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["describe_share", "fit_parallel_share", "parallel_share", "speed_up"]


def speed_up(share: float, workers: float) -> float:
    """Return S(N) for the parallel share P, from 0 to 1, and N workers."""
    return 1 / ((1 - share) + share / workers)


def parallel_share(measured: float, workers: int) -> float:
    """Return P from one measured speed-up. Below 0 where the cluster was slower than one process.

    :param measured: S, sequential seconds by parallel seconds.
    :param workers: N; with fewer than two the law says nothing and the answer is not a number.
    """
    if workers < 2:
        return math.nan
    return (1 - 1 / measured) / (1 - 1 / workers)


def fit_parallel_share(speed_up_by_workers: Mapping[int, float]) -> float:
    """Return the P from 0 to 1 that fits measured speed-ups best; not a number without any N above 1.

    Least squares on the relative times: 1 / S(N) = 1 - P (1 - 1/N) is linear in P, so the sum of the squared
    errors of 1 / S has its minimum at P = sum(x (1 - 1/S)) / sum(x^2) with x = 1 - 1/N. N = 1 has x = 0 and
    no weight: the law says nothing of it.
    """
    points = [(1 - 1 / workers, 1 - 1 / measured) for workers, measured in speed_up_by_workers.items()]
    weight = sum(x * x for x, _ in points)
    if not weight:
        return math.nan
    return min(1.0, max(0.0, sum(x * y for x, y in points) / weight))


def describe_share(measured: float, workers: int) -> str:
    """Return in words what the law makes of one measured speed-up."""
    share = parallel_share(measured, workers)
    if math.isnan(share):
        return "says nothing of a single worker"
    if share < 0:
        return "no parallel share: the cluster was slower than one process"
    if share > 1:
        return f"{measured:.2f} on {workers} workers is more than the law allows: the machine was not quiet"
    return f"P = {share:.3f} from S(N) = 1 / ((1 - P) + P / N) (Amdahl, 1967)"
