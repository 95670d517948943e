"""How far ahead work is dealt."""

from __future__ import annotations

import pytest

from concurrent.scheduling.slave.pace import (
    DEPTH_BYTES_MAX,
    DEPTH_MAX,
    HELD_BYTES_MAX,
    HELD_MAX,
    HOLD_MIN_S,
    REPORT_MAX_S,
    Pace,
)


def paced(duration_s: float, size_bytes: int = 0) -> Pace:
    pace = Pace()
    for _ in range(100):
        pace.note_durations(10, 10 * duration_s)
        pace.note_sizes(10, 10 * size_bytes)
    return pace


def test_long_tasks_are_dealt_one_at_a_time() -> None:
    assert paced(10.0).depth(is_shared=False) == 1


def test_a_worker_has_one_task_more_than_it_runs_if_they_are_short() -> None:
    assert paced(0.9).depth(is_shared=False) == 2
    assert paced(0.9).depth(is_shared=True) == 1
    assert paced(0.09).depth(is_shared=True) == 2


@pytest.mark.parametrize(
    ("duration_s", "depth"), [(0.001, 201), (0.0002, 1001), (1e-9, DEPTH_MAX + 1), (0.0, DEPTH_MAX + 1)]
)
def test_the_shorter_tasks_are_the_more_lie_ahead(duration_s: float, depth: int) -> None:
    assert abs(paced(duration_s).depth(is_shared=False) - depth) <= 1


def test_large_payloads_lie_less_far_ahead() -> None:
    pace = paced(1e-6, size_bytes=DEPTH_BYTES_MAX // 4)
    assert pace.depth(is_shared=False) == 1 + 3
    assert paced(1e-6, size_bytes=10 * DEPTH_BYTES_MAX).depth(is_shared=False) == 2


def test_a_worker_is_woken_for_some_work_at_least() -> None:
    assert paced(1.0).share == 1
    assert paced(1e-6).share == pytest.approx(50, abs=1)


def test_a_pool_wants_at_least_one_task_more_than_workers() -> None:
    assert paced(100.0).window(1) == 2
    assert paced(100.0).window(8) == 9


def test_nothing_is_wanted_for_workers_that_run_long_tasks() -> None:
    assert paced(0.01).window(2, standing_count=1) == 2 + 40
    assert paced(0.01).window(2, standing_count=2) == 2
    assert paced(100.0).window(8, standing_count=8) == 8


def test_a_pool_never_wants_more_than_the_bounds() -> None:
    assert paced(0.0).window(2) == 2 + 2 * HELD_MAX
    held = paced(0.0, size_bytes=1024 * 1024).window(1) - 1
    assert held * 1024 * 1024 <= HELD_BYTES_MAX


def test_one_outlier_changes_an_estimate_little_and_many_change_it_much() -> None:
    pace = paced(0.001)
    pace.note_durations(1, 1.0)
    assert 0.001 < pace.duration_s < 0.003
    for _ in range(10):
        pace.note_durations(100, 100.0)
    assert pace.duration_s > 0.9


def test_outcomes_wait_for_others_only_while_much_is_left_to_do() -> None:
    assert paced(0.001).report_delay_s(0, 2) == 0.0
    assert paced(0.001).report_delay_s(2, 2) == 0.0
    assert paced(0.001).report_delay_s(20, 2) == pytest.approx(0.002)
    assert paced(0.1).report_delay_s(1000, 2) == REPORT_MAX_S


def test_less_lies_ahead_while_applications_share_a_pool() -> None:
    assert paced(0.001).depth(is_shared=True) < paced(0.001).depth(is_shared=False)


def test_a_worker_holds_results_for_less_time_than_there_is_work_ahead_of_it() -> None:
    pace = paced(0.001)
    for is_shared in (True, False):
        ahead_s = pace.depth(is_shared=is_shared) * pace.duration_s
        assert 0.0 < pace.hold_s(1000, 2, is_shared=is_shared) <= ahead_s / 2
    assert pace.hold_s(0, 2, is_shared=True) == HOLD_MIN_S
