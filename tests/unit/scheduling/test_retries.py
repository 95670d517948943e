"""Tasks that raised: when they are tried again, how often, and what that survives."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRequested,
    CancelRun,
    Deliver,
    JobHeld,
    JobReleased,
    OwnerJoined,
    OwnerLeft,
    Record,
    Recordable,
    SlaveAway,
    SlaveHolding,
    SlaveJoined,
    SlaveLost,
    TasksDone,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.recorded import TasksRetried
from concurrent.scheduling.tasks.outcome import (
    CANCELLED,
    DIED,
    FAILED,
    FINISHED,
    OUT_OF_MEMORY,
    RETRIABLE,
    TIMED_OUT,
    Ended,
)
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms

EPOCH = 1_790_000_000.0
EXACT = {"backoff": 2.0, "jitter": 0.0}


class Master:
    """A ledger with one slave and one job, and what it did so far."""

    def __init__(self, *, is_recorded: bool = False) -> None:
        self.ledger = Ledger(
            is_recorded=is_recorded, read_failure=lambda payload: Failure("OSError", payload.decode())
        )
        self.now = 100.0
        self.rows: list[Recordable] = []
        self.outcomes: list[tuple[int, int]] = []
        job = JobSpec(name="job", keep_s=1000.0) if is_recorded else None
        self.apply(OwnerJoined(1, "program", job))
        self.apply(SlaveJoined(1, "slave", workers=2, window=100))
        self.wait(0)

    def apply(self, event: Any) -> None:
        for command in self.ledger.apply(event):
            if isinstance(command, Record):
                self.rows.append(command.what)
            elif isinstance(command, Deliver):
                self.outcomes += zip(command.ids, command.statuses, strict=True)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.apply(TimePassed(self.now, EPOCH + self.now))

    def submit(self, count: int = 1, **terms: Any) -> None:
        self.apply(TasksSubmitted(1, self.ledger.owners[1].next_id, [b"task"] * count, Terms(**terms)))

    def given(self) -> list[int]:
        """Return the numbers of the tasks that the slave gets now."""
        return [number for send in self.ledger.assign(1, 100) for number in send.numbers]  # type: ignore[union-attr]

    def ends(self, number: int, status: int, payload: bytes = b"no route") -> None:
        self.apply(TasksDone(1, [number], [status], [payload]))
        self.wait(0)


def test_a_task_that_raised_is_tried_again_later_each_time_and_fails_in_the_end() -> None:
    master = Master()
    master.submit(retry=Retry(2, on=(OSError,), delay_s=10.0, **EXACT))
    (number,) = master.given()
    for delay_s in (10, 20):
        master.ends(number, RETRIABLE)
        master.wait(delay_s - 1)
        assert master.given() == []
        assert "waiting" in master.ledger.explain(number)
        master.wait(1)
        assert master.given() == [number]
    assert master.outcomes == []
    master.ends(number, RETRIABLE)
    assert master.outcomes == [(0, FAILED)]
    assert not master.ledger.places.retries.waiting


def test_what_the_worker_does_not_call_worth_another_try_fails_at_once() -> None:
    master = Master()
    master.submit(retry=Retry(5, on=(OSError,)))
    (number,) = master.given()
    master.ends(number, FAILED)
    assert master.outcomes == [(0, FAILED)]


def test_without_a_delay_it_is_tried_at_once() -> None:
    master = Master()
    master.submit(retry=1)
    (number,) = master.given()
    master.ends(number, RETRIABLE)
    assert master.given() == [number]
    master.ends(number, FINISHED)
    assert master.outcomes == [(0, FINISHED)]


@pytest.mark.parametrize(("status", "name"), [(TIMED_OUT, "TaskTimeout"), (OUT_OF_MEMORY, "TaskOutOfMemory")])
@pytest.mark.parametrize("is_covered", [True, False])
def test_a_limit_that_was_passed_is_tried_again_if_it_is_covered(
    status: int, name: str, *, is_covered: bool
) -> None:
    master = Master()
    on = f"concurrent.core.errors.{name}" if is_covered else "builtins.OSError"
    master.submit(retry=Retry(1, on=on))
    (number,) = master.given()
    master.ends(number, status, Ended("it ran for 5 s").payload())
    assert master.given() == ([number] if is_covered else [])
    assert master.outcomes == ([] if is_covered else [(0, status)])


def test_deaths_and_lost_slaves_cost_no_try_and_tries_no_attempt() -> None:
    master = Master()
    master.submit(retry=1, attempts_max=2)
    (number,) = master.given()
    master.ends(number, DIED, b"SIGSEGV")
    assert master.given() == [number]
    master.apply(SlaveLost(1, "gone"))
    master.apply(SlaveJoined(1, "slave", workers=2, window=100))
    assert master.given() == [number]
    master.ends(number, RETRIABLE)
    assert master.given() == [number]
    master.ends(number, DIED, b"SIGSEGV")
    assert master.outcomes == [(0, DIED)]


def test_a_task_that_waits_for_its_next_try_can_be_cancelled() -> None:
    master = Master()
    master.submit(2, retry=Retry(3, delay_s=5.0))
    for number in master.given():
        master.ends(number, RETRIABLE)
    master.apply(CancelRequested(1, [0]))
    assert master.outcomes == [(0, CANCELLED)]
    master.wait(10)
    assert len(master.given()) == 1
    master.apply(OwnerLeft(1))
    assert not master.ledger.places.retries.waiting
    master.wait(100)


def test_a_job_that_leaves_takes_what_waits_with_it() -> None:
    master = Master()
    master.submit(retry=Retry(3, delay_s=5.0))
    (number,) = master.given()
    master.ends(number, RETRIABLE)
    master.apply(OwnerLeft(1))
    master.wait(10)
    assert master.given() == []
    assert master.ledger.held_total == 0


def test_a_job_that_is_held_waits_though_the_time_has_come() -> None:
    master = Master(is_recorded=True)
    master.submit(retry=Retry(3, delay_s=5.0))
    (number,) = master.given()
    master.ends(number, RETRIABLE)
    master.apply(JobHeld(1, "another Python"))
    master.wait(10)
    assert master.given() == []
    master.apply(JobReleased(1))
    assert master.given() == [number]


def test_a_slave_that_still_has_an_earlier_attempt_drops_it() -> None:
    master = Master()
    master.submit(retry=Retry(3, delay_s=5.0))
    master.apply(SlaveJoined(2, "other", workers=1, window=1, returns=True))
    master.ledger.assign(2, 1)
    master.apply(SlaveLost(2, "silent"))
    (number,) = master.given()
    master.ends(number, RETRIABLE)
    master.apply(SlaveJoined(3, "other", workers=1, window=1, returns=True))
    assert CancelRun(3, [number]) in master.ledger.apply(SlaveHolding(3, [number], []))
    master.apply(TasksDone(3, [number], [FINISHED], [b"result"]))
    assert master.outcomes == []
    master.wait(10)
    assert master.given() == [number]


@pytest.mark.parametrize("where", ["queued", "elsewhere", "waiting"])
@pytest.mark.parametrize("status", [TIMED_OUT, OUT_OF_MEMORY])
def test_a_limit_that_a_slave_tells_of_too_late_costs_no_try(status: int, where: str) -> None:
    master = Master()
    master.apply(SlaveJoined(2, "other", workers=1, window=1, returns=True))
    master.submit(retry=Retry(1, delay_s=5.0))
    (send,) = master.ledger.assign(2, 1)
    (number,) = send.numbers  # type: ignore[union-attr]
    master.apply(SlaveAway(2))
    master.apply(SlaveLost(2, "silent"))
    if where != "queued":
        assert master.given() == [number]
    if where == "waiting":
        master.ends(number, RETRIABLE)
    master.apply(SlaveJoined(3, "other", workers=1, window=0, returns=True))
    master.apply(TasksDone(3, [number], [status], [Ended("it ran for 5 s").payload()]))
    assert master.outcomes == []
    if where == "queued":
        assert master.given() == [number]
    if where == "waiting":
        master.wait(10)
        assert master.given() == [number]
    else:
        master.ends(number, RETRIABLE)
        master.wait(10)
        assert master.given() == [number]
    master.ends(number, FINISHED)
    assert master.outcomes == [(0, FINISHED)]


def test_a_start_of_the_master_changes_neither_the_time_nor_the_count() -> None:
    first = Master(is_recorded=True)
    first.submit(2, retry=Retry(2, delay_s=50.0, **EXACT))
    (number, other) = first.given()
    first.ends(number, RETRIABLE)
    assert [type(row) for row in first.rows[-1:]] == [TasksRetried]

    second = Ledger(is_recorded=True, first_number=1 << 40)
    second.restore(first.rows)
    second.apply(SlaveJoined(5, "slave", workers=2, window=100))
    later = first.now + 49 - 1000  # its clock begins anywhere, the time of day goes on
    second.apply(TimePassed(later, EPOCH + first.now + 49))
    assert _numbers(second.assign(5, 100)) == [other]
    second.apply(TimePassed(later + 1, EPOCH + first.now + 50))
    assert _numbers(second.assign(5, 100)) == [number]
    second.apply(TasksDone(5, [number], [RETRIABLE], [b"no route"]))
    second.apply(TimePassed(later + 2, EPOCH + first.now + 51))
    second.apply(TimePassed(later + 2 + 99, EPOCH + first.now + 51 + 99))
    assert _numbers(second.assign(5, 100)) == []
    second.apply(TimePassed(later + 2 + 100, EPOCH + first.now + 51 + 100))
    assert _numbers(second.assign(5, 100)) == [number]


def test_no_try_is_early_after_a_start_because_the_time_was_told_a_while_before() -> None:
    first = Master(is_recorded=True)
    first.submit(retry=Retry(1, delay_s=50.0, **EXACT))
    (number,) = first.given()
    failed_at = EPOCH + first.now + 0.9
    first.apply(TasksDone(1, [number], [RETRIABLE], [b"no route"], at=failed_at))
    assert isinstance(first.rows[-1], TasksRetried)
    assert first.rows[-1].at == [failed_at + 50]

    second = Ledger(is_recorded=True)
    second.restore(first.rows)
    second.apply(SlaveJoined(5, "slave", workers=1, window=100))
    second.apply(TimePassed(7.0, failed_at + 49.5))
    assert _numbers(second.assign(5, 100)) == []
    second.apply(TimePassed(7.5, failed_at + 50))
    assert _numbers(second.assign(5, 100)) == [number]


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_try_is_counted_once_though_its_slave_tells_of_it_at_two_masters(*, is_stored: bool) -> None:
    first = Master(is_recorded=True)
    first.apply(SlaveJoined(2, "other", workers=1, window=1, returns=True))
    first.submit(retry=Retry(1, delay_s=50.0, **EXACT))
    (send,) = first.ledger.assign(2, 1)
    (number,) = send.numbers  # type: ignore[union-attr]
    first.apply(TasksDone(2, [number], [RETRIABLE], [b"no route"]))
    rows = first.rows if is_stored else [row for row in first.rows if not isinstance(row, TasksRetried)]

    second = Ledger(is_recorded=True, first_number=1 << 40)
    second.restore(rows)
    second.apply(SlaveJoined(5, "other", workers=1, window=1, returns=True))
    second.apply(SlaveHolding(5, [], [number]))
    second.apply(TasksDone(5, [number], [RETRIABLE], [b"no route"]))
    second.apply(TimePassed(0.0, EPOCH))
    second.apply(TimePassed(60.0, EPOCH + 60.0))
    assert _numbers(second.assign(5, 100)) == [number]
    second.apply(TasksDone(5, [number], [RETRIABLE], [b"no route"]))
    assert not second.task_by_number, "one try more was asked for"


def test_the_jitter_spreads_tries_and_is_the_same_each_time() -> None:
    def times() -> list[float]:
        master = Master(is_recorded=True)
        master.submit(20, retry=Retry(1, delay_s=100.0, jitter=0.5))
        for number in master.given():
            master.ends(number, RETRIABLE)
        return [row.at[0] - EPOCH - master.now for row in master.rows if isinstance(row, TasksRetried)]

    found = times()
    assert found == times()
    assert len(set(found)) == 20
    assert all(50 <= one <= 150 for one in found)
    assert max(found) - min(found) > 50


def _numbers(sends: Any) -> list[int]:
    return [number for send in sends for number in send.numbers]
