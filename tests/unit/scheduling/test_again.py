"""Tasks that somebody wants to begin at once: where they were, what is ended, and what it costs: nothing."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRun,
    Command,
    OwnerJoined,
    Record,
    Recordable,
    Send,
    SlaveJoined,
    TasksAgain,
    TasksDone,
    TasksOffered,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
    TellWaiting,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.recorded import TasksRenumbered, TasksRetried
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms

EPOCH = 1_790_000_000.0
LATER = Terms(retry=Retry(3, delay_s=3600.0, jitter=0.0))


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(is_recorded=True, tokens={"licence": 1000})
    ledger.apply(TimePassed(100.0, EPOCH))
    ledger.apply(OwnerJoined(9, "program", JobSpec()))
    ledger.apply(SlaveJoined(1, "slave-1", 2, 10))
    ledger.apply(SlaveJoined(2, "slave-2", 2, 10))
    return ledger


def submit(ledger: Ledger, count: int, terms: Terms = LATER) -> None:
    payloads: list[Any] = [b"x"] * count
    ledger.apply(TasksSubmitted(9, ledger.owners[9].next_id, payloads, terms))


def of_kind(commands: list[Command], kind: type) -> list[Any]:
    return [one for one in commands if isinstance(one, kind)]


def rows(commands: list[Command]) -> list[Recordable]:
    return [one.what for one in of_kind(commands, Record)]


def numbers_sent(commands: list[Command]) -> list[int]:
    return [number for send in of_kind(commands, Send) for number in send.numbers]


def test_one_that_waits_for_its_next_try_is_queued_at_once(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    ledger.apply(TasksDone(1, [1], [RETRIABLE], [b"raised"]))
    assert ledger.task_by_number[1].state is TaskState.WAITING
    assert rows(ledger.apply(TasksAgain([1]))) == [TasksRetried(9, [0], [1], [0.0])]
    assert numbers_sent(ledger.assign(2, 9)) == [1]
    assert ledger.task_by_number[1].tries == 1
    ledger.apply(TimePassed(5000.0, EPOCH + 5000))  # when it would have been
    assert ledger.task_by_number[1].state is TaskState.HELD


def test_one_that_runs_is_ended_and_begins_under_another_number(ledger: Ledger) -> None:
    submit(ledger, 2)
    ledger.assign(1, 1)
    ledger.apply(TasksRunning(1, [1], [4711], [2.0], [""], EPOCH))
    commands = ledger.apply(TasksAgain([1]))
    assert of_kind(commands, CancelRun) == [CancelRun(1, [1])]
    assert of_kind(commands, TellWaiting) == [TellWaiting(9, [0])]
    assert rows(commands) == [TasksRenumbered(9, [0], 3)]
    assert ledger.running.count == 0
    assert numbers_sent(ledger.assign(1, 1)) == [3], "it comes before others"
    for status in (CANCELLED, FINISHED, DIED):  # whatever becomes of the former run
        assert ledger.apply(TasksDone(1, [1], [status], [b"old"])) == []
    task = ledger.task_by_number[3]
    assert (task.client_id, task.state, task.tries, task.evidence) == (0, TaskState.HELD, 0, ())


def test_its_token_is_free_when_its_slave_has_ended_it(ledger: Ledger) -> None:
    submit(ledger, 1, Terms(resources=Claim.of({"licence": 1})))
    (lane,) = ledger.claimed_lanes
    ledger.assign(1, 1, lane)
    assert ledger.claims.tokens_given("licence") == 1000
    ledger.apply(TasksAgain([1]))
    assert ledger.claims.tokens_given("licence") == 1000
    ledger.apply(TasksDone(1, [1], [CANCELLED], [b""]))
    assert ledger.claims.tokens_given("licence") == 0
    assert not ledger.slaves[1].claimed.places


def test_one_that_slaves_have_refused_may_go_to_them_again(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    ledger.apply(TasksReturned(1, [1]))
    assert ledger.task_by_number[1].state is TaskState.REFUSED
    assert ledger.apply(TasksAgain([1])) == []
    assert numbers_sent(ledger.assign(1, 9)) == [1]


def test_those_that_wait_for_a_slave_stay_as_they_are(ledger: Ledger) -> None:
    submit(ledger, 3)
    ledger.apply(TasksOffered(1))
    assert ledger.apply(TasksAgain([1, 2, 77])) == []
    assert (list(ledger.pushed), ledger.queued_count) == ([1], 2)


def test_a_copy_that_a_lost_slave_may_have_is_dropped(ledger: Ledger) -> None:
    submit(ledger, 1)
    ledger.assign(1, 1)
    ledger.places.move(ledger.slaves[1], [ledger.task_by_number[1]])
    ledger.assign(2, 1)
    commands = ledger.apply(TasksAgain([1]))
    assert {one.slave: one.numbers for one in of_kind(commands, CancelRun)} == {1: [1], 2: [1]}
    assert ledger.apply(TasksDone(1, [1], [FINISHED], [b"old"])) == []


def test_after_a_restart_it_is_queued_at_once_too(ledger: Ledger) -> None:
    kept: list[Recordable] = [OwnerJoined(9, "program", JobSpec())]
    kept += [TasksSubmitted(9, 0, [b"x"], LATER, first_number=1)]
    kept += [TasksRetried(9, [0], [1], [EPOCH + 3600]), TasksRetried(9, [0], [1], [0.0])]
    after = Ledger(is_recorded=True, first_number=1 << 40)
    after.restore(kept)
    after.apply(SlaveJoined(5, "slave", 1, 5))
    after.apply(TimePassed(1.0, EPOCH + 1))
    assert numbers_sent(after.assign(5, 9)) == [1]
