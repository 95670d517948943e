"""Which tasks run, as slaves tell the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRun,
    OwnerJoined,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksRunning,
    TasksSubmitted,
    TellRunning,
    TimePassed,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.status import RunningRow
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.scheduling.tasks.terms import Terms

NOW = 1000.0


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(OwnerJoined(2, "second"))
    ledger.apply(SlaveJoined(1, "left", workers=4, window=4))
    ledger.apply(SlaveJoined(2, "right", workers=4, window=4))
    ledger.apply(TasksSubmitted(1, 70, [b""] * 2))
    ledger.apply(TasksSubmitted(2, 90, [b""], Terms(name="Cube")))
    ledger.assign(1, 3)
    return ledger


def told(ledger: Ledger, slave: int, *numbers: int, run_s: float = 5.0, note: str = "") -> list[Any]:
    count = len(numbers)
    return ledger.apply(TasksRunning(slave, [*numbers], [4711] * count, [run_s] * count, [note] * count, NOW))


def rows(ledger: Ledger) -> tuple[RunningRow, ...]:
    return ledger.running.rows(ledger.slaves, NOW + 1)


def test_each_owner_is_told_once_of_its_own_tasks(ledger: Ledger) -> None:
    assert told(ledger, 1, 1, 3) == [TellRunning(1, [70]), TellRunning(2, [90])]
    assert told(ledger, 1, 1, 2, 3) == [TellRunning(1, [71])]


def test_a_row_tells_whose_task_runs_where_and_for_how_long(ledger: Ledger) -> None:
    told(ledger, 1, 3, note="its process is stopped")
    assert rows(ledger) == (
        RunningRow(
            task=3,
            name="Cube",
            owner="second",
            id=90,
            slave="left",
            worker=4711,
            run_s=6.0,
            note="its process is stopped",
        ),
    )


def test_a_slave_tells_nothing_of_the_tasks_of_others(ledger: Ledger) -> None:
    assert told(ledger, 2, 1) == []
    assert told(ledger, 7, 1) == []
    assert rows(ledger) == ()


def test_a_slave_that_runs_what_has_ended_is_told_to_drop_it(ledger: Ledger) -> None:
    assert told(ledger, 2, 55) == [CancelRun(2, [55])]


def test_what_has_ended_does_not_run(ledger: Ledger) -> None:
    told(ledger, 1, 1, 2)
    ledger.apply(TasksDone(1, [1], [FINISHED], [b""]))
    assert [row.task for row in rows(ledger)] == [2]
    assert ledger.running.count == 1
    ledger.apply(SlaveLost(1, "killed"))
    ledger.apply(TimePassed(1.0))
    assert rows(ledger) == ()


def test_an_owner_is_told_again_of_a_task_that_runs_elsewhere(ledger: Ledger) -> None:
    told(ledger, 1, 1)
    ledger.apply(SlaveLost(1, "killed"))
    ledger.assign(2, 3)
    assert told(ledger, 2, 1) == [TellRunning(1, [70])]


def test_what_is_unusual_and_then_what_runs_longest_is_shown_of_many(ledger: Ledger) -> None:
    ledger.apply(TasksSubmitted(1, 100, [b""] * 300))
    ledger.assign(2, 300)
    numbers = sorted(ledger.slaves[2].held)
    for number in numbers:
        told(ledger, 2, number, run_s=float(number))
    told(ledger, 2, numbers[0], run_s=0.0, note="its process is stopped")
    assert {row.task for row in rows(ledger)} == {numbers[0], *numbers[-99:]}
    assert ledger.running.count == 300
