"""The measured figures as text. A pure module."""

from __future__ import annotations

import math

from concurrent.apps.samples.shared.amdahl import speed_up
from concurrent.apps.samples.shared.layout import Timing, line

from .results import PRESENTED_N, PRESENTED_P, PRESENTED_S, Row, Series

__all__ = ["NOTES", "lines_of"]

PRESENTED = f"P = {PRESENTED_P} from S = {PRESENTED_S} on N = {PRESENTED_N}"
HEADING = "    N    alone  seconds  speed-up  efficiency  task ms  CPU share  overhead ms     bytes"
NOTES = (
    "alone       seconds of one process for the same tasks: half of them just before, half just after",
    "N           tasks out at once; each pays its whole way there and back",
    "N*          all workers, and all tasks pushed at once, so that the next one waits near its worker",
    "overhead    milliseconds for each task in which its lane had nothing to run",
    "bytes       the tasks and results of the row, pickled",
    "Amdahl      what the law makes of the row N*; lanes: which P fits the rows with N tasks out best",
    "beware      an active wait lasts as long on a worker without a core of its own, which flatters the",
    "            speed-up: only its CPU share falls. Computing takes longer there, and tells the truth.",
)


def lines_of(series: Series) -> list[str]:
    """Return the table of one series, the comparison of its last row, and what the law makes of the others."""
    last = series.rows[-1]
    each_ms = last.alone.seconds / last.task_count * 1e3
    timing = Timing(last.alone.seconds, last.seconds, last.task_count, last.step.workers)
    fit = [line("lanes", _fit(series))] if series.points() else []
    return [
        f"{series.title}: {last.task_count} tasks of {each_ms:.1f} ms",
        HEADING,
        *map(_line, series.rows),
        *timing.lines(f"with {last.alone.cpu_share:.0%} of a core", PRESENTED),
        *fit,
    ]


def _line(row: Row) -> str:
    mark = "*" if row.step.is_full else " "
    workers = row.step.workers
    each_ms = row.task_wall_s / row.task_count * 1e3
    return (
        f"{workers:5}{mark}{row.alone.seconds:8.2f}{row.seconds:9.2f}"
        f"{row.speed_up:10.2f}{row.speed_up / workers:12.0%}"
        f"{each_ms:9.1f}{row.cpu_share:11.0%}{row.overhead_s * 1e3:13.2f}{row.data_bytes:10,}"
    )


def _fit(series: Series) -> str:
    share = series.parallel_share()
    if any(gained > workers for workers, gained in series.points().items()):
        return "S is more than N, which the law does not allow: the machine was not quiet"
    if math.isnan(share):
        return "say nothing of a single worker"
    limit = f"{1 / (1 - share):.3g} at most with any N" if share < 1 else "without any limit"
    return f"P = {share:.3f} fits best: S({PRESENTED_N}) = {speed_up(share, PRESENTED_N):.2f}, {limit}"
