"""Slaves that were cut off, and those from before a start of the master, have again what they have."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRequested,
    CancelRun,
    Command,
    Deliver,
    OwnerJoined,
    Record,
    Recordable,
    Send,
    SlaveAway,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    SlavesGone,
    TasksDone,
    TasksSubmitted,
    TasksTried,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import DIED, FINISHED

AWAY, OTHER, BACK = 1, 2, 3


def join(ledger: Ledger, slave: int, name: str) -> list[Command]:
    return ledger.apply(SlaveJoined(slave, name, workers=2, window=4, returns=True))


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with three tasks at a slave that is cut off, and another slave."""
    ledger = Ledger(is_recorded=True)
    ledger.apply(OwnerJoined(1, "application", JobSpec()))
    ledger.apply(TasksSubmitted(1, 0, [b"a", b"b", b"c"]))
    join(ledger, AWAY, "away")
    join(ledger, OTHER, "other")
    ledger.assign(AWAY, 3)
    ledger.apply(SlaveAway(AWAY))
    return ledger


def wait(ledger: Ledger, start: int, end: int) -> list[Command]:
    commands: list[Command] = []
    for second in range(start, end):
        commands += ledger.apply(TimePassed(float(second)))
    return commands


def sent(commands: list[Any]) -> list[tuple[int, list[int]]]:
    return [(one.slave, one.numbers) for one in commands if isinstance(one, Send)]


def test_a_slave_that_is_back_goes_on_with_what_it_has_and_the_rest_goes_to_others(ledger: Ledger) -> None:
    join(ledger, BACK, "away")  # before its former session was given up
    assert ledger.apply(SlaveHolding(BACK, [1], [3])) == []
    assert list(ledger.slaves[BACK].held) == [1, 3]
    assert ledger.apply(SlaveLost(AWAY, "silent")) == [Record(SlaveLost(AWAY, ""))]
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [2])]
    done = ledger.apply(TasksDone(BACK, [3, 1], [FINISHED] * 2, [b"C", b"A"]))
    assert [one.ids for one in done if isinstance(one, Deliver)] == [[2, 0]]


def test_so_does_one_that_was_given_up_before(ledger: Ledger) -> None:
    ledger.apply(SlaveLost(AWAY, "silent"))
    join(ledger, BACK, "away")
    ledger.apply(SlaveHolding(BACK, [1], [3]))
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [2])]


def test_what_was_cancelled_meanwhile_is_cancelled_there_too(ledger: Ledger) -> None:
    ledger.apply(CancelRequested(1, [1]))
    join(ledger, BACK, "away")
    assert ledger.apply(SlaveHolding(BACK, [1, 2], [3])) == [CancelRun(BACK, [2])]


def test_when_it_comes_too_late_the_first_outcome_counts(ledger: Ledger) -> None:
    ledger.apply(SlaveLost(AWAY, "silent"))
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [1, 2, 3])]
    join(ledger, BACK, "away")
    ledger.apply(SlaveHolding(BACK, [1], [2]))
    commands = ledger.apply(TasksDone(BACK, [2], [FINISHED], [b"B"]))
    assert CancelRun(OTHER, [2]) in commands
    assert isinstance(commands[-1], Deliver)


def test_a_slave_that_cannot_come_back_is_not_recorded() -> None:
    ledger = Ledger(is_recorded=True)
    assert ledger.apply(SlaveJoined(1, "slave", workers=1, window=1)) == []
    assert ledger.apply(SlaveLost(1, "gone")) == []


def restarted(*names: str) -> Ledger:
    """Return a ledger that was told of four open tasks and of these slaves; another slave joins."""
    events: list[Recordable] = [OwnerJoined(1, "application", JobSpec())]
    events += [SlaveJoined(10 + index, name, 0, 0, returns=True) for index, name in enumerate(names)]
    events += [TasksSubmitted(1, 0, [b"a", b"b", b"c", b"d"], first_number=21)]
    ledger = Ledger(is_recorded=True, first_number=1 << 40)
    ledger.restore(events)
    join(ledger, OTHER, "other")
    return ledger


