"""Bars in the format of Chrome's trace viewer, which Perfetto (ui.perfetto.dev) opens too. A pure module.

Each slave is a process there, and each of its workers a thread. What is drawn is time in which tasks ran: a bar
that stands for several runs with waiting between them is as long as these took together. Runs that failed, and
those that have not ended, have a name and a category that say so. Times are microseconds since the first bar.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

from concurrent.scheduling.telemetry.timeline import Bar

__all__ = ["chrome_trace"]

US_PER_S: Final = 1e6
FAILED: Final = "failed"
RUNNING: Final = "running"
NAMELESS: Final = "task"
"""What runs are called whose tasks have no name."""


def chrome_trace(bars: Iterable[Bar]) -> dict[str, Any]:
    """Return the trace of some bars, in any order, as the object that is written as JSON.

    :param bars: one of no runs is of a run that has not ended.
    """
    ordered = sorted(bars, key=attrgetter("start_at"))
    first_at = ordered[0].start_at if ordered else 0.0
    pid_by_slave: dict[str, int] = {}
    end_by_worker: dict[tuple[int, int], float] = {}
    events: list[dict[str, Any]] = []
    for bar in ordered:
        pid = pid_by_slave.setdefault(bar.slave, len(pid_by_slave) + 1)
        # Slaves tell how long ago something was, and their messages take longer at times.
        start = max(bar.start_at, end_by_worker.get((pid, bar.worker), first_at))
        run_s = max(0.0, min(bar.busy_s, bar.stop_at - start))
        end_by_worker[pid, bar.worker] = start + run_s
        events.append(_event(bar, pid, start - first_at, run_s))
    names = [_named("process_name", pid, 0, slave) for slave, pid in pid_by_slave.items()]
    names += [_named("thread_name", pid, worker, f"worker {worker}") for pid, worker in end_by_worker]
    return {
        "traceEvents": names + events,
        "displayTimeUnit": "ms",
        "otherData": {"first_at": first_at},
    }


def _event(bar: Bar, pid: int, at_s: float, run_s: float) -> dict[str, Any]:
    """Return the complete event ("X") of a bar."""
    name = bar.function.name or NAMELESS
    state = RUNNING if not bar.runs else FAILED if bar.failed else ""
    return {
        "ph": "X",
        "name": f"{name} ({state})" if state else name,
        "cat": state or "run",
        "pid": pid,
        "tid": bar.worker,
        "ts": _us(at_s),
        "dur": _us(run_s),
        "args": {
            "job": bar.function.job_name or bar.function.job,
            "runs": bar.runs,
            "failed": bar.failed,
            "busy_s": round(bar.busy_s, 6),
            "until_last_end_s": round(bar.duration_s, 6),
        },
    }


def _named(kind: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    """Return the metadata event ("M") that gives a process or a thread its name."""
    return {"ph": "M", "name": kind, "pid": pid, "tid": tid, "args": {"name": name}}


def _us(seconds: float) -> float:
    return round(seconds * US_PER_S, 1)
