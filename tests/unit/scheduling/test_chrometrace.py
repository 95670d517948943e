"""Bars as a trace: what is a process and a thread, what is drawn, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from concurrent.scheduling.telemetry.chrometrace import chrome_trace
from concurrent.scheduling.telemetry.functions import Function
from concurrent.scheduling.telemetry.timeline import Bar
from tests.tracecheck import check_trace

SQUARE = Function(3, "squares", "square")


def bar(start_at: float, duration_s: float, **more: Any) -> Bar:
    values: dict[str, Any] = {"slave": "slave-a", "worker": 41, "function": SQUARE, "busy_s": duration_s}
    values |= {"runs": 1, "failed": 0, **more}
    return Bar(number=1, start_at=start_at, duration_s=duration_s, **values)


def runs(*bars: Bar) -> list[dict[str, Any]]:
    """Return the events of what ran."""
    return [event for event in chrome_trace(bars)["traceEvents"] if event["ph"] == "X"]


def test_a_run_is_told_with_all_that_is_known_of_it() -> None:
    (event,) = runs(bar(100.0, 0.25, runs=40))
    assert event == {
        "ph": "X", "name": "square", "cat": "run", "pid": 1, "tid": 41, "ts": 0.0, "dur": 250000.0,
        "args": {"job": "squares", "runs": 40, "failed": 0, "busy_s": 0.25, "until_last_end_s": 0.25},
    }  # fmt: skip


def test_slaves_are_processes_and_workers_their_threads_with_names() -> None:
    trace = chrome_trace([bar(1.0, 1.0), bar(2.0, 1.0, worker=42), bar(3.0, 1.0, slave="slave-b")])
    names = [event for event in trace["traceEvents"] if event["ph"] == "M"]
    assert [(event["name"], event["pid"], event["tid"], event["args"]["name"]) for event in names] == [
        ("process_name", 1, 0, "slave-a"),
        ("process_name", 2, 0, "slave-b"),
        ("thread_name", 1, 41, "worker 41"),
        ("thread_name", 1, 42, "worker 42"),
        ("thread_name", 2, 41, "worker 41"),
    ]


def test_time_begins_with_the_first_bar_whatever_their_order() -> None:
    trace = chrome_trace([bar(1002.5, 1.0), bar(1000.0, 1.0)])
    assert [event["ts"] for event in trace["traceEvents"] if event["ph"] == "X"] == [0.0, 2_500_000.0]
    assert trace["otherData"] == {"first_at": 1000.0}


def test_waiting_between_runs_is_not_drawn_as_running() -> None:
    (event,) = runs(bar(0.0, 1.0, busy_s=0.25, runs=5))
    assert event["dur"] == 250000.0
    assert event["args"]["until_last_end_s"] == 1.0


def test_what_failed_is_marked_by_name_and_category() -> None:
    events = runs(bar(0.0, 1.0), bar(1.0, 1.0, runs=9, failed=2))
    assert [(event["name"], event["cat"]) for event in events] == [
        ("square", "run"),
        ("square (failed)", "failed"),
    ]


def test_runs_of_one_worker_never_overlap_and_those_of_others_may() -> None:
    late, other = bar(0.9, 1.0), bar(0.9, 1.0, worker=42)
    first, second, third = runs(bar(0.0, 1.0), late, other)
    assert (first["ts"] + first["dur"], second["ts"]) == (1e6, 1e6)
    assert second["ts"] + second["dur"] == pytest.approx(1.9e6)
    assert third["ts"] == pytest.approx(0.9e6)


@pytest.mark.parametrize("function", [Function(3, "", ""), Function(0, "", "")])
def test_what_has_no_name_can_be_drawn_too(function: Function) -> None:
    (event,) = runs(bar(0.0, 1.0, function=function))
    assert event["name"] == "task"
    assert event["args"]["job"] == function.job


def test_what_has_not_ended_is_drawn_up_to_now_behind_what_ran_before_it() -> None:
    trace = chrome_trace([bar(7.5, 92.5, runs=0), bar(0.0, 8.0)])
    check_trace(json.loads(json.dumps(trace)))
    event = trace["traceEvents"][-1]
    assert (event["name"], event["cat"]) == ("square (running)", "running")
    assert (event["ts"], event["dur"]) == (8e6, 92e6)


def test_a_trace_is_json_and_of_nothing_an_empty_one() -> None:
    assert json.loads(json.dumps(chrome_trace([bar(5.0, 1.0)])))["displayTimeUnit"] == "ms"
    assert chrome_trace([])["traceEvents"] == []
