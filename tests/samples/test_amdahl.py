"""Amdahl's law, as the samples use it."""

from __future__ import annotations

import math

import pytest

from concurrent.apps.samples.shared.amdahl import (
    describe_share,
    fit_parallel_share,
    parallel_share,
    speed_up,
)


@pytest.mark.parametrize(
    ("measured", "workers", "share"), [(2.4, 8, 0.67), (7.02, 8, 0.98), (8, 8, 1), (1, 8, 0)]
)
def test_the_parallel_share_of_known_speed_ups(measured: float, workers: int, share: float) -> None:
    assert parallel_share(measured, workers) == pytest.approx(share, abs=0.005)


def test_a_single_worker_says_nothing_of_the_parallel_share() -> None:
    assert math.isnan(parallel_share(1, 1))
    assert math.isnan(fit_parallel_share({1: 0.97}))
    assert "nothing" in describe_share(1, 1)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.98, 1.0])
def test_a_fit_finds_the_share_that_exact_points_were_made_with(share: float) -> None:
    exact = {workers: speed_up(share, workers) for workers in (1, 2, 3, 4, 8, 64)}
    assert fit_parallel_share(exact) == pytest.approx(share)


def test_a_fit_of_one_point_is_its_share() -> None:
    assert fit_parallel_share({8: 7.02}) == pytest.approx(parallel_share(7.02, 8))


def test_a_fit_leaves_a_smaller_error_than_its_neighbours() -> None:
    measured = {2: 1.9, 4: 3.3, 8: 5.9}

    def error(share: float) -> float:
        return sum((1 / speed_up(share, n) - 1 / measured[n]) ** 2 for n in measured)

    best = fit_parallel_share(measured)
    assert error(best) < min(error(best - 0.001), error(best + 0.001))


@pytest.mark.parametrize(("measured", "share"), [({2: 0.5}, 0.0), ({2: 2.2}, 1.0)])
def test_a_fit_is_never_outside_of_what_a_share_can_be(measured: dict[int, float], share: float) -> None:
    assert fit_parallel_share(measured) == share


@pytest.mark.parametrize(("measured", "words"), [(0.5, "slower"), (2.5, "more than"), (1.9, "P = 0.947")])
def test_a_speed_up_is_described_in_words(measured: float, words: str) -> None:
    assert words in describe_share(measured, 2)
