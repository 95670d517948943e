"""What is made of measured values: medians, ratios, and whether a target is met."""

from __future__ import annotations

import pytest

from benchmarks.measure import Figure, Recorder, Row, Target, percentile


def row_of(figure: Figure, ours: list[float], theirs: list[float]) -> Row:
    """Return our row after so many repetitions."""
    recorder = Recorder(["ours"])
    for system, values in (("theirs", theirs), ("ours", ours)):
        for value in values:
            recorder.add(figure, system, value)
    first, *_ = recorder.rows()
    return first


def figure(target: Target | None = None, *, is_less_better: bool = False) -> Figure:
    """Return some figure."""
    return Figure("case.some", "some figure", "s", "theirs", is_less_better, target)


def test_a_row_has_the_median_and_the_range_of_the_repetitions() -> None:
    row = row_of(figure(), [5.0, 1.0, 2.0], [1.0, 1.0, 1.0])
    assert (row.system, row.median, row.minimum, row.maximum) == ("ours", 2.0, 1.0, 5.0)
    assert row.is_met is None


def test_the_ratio_is_taken_within_each_repetition() -> None:
    row = row_of(figure(), [1.0, 10.0, 30.0], [2.0, 5.0, 10.0])
    assert row.ratio == 2.0
    assert row.reference_median == 5.0


def test_without_a_reference_there_is_no_ratio() -> None:
    row = row_of(figure(Target(1.0, ratio=2.0, system="ours")), [1.0], [])
    assert row.ratio is None
    assert row.is_met is True


@pytest.mark.parametrize(
    ("target", "is_less_better", "is_met"),
    [
        (Target(10.0, system="ours"), False, True),
        (Target(10.1, system="ours"), False, False),
        (Target(10.0, ratio=2.0, system="ours"), False, True),
        (Target(10.0, ratio=2.1, system="ours"), False, False),
        (Target(10.0, ratio=2.0, system="ours"), True, True),
        (Target(9.9, ratio=2.0, system="ours"), True, False),
        (Target(10.0, ratio=1.9, system="ours"), True, False),
    ],
)
def test_a_target_is_met_if_value_and_ratio_are(target: Target, is_less_better: bool, is_met: bool) -> None:
    row = row_of(figure(target, is_less_better=is_less_better), [10.0], [5.0])
    assert row.is_met is is_met


def test_ours_come_before_what_they_are_compared_with_and_only_they_have_a_reference() -> None:
    recorder = Recorder(["ours"])
    recorder.add(figure(), "theirs", 1.0)
    recorder.add(figure(), "ours", 1.0)
    assert [(row.system, row.reference) for row in recorder.rows()] == [("ours", "theirs"), ("theirs", None)]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 3.0
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.99) == 4.0
    assert percentile([1.0], 0.0) == 1.0
