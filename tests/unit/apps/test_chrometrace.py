"""Bars as a Chrome trace."""

from __future__ import annotations

from concurrent.apps.chrometrace import chrome_trace
from concurrent.scheduling.telemetry.functions import Function, Functions
from concurrent.scheduling.telemetry.timeline import BarColumns, Timeline


def test_a_slave_is_a_process_and_a_worker_a_thread_of_it() -> None:
    functions = Functions()
    train, nameless = (functions.number(one) for one in (Function(1, "hunt", "train"), Function(2, "", "")))
    timeline = Timeline(functions)
    timeline.add("slave-a", BarColumns([41], [train], [1000.5], [0.25], [0.125], [3], [1]))
    timeline.add("slave-b", BarColumns([7], [nameless], [1000.0], [1.0], [1.0], [1], [0]))
    timeline.add("slave-a", BarColumns([41], [train], [1001.0], [0.5], [0.5], [1], [0]))
    trace = chrome_trace(timeline.part(1))
    said = {event["args"]["name"]: event for event in trace["traceEvents"] if event["ph"] == "M"}
    assert set(said) == {"slave-a", "slave-b", "process 41", "process 7"}
    first, second, third = (event for event in trace["traceEvents"] if event["ph"] == "X")
    assert first == {
        "ph": "X", "name": "train", "cat": "hunt", "pid": said["slave-a"]["pid"], "tid": 41, "ts": 500_000,
        "dur": 250_000, "args": {"runs": 3, "failed": 1, "busy_s": 0.125}, "cname": "terrible",
    }  # fmt: skip
    assert (second["name"], second["pid"], second["ts"]) == ("task", said["slave-b"]["pid"], 0)
    assert (third["pid"], third["tid"], third["ts"]) == (said["process 41"]["pid"], 41, 1_000_000)
    assert "cname" not in third
    assert trace["otherData"] == {"began_at": 1000.0}


def test_a_timeline_without_bars_is_a_trace_too() -> None:
    assert chrome_trace(Timeline(Functions()).part(1))["traceEvents"] == []