def test_after_a_start_tasks_from_before_wait_until_all_slaves_are_back() -> None:
    ledger = restarted("left", "right")
    wait(ledger, 0, 2)
    join(ledger, 31, "left")
    assert ledger.apply(SlaveHolding(31, [22], [])) == [Record(SlaveLost(10, ""))]
    assert ledger.assign(OTHER, 9) == []
    join(ledger, 32, "right")
    assert ledger.apply(SlaveHolding(32, [77], [24])) == [Record(SlaveLost(11, "")), CancelRun(32, [77])]
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [21, 23])]


def test_new_jobs_do_not_wait_for_slaves() -> None:
    ledger = restarted("left")
    ledger.apply(OwnerJoined(2, "new", JobSpec()))
    ledger.apply(TasksSubmitted(2, 0, [b"new"]))
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [1 << 40])]


def test_without_known_slaves_nothing_waits() -> None:
    assert sent(restarted().assign(OTHER, 9)) == [(OTHER, [21, 22, 23, 24])]


def test_slaves_that_are_gone_are_not_waited_for() -> None:
    ledger = restarted("own", "local", "far")
    assert ledger.apply(SlavesGone(["own", "local"])) == [Record(SlaveLost(10, "")), Record(SlaveLost(11, ""))]
    assert ledger.assign(OTHER, 9) == []
    ledger.apply(SlavesGone(["far"]))
    assert sent(ledger.assign(OTHER, 9)) == [(OTHER, [21, 22, 23, 24])]


def test_tasks_wait_only_a_short_while_and_a_slave_may_still_come_back() -> None:
    ledger = restarted("late")
    wait(ledger, 0, 7)
    assert sent(ledger.assign(OTHER, 2)) == [(OTHER, [21, 22])]
    join(ledger, 31, "late")
    ledger.apply(SlaveHolding(31, [22, 23], []))
    assert list(ledger.slaves[31].held) == [23]
    commands = ledger.apply(TasksDone(31, [22], [FINISHED], [b"B"]))
    assert commands[0] == CancelRun(OTHER, [22])


def test_after_a_start_a_new_slave_is_not_taken_at_its_word_and_a_known_one_of_new_tasks_neither() -> None:
    ledger = restarted("known")
    ledger.apply(TasksSubmitted(1, 4, [b"new"]))
    assert ledger.apply(SlaveHolding(OTHER, [21], [22])) == [CancelRun(OTHER, [21])]
    assert ledger.slaves[OTHER].held == {}
    join(ledger, 31, "known")
    assert CancelRun(31, [1 << 40]) in ledger.apply(SlaveHolding(31, [21, 1 << 40], []))
    assert list(ledger.slaves[31].held) == [21]


def test_a_slave_that_never_comes_back_is_forgotten() -> None:
    ledger = restarted("never")
    assert Record(SlaveLost(10, "")) in wait(ledger, 0, 70)


def test_a_death_that_is_said_again_takes_nothing_from_a_slave_that_has_the_task_again(ledger: Ledger) -> None:
    join(ledger, BACK, "away")
    ledger.apply(SlaveHolding(BACK, [1, 3], [2]))
    ledger.apply(SlaveLost(OTHER, "gone"))
    died = TasksDone(BACK, [2], [DIED], [b"SIGSEGV of 77"])
    ledger.apply(died)
    assert sent(ledger.assign(BACK, 9)) == [(BACK, [2])]
    ledger.apply(SlaveAway(BACK))
    join(ledger, 4, "away")
    ledger.apply(SlaveHolding(4, [1, 2, 3], [2]))
    died.slave = 4
    assert ledger.apply(died) == []
    assert sorted(ledger.slaves[4].held) == [1, 2, 3]


def test_a_death_that_is_said_again_uses_up_no_attempt(ledger: Ledger) -> None:
    join(ledger, BACK, "away")
    ledger.apply(SlaveHolding(BACK, [1], [2]))
    died = TasksDone(BACK, [2], [DIED], [b"SIGSEGV of 77"])
    assert [type(one.what) for one in ledger.apply(died) if isinstance(one, Record)] == [TasksTried]
    ledger.apply(SlaveAway(BACK))  # before it heard that this is kept
    again = 4
    join(ledger, again, "away")
    ledger.apply(SlaveHolding(again, [1], [2]))
    died.slave = again
    assert ledger.apply(died) == []
    assert len(ledger.task_by_number[2].evidence) == 1
    ledger.assign(again, 9)
    ledger.pass_on()
    died.slave = ledger.task_by_number[2].slave
    ledger.apply(died)
    assert len(ledger.task_by_number[2].evidence) == 2
