"""When runs are one bar: what is the same, short, and follows soon; and how many bars there are at most."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.slave.bars import BARS_PER_S, GAP_S, MIXED, SHORT_S, TOLD_MAX, Bars
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, RETRIABLE

JOB = 7
LATER = 1000.0


class Worker:
    """Where tasks run."""

    def __init__(self, pid: int) -> None:
        self.pid = pid


WORKER = Worker(41)

Row = tuple[str, float, float, float, int, int]
"""A name, the beginning, the end, how long the runs took, how many they are and how many have failed."""


def taken(bars: Bars) -> list[Row]:
    """Return what waits to be sent."""
    told = bars.take(LATER)
    if told is None:
        return []
    workers, functions, runs, failed = told.counts
    rows: list[Any] = []
    columns = functions, *told.times, runs, failed
    for function, ago, duration, busy, count, wrong in zip(*columns, strict=True):
        start = LATER - ago
        rows.append((told.names[function], start, start + duration, busy, count, wrong))
    assert set(workers) == {WORKER.pid}
    assert set(told.jobs) == {JOB}
    return [tuple(round(one, 6) if type(one) is float else one for one in row) for row in rows]


def run(
    bars: Bars, start: float, end: float, *, name: str = "f", runs: int = 1, status: int = FINISHED
) -> None:
    names, statuses = [name] * runs, [status] * runs
    bars.ran(WORKER, JOB, names, statuses, since=start, now=end, busy_s=end - start)


@pytest.fixture
def bars() -> Bars:
    return Bars(size=1)


SHORT = SHORT_S / 2
LONG = SHORT_S * 2
SOON = GAP_S / 2
LATE = GAP_S * 2


@pytest.mark.parametrize(
    ("first_s", "gap_s", "second_s", "other_name", "is_one"),
    [
        (SHORT, 0.0, SHORT, "f", True),
        (SHORT, SOON, SHORT, "f", True),
        (SHORT, LATE, SHORT, "f", False),
        (SHORT, 0.0, SHORT, "g", False),
        (LONG, 0.0, SHORT, "f", False),
        (SHORT, 0.0, LONG, "f", False),
        (LONG, 0.0, LONG, "f", False),
    ],
)
def test_which_runs_are_one_bar(
    bars: Bars, first_s: float, gap_s: float, second_s: float, other_name: str, is_one: bool
) -> None:
    start = 10.0
    run(bars, start, start + first_s)
    again = start + first_s + gap_s
    run(bars, again, again + second_s, name=other_name)
    rows = taken(bars)
    assert len(rows) == (1 if is_one else 2)
    assert sum(row[4] for row in rows) == 2
    assert sum(row[3] for row in rows) == pytest.approx(first_s + second_s)
    assert (rows[0][1], rows[-1][2]) == pytest.approx((start, again + second_s))


def test_a_batch_is_one_bar_with_a_count(bars: Bars) -> None:
    run(bars, 10.0, 10.5, runs=400)
    assert taken(bars) == [("f", 10.0, 10.5, 0.5, 400, 0)]


def test_what_has_failed_is_counted(bars: Bars) -> None:
    statuses = [FINISHED, FAILED, RETRIABLE, DIED]
    bars.ran(WORKER, JOB, ["f"] * 4, statuses, since=1.0, now=2.0, busy_s=1.0)
    assert [(row[4], row[5]) for row in taken(bars)] == [(4, 3)]


def test_the_time_between_runs_is_not_taken_for_work(bars: Bars) -> None:
    bars.ran(WORKER, JOB, ["f"], [FINISHED], since=10.0, now=10.5, busy_s=0.002)
    bars.ran(WORKER, JOB, ["f"], [FINISHED], since=10.5, now=10.51, busy_s=0.002)
    assert taken(bars) == [("f", 10.498, 10.51, 0.004, 2, 0)]


@pytest.mark.parametrize("busy_s", [-1.0, 5.0, float("nan"), float("inf"), float("-inf")])
def test_nonsense_of_a_worker_makes_no_nonsense(bars: Bars, busy_s: float) -> None:
    bars.ran(WORKER, JOB, ["f"], [FINISHED], since=10.0, now=11.0, busy_s=busy_s)
    ((_, start, end, busy, *_),) = taken(bars)
    assert 10.0 <= start <= end == 11.0
    assert 0.0 <= busy <= 1.0


def test_a_batch_of_several_functions_is_a_bar_for_each(bars: Bars) -> None:
    names, statuses = ["f", "g", "f", "f"], [FINISHED, FAILED, FINISHED, FINISHED]
    bars.ran(WORKER, JOB, names, statuses, since=0.0, now=4.0, busy_s=2.0)
    assert taken(bars) == [("f", 2.0, 3.5, 1.5, 3, 0), ("g", 3.5, 4.0, 0.5, 1, 1)]


def test_tasks_that_all_have_names_of_their_own_are_few_bars(bars: Bars) -> None:
    names = [f"task {number}" for number in range(1000)]
    bars.ran(WORKER, JOB, names, [FINISHED] * 1000, since=0.0, now=1.0, busy_s=1.0)
    rows = taken(bars)
    assert len(rows) == 8
    assert (rows[-1][0], rows[-1][4]) == (MIXED, 993)
    assert sum(row[3] for row in rows) == pytest.approx(1.0)


@pytest.mark.parametrize(("size", "most"), [(1, BARS_PER_S), (8, 50), (32, 12), (4096, 2)])
def test_however_many_runs_there_are_the_bars_are_bounded_and_nothing_is_lost(size: int, most: int) -> None:
    bars = Bars(size)
    for number in range(1000):
        start = 10.0 + number / 10
        run(bars, start, start + 0.04, name="fg"[number % 2], status=FINISHED if number % 4 else FAILED)
    rows = taken(bars)
    assert len(rows) <= most
    assert sum(row[4] for row in rows) == 1000
    assert sum(row[5] for row in rows) == 250
    assert sum(row[3] for row in rows) == pytest.approx(40.0)
    assert (rows[0][1], rows[-1][2]) == pytest.approx((10.0, 109.94))
    assert {row[0] for row in rows} <= {"f", "g", MIXED}


def test_what_was_taken_is_not_told_again(bars: Bars) -> None:
    run(bars, 10.0, 10.01)
    assert len(taken(bars)) == 1
    assert taken(bars) == []
    run(bars, 10.01, 10.02)
    assert len(taken(bars)) == 1


def test_workers_and_jobs_have_bars_of_their_own(bars: Bars) -> None:
    for worker, job in ((1, 7), (2, 7), (1, 8)):
        bars.ran(Worker(worker), job, ["f"], [FINISHED], since=0.0, now=0.01, busy_s=0.01)
    told = bars.take(LATER)
    assert told is not None
    assert told.counts[0] == [1, 2, 1]
    assert [(told.names[place], told.jobs[place]) for place in told.counts[1]] == [("f", 7), ("f", 7), ("f", 8)]


def test_results_that_come_before_their_process_is_known_wait_for_that(bars: Bars) -> None:
    worker = Worker(0)
    for _ in range(TOLD_MAX + 1):
        bars.ran(worker, JOB, ["f"], [FINISHED], since=0.0, now=0.01, busy_s=0.01)
    assert bars.take(LATER) is None
    worker.pid = WORKER.pid
    ((_, _, _, _, runs, _),) = taken(bars)
    assert runs == TOLD_MAX + 1
