"""A timeline in the format of Chrome's traces, which https://ui.perfetto.dev shows. A pure module.

A slave is a process there, a worker a thread of it. Times are microseconds from the first bar on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from concurrent.scheduling.telemetry.timeline import BarsPart

__all__ = ["chrome_trace"]

FAILED_COLOUR: Final = "terrible"
"""What the format calls the colour of what has gone wrong."""


def chrome_trace(part: BarsPart) -> dict[str, Any]:
    """Return bars as a trace."""
    first_at = min(part.columns[3], default=0.0)
    events = [*_names(part), *_events(part, first_at)]
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": {"began_at": first_at}}


def _names(part: BarsPart) -> Iterator[dict[str, Any]]:
    for number, slave in part.slaves.items():
        yield {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": slave}}
    for number, worker in dict.fromkeys(zip(*part.columns[:2], strict=True)):
        name = {"name": f"process {worker}"}
        yield {"ph": "M", "name": "thread_name", "pid": number, "tid": worker, "args": name}


def _events(part: BarsPart, first_at: float) -> Iterator[dict[str, Any]]:
    for slave, worker, number, start_at, duration_s, busy_s, runs, failed in zip(*part.columns, strict=True):
        function = part.functions[number]
        event = {
            "ph": "X",
            "name": function.name or "task",
            "cat": function.job_name or "task",
            "pid": slave,
            "tid": worker,
            "ts": round((start_at - first_at) * 1e6),
            "dur": round(duration_s * 1e6),
            "args": {"runs": runs, "failed": failed, "busy_s": round(busy_s, 6)},
        }
        yield {**event, "cname": FAILED_COLOUR} if failed else event
