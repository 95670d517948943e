"""Whether a trace is what Chrome's trace viewer and Perfetto read: the fields that their format names."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

__all__ = ["check_trace"]

NAMES: Final = {"process_name", "thread_name"}
SLACK_US: Final = 0.2
"""Times are rounded to a tenth of a microsecond."""


def check_trace(trace: Any) -> None:
    """Assert that a trace can be shown: complete events of named threads, of which none overlap.

    :param trace: as it is read from JSON.
    """
    assert trace["displayTimeUnit"] in ("ms", "ns")
    named: dict[str, set[tuple[int, int]]] = {kind: set() for kind in NAMES}
    runs: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in trace["traceEvents"]:
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        assert isinstance(event["name"], str)
        thread = event["pid"], event["tid"]
        if event["ph"] == "M":
            assert event["args"]["name"]
            named[event["name"]].add(thread)
        else:
            assert event["ph"] == "X", "everything else has a beginning and a duration"
            assert event["name"]
            assert event["cat"]
            assert isinstance(event["args"], dict)
            assert event["ts"] >= 0.0
            assert event["dur"] >= 0.0
            runs[thread].append((event["ts"], event["dur"]))
    assert named["thread_name"] == set(runs), "each lane has a name, and each name a lane"
    assert {pid for pid, _ in named["process_name"]} == {pid for pid, _ in runs}
    for lane in runs.values():
        end = 0.0
        for at, duration in sorted(lane):
            assert at >= end - SLACK_US, "what overlaps would be drawn as nested"
            end = at + duration
