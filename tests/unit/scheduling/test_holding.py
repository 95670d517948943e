"""What a slave still has from an earlier session is its own again."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRun,
    Deliver,
    OwnerJoined,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.outcome import DIED, FINISHED

BEFORE, BACK, OTHER = 9, 1, 2


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with the tasks 1 to 3, which a lost slave had; it is back, and another is there."""
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "application"))
    ledger.apply(TasksSubmitted(1, 10, [b"a", b"b", b"c"]))
    ledger.apply(SlaveJoined(BEFORE, "back", workers=2, window=4))
    ledger.assign(BEFORE, 3)
    ledger.apply(SlaveLost(BEFORE, "silent"))
    ledger.apply(SlaveJoined(BACK, "back", workers=2, window=4))
    ledger.apply(SlaveJoined(OTHER, "other", workers=2, window=4))
    return ledger


def test_what_a_slave_has_is_given_to_nobody_else(ledger: Ledger) -> None:
    assert ledger.apply(SlaveHolding(BACK, [1], [2])) == []
    assert list(ledger.slaves[BACK].held) == [1, 2]
    (send,) = ledger.assign(OTHER, 5)
    assert send.numbers == [3]  # type: ignore[union-attr]
    done = TasksDone(BACK, [2, 1], [FINISHED] * 2, [b"B", b"A"])
    assert ledger.apply(done)[-1] == Deliver(1, [11, 10], [FINISHED] * 2, [b"B", b"A"], up_to=2)


def test_what_is_not_open_any_more_is_dropped(ledger: Ledger) -> None:
    assert ledger.apply(SlaveHolding(BACK, [1, 77, 78], [79])) == [CancelRun(BACK, [77, 78])]
    assert list(ledger.slaves[BACK].held) == [1]


@pytest.mark.parametrize("brings_it", [True, False])
def test_of_a_task_that_another_slave_has_by_now_the_first_outcome_counts(
    ledger: Ledger, *, brings_it: bool
) -> None:
    ledger.assign(OTHER, 1)
    running, finished = ([], [1]) if brings_it else ([1], [])
    assert ledger.apply(SlaveHolding(BACK, running, finished)) == []
    assert list(ledger.slaves[OTHER].held) == [1]
    commands = ledger.apply(TasksDone(BACK, [1], [FINISHED], [b"A"]))
    assert CancelRun(OTHER, [1]) in commands
    assert commands[-1] == Deliver(1, [10], [FINISHED], [b"A"], up_to=1)


@pytest.mark.parametrize("place", [TaskState.PUSHED, TaskState.REFUSED])
def test_a_task_is_taken_up_wherever_it_is(ledger: Ledger, place: TaskState) -> None:
    if place is TaskState.PUSHED:
        ledger.offer(3)
    else:
        ledger.assign(OTHER, 3)
        ledger.apply(TasksReturned(OTHER, [1, 2, 3]))
    assert ledger.task_by_number[2].state is place
    ledger.apply(SlaveHolding(BACK, [2], []))
    assert list(ledger.slaves[BACK].held) == [2]
    assert (len(ledger.pushed), ledger.refusals.waiting_count) in ((2, 0), (0, 2))


def test_the_death_of_a_worker_meanwhile_uses_up_an_attempt(ledger: Ledger) -> None:
    ledger.apply(SlaveHolding(BACK, [], [1]))
    ledger.apply(TasksDone(BACK, [1], [DIED], [b"killed"]))
    assert len(ledger.task_by_number[1].evidence) == 1


@pytest.mark.parametrize("place", [TaskState.QUEUED, TaskState.HELD, TaskState.REFUSED])
@pytest.mark.parametrize("brings_it", [True, False])
def test_a_slave_gets_hold_of_nothing_by_saying_that_it_has_it(
    ledger: Ledger, place: TaskState, *, brings_it: bool
) -> None:
    ledger.apply(TasksSubmitted(1, 13, [b"d"]))
    if place is not TaskState.QUEUED:
        ledger.assign(BACK, 4)
    if place is TaskState.REFUSED:
        ledger.apply(TasksReturned(BACK, [1, 2, 3, 4]))
    assert ledger.task_by_number[4].state is place
    running, finished = ([], [4]) if brings_it else ([4], [])
    refusal = [] if brings_it else [CancelRun(OTHER, [4])]
    assert ledger.apply(SlaveHolding(OTHER, running, finished)) == refusal
    assert ledger.slaves[OTHER].held == {}
    for status in (FINISHED, DIED):
        assert ledger.apply(TasksDone(OTHER, [4], [status], [b"forged"])) == []
    assert ledger.task_by_number[4].state is place
    assert ledger.task_by_number[4].evidence == ()


def test_a_slave_that_is_gone_holds_nothing(ledger: Ledger) -> None:
    ledger.apply(SlaveLost(BACK, "gone"))
    assert ledger.apply(SlaveHolding(BACK, [1], [2])) == []
    assert ledger.queued_count == 3
