"""The measured figures as text. A pure module."""

from __future__ import annotations

import math

from concurrent.apps.samples.benchmark.results import PRESENTED_N, PRESENTED_P, PRESENTED_S, Row, Series
from concurrent.apps.samples.shared.amdahl import speed_up

__all__ = ["NOTES", "lines_of"]

HEADING = "    N  seconds  speed-up  efficiency  task ms  CPU share  overhead ms     bytes"
NOTES = (
    "N           tasks out at once; each pays its whole way there and back",
    "N*          all workers, and all tasks pushed at once, so that the next one waits near its worker",
    "overhead    milliseconds for each task in which its lane had nothing to run",
    "bytes       the tasks and results of the row, pickled",
    "beware      an active wait lasts as long on a worker without a core of its own, which flatters the",
    "            speed-up: only its CPU share falls. Computing takes longer there, and tells the truth.",
)


def lines_of(series: Series) -> list[str]:
    """Return the table of one series, and what Amdahl's law makes of it."""
    row = series.rows[0]
    each_ms = series.alone_s / row.task_count * 1e3
    alone = f"{series.alone_s:.2f} s in one process with {series.alone_cpu_share:.0%} of a core"
    return [
        f"{series.title}: {row.task_count} tasks of {each_ms:.1f} ms, {alone}",
        HEADING,
        *(_line(series, row) for row in series.rows),
        f"Amdahl      {_fit(series.parallel_share())}",
        f"to compare  S = {PRESENTED_S} at N = {PRESENTED_N}, P = {PRESENTED_P} (the project's presentation)",
    ]


def _line(series: Series, row: Row) -> str:
    gained = series.speed_up(row)
    mark = "*" if row.step.is_full else " "
    workers = row.step.workers
    each_ms = row.task_wall_s / row.task_count * 1e3
    return (
        f"{workers:5}{mark}{row.seconds:8.2f}{gained:10.2f}{gained / workers:12.0%}"
        f"{each_ms:9.1f}{row.cpu_share:11.0%}{row.overhead_s * 1e3:13.2f}{row.data_bytes:10,}"
    )


def _fit(share: float) -> str:
    if math.isnan(share):
        return "says nothing of a single worker"
    limit = f"{1 / (1 - share):.3g} at most with any N" if share < 1 else "without any limit"
    at = f"S({PRESENTED_N}) = {speed_up(share, PRESENTED_N):.2f}"
    return f"P = {share:.3f} fits best in S(N) = 1 / ((1 - P) + P / N) (Amdahl, 1967): {at}, {limit}"
