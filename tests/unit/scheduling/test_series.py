"""Figures over time: seconds, minutes, gaps, and a clock that is set."""

from __future__ import annotations

import pytest

from concurrent.scheduling.telemetry.series import MINUTE_S, SECOND_S, Series

START = 6000.0
"""A full minute."""


@pytest.fixture
def series() -> Series:
    return Series(["done", "cpu"])


def feed(series: Series, first: int, count: int) -> None:
    for second in range(first, first + count):
        series.add(START + second + 0.25, {"done": second, "cpu": 0.5})


def test_points_come_in_their_order_with_all_figures(series: Series) -> None:
    feed(series, 0, 3)
    points = series.points()
    assert points.resolution_s == SECOND_S
    assert points.at == [6000, 6001, 6002]
    assert points.values == {"done": [0.0, 1.0, 2.0], "cpu": [0.5, 0.5, 0.5]}
    assert series.points(after=6001).at == [6002]
    assert series.points(after=6002).values == {"done": [], "cpu": []}


def test_a_second_has_one_point_and_one_without_a_look_has_none(series: Series) -> None:
    series.add(START, {"done": 1.0, "cpu": 0.0})
    series.add(START + 0.9, {"done": 2.0, "cpu": 0.0})
    series.add(START + 7.1, {"done": 3.0, "cpu": 0.0})
    assert series.points().at == [6000, 6007]
    assert series.points().values["done"] == [1.0, 3.0]


def test_a_quarter_of_an_hour_is_kept_by_seconds(series: Series) -> None:
    feed(series, 0, 1000)
    points = series.points()
    assert (points.at[0], points.at[-1], len(points.at)) == (6100, 6999, 900)
    assert points.values["done"][0] == 100.0
    assert len(series.points(after=6989).at) == 10


def test_a_minute_is_the_mean_of_its_seconds_once_it_is_over(series: Series) -> None:
    feed(series, 0, 60)
    assert series.points(MINUTE_S).at == []
    feed(series, 60, 90)
    points = series.points(MINUTE_S)
    assert points.at == [6000, 6060]
    assert points.values["done"] == [29.5, 89.5]
    assert points.values["cpu"] == [0.5, 0.5]


def test_a_day_is_kept_by_minutes(series: Series) -> None:
    for minute in range(1500):
        series.add(START + 60 * minute, {"done": minute, "cpu": 0.0})
    points = series.points(MINUTE_S)
    assert len(points.at) == 1440
    assert points.values["done"][-1] == 1498.0


def test_a_clock_that_is_set_back_begins_anew(series: Series) -> None:
    feed(series, 0, 200)
    series.add(START + 198, {"done": 1.0, "cpu": 0.0})
    assert len(series.points().at) == 200
    feed(series, -3600, 2)
    assert series.points().at == [2400, 2401]
    assert series.points(MINUTE_S).at == []


def test_who_has_seen_the_future_begins_anew_and_who_has_seen_all_does_not(series: Series) -> None:
    feed(series, 0, 3)
    assert series.points(after=START + 3600).at == [6000, 6001, 6002]
    assert series.points(after=START + 4).at == []
    assert series.points(MINUTE_S, after=START + 60).at == []


def test_a_resolution_that_there_is_not_is_refused(series: Series) -> None:
    with pytest.raises(KeyError):
        series.points(7)
