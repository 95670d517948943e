"""How a pool stops, and how many tasks it wants."""

from __future__ import annotations

from itertools import product

import pytest

from concurrent.scheduling.slave.pace import Pace
from concurrent.scheduling.slave.stopping import TRANSITIONS, StopEvent, Stopping, StopState
from concurrent.scheduling.slave.window import Window
from tests.unit.scheduling.slave_parts import StillLoop

IMPOSSIBLE = sorted(set(product(StopState, StopEvent)) - set(TRANSITIONS), key=str)


@pytest.fixture
def loop() -> StillLoop:
    return StillLoop()


@pytest.fixture
def kills() -> list[float]:
    """When what runs was to be killed."""
    return []


@pytest.fixture
def stopping(loop: StillLoop, kills: list[float]) -> Stopping:
    return Stopping(loop, lambda: kills.append(loop.now))  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE)
def test_what_cannot_happen_raises(stopping: Stopping, state: StopState, event: StopEvent) -> None:
    stopping._machine.state = state
    act = {
        StopEvent.STOP: lambda: stopping.begin(1.0),
        StopEvent.KILL: stopping.killing,
        StopEvent.EMPTY: lambda: stopping.end([]),
    }[event]
    with pytest.raises(AssertionError, match=f'is {state.value}, and "{event.value}" cannot happen to it'):
        act()
    assert not stopping.done.done()


def test_what_runs_has_its_time_and_is_killed_then(
    loop: StillLoop, stopping: Stopping, kills: list[float]
) -> None:
    assert not stopping.is_under_way
    assert stopping.begin(2.0)
    assert not stopping.begin(2.0)
    loop.go_on(1.5)
    assert not kills
    loop.go_on(1.0)
    assert kills
    stopping.killing()
    stopping.killing()
    assert stopping.is_under_way
    stopping.end([3, 4])
    assert stopping.done.result(0) == [3, 4]
    assert not stopping.is_under_way


def test_nothing_is_killed_once_all_have_ended(loop: StillLoop, stopping: Stopping, kills: list[float]) -> None:
    stopping.begin(2.0)
    stopping.end([])
    loop.go_on(3.0)
    assert not kills
    assert not stopping.begin(0.0)  # again does no harm
    stopping.killing()
    assert stopping.state is StopState.STOPPED


def test_a_window_is_told_when_it_has_changed_much() -> None:
    pace, told = Pace(), []
    window = Window(pace, 2, told.append)
    first = window.count
    window.look()
    assert told == []
    pace.duration_s *= 0.9
    window.look()
    assert told == []
    pace.duration_s *= 0.5
    window.look()
    assert told == [window.count]
    assert window.count > first


def test_a_window_is_told_when_nothing_more_is_to_wait_and_when_it_is_again() -> None:
    pace, told = Pace(), []
    pace.duration_s = 100.0
    window = Window(pace, 8, told.append)
    window.look(standing_count=7)
    assert told == []
    window.look(standing_count=8)
    window.look(standing_count=8)
    window.look()
    assert told == [8, 9]
