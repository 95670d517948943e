"""What of a timeline and a series comes in one answer, and what to ask for the next time."""

from __future__ import annotations

import pytest

from concurrent.apps.metrics import Metric, text_of_metrics
from concurrent.apps.observed import FunctionRow, LaneRow, TimelineStatus
from concurrent.apps.telemetryviews import BARS_PER_ANSWER, series_of, taken_part, timeline_of
from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.telemetry.functions import Function, Functions
from concurrent.scheduling.telemetry.series import Series
from concurrent.scheduling.telemetry.timeline import BarColumns, Timeline

LOOK = Function(1, "hunt", "look")


class Bars:
    """A timeline that keeps a few bars, one second each, on workers 7 and 8 by turns."""

    def __init__(self, bars_max: int) -> None:
        self._functions = Functions()
        self._timeline = Timeline(self._functions, bars_max)

    def add(self, count: int) -> None:
        number = self._functions.number(LOOK)
        first = self._timeline.next_number
        at = [100.0 + first + one for one in range(count)]
        workers = [7 + (first + one) % 2 for one in range(count)]
        ones = [1] * count
        columns = BarColumns(workers, [number] * count, at, [1.0] * count, [0.5] * count, ones, [0] * count)
        self._timeline.add("slave-1", columns)

    def ask(self, after: int = 0, start_at: float = 0.0, stop_at: float = 0.0) -> TimelineStatus:
        return timeline_of(taken_part(self._timeline, after), after, start_at, stop_at)


def test_bars_name_their_worker_and_function_once() -> None:
    bars = Bars(10)
    assert bars.ask() == TimelineStatus((), (), (), 0, 0, 0, is_anew=False)
    bars.add(3)
    found = bars.ask()
    assert set(found.lanes) == {LaneRow("slave-1", 7), LaneRow("slave-1", 8)}
    assert found.functions == (FunctionRow(1, "hunt", "look"),)
    assert [(found.lanes[one[0]].worker, *one[1:]) for one in found.items] == [
        (8, 0, 101.0, 1.0, 0.5, 1, 0),
        (7, 0, 102.0, 1.0, 0.5, 1, 0),
        (8, 0, 103.0, 1.0, 0.5, 1, 0),
    ]
    assert (found.total, found.left_out, found.after, found.is_anew) == (3, 0, 3, False)


def test_who_asks_again_gets_what_is_new() -> None:
    bars = Bars(10)
    bars.add(3)
    bars.add(4)
    found = bars.ask(after=3)
    assert [one[2] for one in found.items] == [104.0, 105.0, 106.0, 107.0]
    assert not found.is_anew
    again = bars.ask(found.after)
    assert (again.items, again.after, again.is_anew) == ((), 7, False)


def test_who_missed_some_or_knows_another_master_is_told() -> None:
    bars = Bars(10)
    bars.add(8)
    bars.add(8)
    missed = bars.ask(after=3)
    assert missed.is_anew
    assert [one[2] for one in missed.items] == [107.0 + one for one in range(10)]
    assert bars.ask(after=99).is_anew
    assert bars.ask(after=99).after == 16


def test_bars_between_two_moments_are_those_that_lie_there_partly() -> None:
    bars = Bars(10)
    bars.add(8)
    found = bars.ask(start_at=103.5, stop_at=105.0)
    assert [one[2] for one in found.items] == [103.0, 104.0]
    assert found.total == 2


def test_of_too_many_bars_the_newest_come_or_those_that_follow() -> None:
    bars = Bars(2 * BARS_PER_ANSWER)
    bars.add(BARS_PER_ANSWER + 5)
    newest = bars.ask()
    assert (newest.left_out, newest.after) == (5, BARS_PER_ANSWER + 5)
    following = bars.ask(after=1)
    assert (following.left_out, following.after) == (4, BARS_PER_ANSWER + 1)


def test_a_whole_timeline_can_be_read_in_parts() -> None:
    bars = Bars(3 * BARS_PER_ANSWER)
    bars.add(2 * BARS_PER_ANSWER + 5)
    found = bars.ask(after=-1)
    begun = [one[2] for one in found.items]
    while found.left_out:
        found = bars.ask(found.after)
        assert not found.is_anew
        begun += [one[2] for one in found.items]
    assert begun == [101.0 + one for one in range(2 * BARS_PER_ANSWER + 5)]


def test_points_come_as_rows_with_their_time() -> None:
    series = Series(("busy", "workers"))
    for second in (100, 101, 102):
        series.add(second, {"busy": second / 2, "workers": 4.0})
    found = series_of(series, 1, after=100)
    assert found.names == ("at", "busy", "workers")
    assert found.items == ((101.0, 50.5, 4.0), (102.0, 51.0, 4.0))
    assert found.after == 102.0
    assert series_of(series, 60.0, after=7.0).after == 7.0
    with pytest.raises(InvalidArguments, match="resolution_s must be 1 or 60, but is 2"):
        series_of(series, 2, 0.0)


def test_names_cannot_break_the_lines_of_metrics() -> None:
    metric = Metric("m", "gauge", "Doc.", [({"function": 'a"} 1\nb\\'}, 1.0), ({}, 2.5)])
    assert text_of_metrics([metric]) == (
        '# HELP m Doc.\n# TYPE m gauge\nm{function="a\\"} 1\\nb\\\\"} 1.0\nm 2.5\n'
    )
