"""How fast things happen, also when the clock is set."""

from __future__ import annotations

import pytest

from concurrent.scheduling.telemetry.rates import SPAN_S, Rate


def test_it_is_taken_over_the_last_seconds_or_as_far_as_it_was_counted() -> None:
    rate = Rate(1000.0)
    rate.note(1001.5, 20)
    assert rate.per_s(1002.0) == pytest.approx(10.0)
    assert rate.per_s(1010.0) == pytest.approx(2.0)
    assert rate.per_s(1001.5 + 2 * SPAN_S) == 0.0


def test_a_clock_that_was_set_back_behind_the_beginning_makes_nothing_faster() -> None:
    rate = Rate(1000.0)
    rate.note(1000.5, 100)
    for second in range(100, 120):
        rate.note(float(second), 5)
        assert rate.per_s(float(second)) <= 10.0  # of two seconds, as at any beginning
    assert rate.per_s(119.0) == pytest.approx(5.0, rel=0.2)
