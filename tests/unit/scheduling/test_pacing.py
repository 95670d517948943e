"""When a task system is pickled."""

from __future__ import annotations

import pytest

from concurrent.scheduling.owner.pacing import INTERVAL_MAX_S, STATE_BYTES_MAX, CheckpointPacing


class Clock:
    """Shows what it is set to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(pacing: CheckpointPacing, clock: Clock, cost_s: float, size_bytes: int = 100) -> str:
    began_at = clock.now
    clock.now += cost_s
    return pacing.made(began_at, size_bytes)


def test_one_that_costs_nothing_is_not_made_all_the_time(clock: Clock) -> None:
    pacing = CheckpointPacing(clock)
    made(pacing, clock, 0.0)
    assert pacing.due_in_s == pytest.approx(0.2)
    clock.now += 0.2
    assert pacing.due_in_s <= 0.0


def test_it_takes_a_twentieth_of_the_time(clock: Clock) -> None:
    pacing = CheckpointPacing(clock)
    made(pacing, clock, 0.1)
    assert pacing.due_in_s == pytest.approx(2.0)
    made(pacing, clock, 0.02)
    assert pacing.due_in_s == pytest.approx(0.4)


@pytest.mark.parametrize("cost_s", [0.3, 4.0, 100.0])
def test_it_is_made_every_five_seconds_whatever_it_costs(clock: Clock, cost_s: float) -> None:
    pacing = CheckpointPacing(clock)
    made(pacing, clock, cost_s)
    assert pacing.due_in_s == pytest.approx(INTERVAL_MAX_S)


def test_what_costs_too_much_is_said_once(clock: Clock) -> None:
    pacing = CheckpointPacing(clock)
    assert made(pacing, clock, 0.24) == ""
    assert made(pacing, clock, 0.5) == "takes 0.5 s of every 5"
    assert made(pacing, clock, 0.5) == ""


def test_what_is_too_large_is_said_once(clock: Clock) -> None:
    pacing = CheckpointPacing(clock)
    assert made(pacing, clock, 0.0, STATE_BYTES_MAX) == ""
    assert made(pacing, clock, 1.0, STATE_BYTES_MAX + (1 << 20)) == "has 65 MiB and takes 1.0 s of every 5"
    assert made(pacing, clock, 1.0, STATE_BYTES_MAX + (1 << 20)) == ""
