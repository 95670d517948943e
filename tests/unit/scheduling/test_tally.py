"""How far a job is with its task systems, while they are there, when they have left, and at the next master."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    JobHeld,
    JobNoted,
    JobReleased,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Record,
    Recordable,
    SessionAttached,
    SlaveJoined,
    SystemEnded,
    SystemPushed,
    SystemTaken,
    TasksDone,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.failures import Failure
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.tally import JobTally, failures_of, tally_of
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED

JOB, SYSTEM, SLAVE = 1, 2, 9


class Master:
    """A ledger with a job and its task system, and what it recorded."""

    def __init__(self, rows: list[Recordable] | None = None) -> None:
        self.rows: list[Recordable] = rows or []
        self.ledger = Ledger(is_recorded=True, read_failure=lambda payload: Failure("Error", payload.decode()))
        self.ledger.restore(self.rows)

    def apply(self, event: Any) -> None:
        self.rows += [one.what for one in self.ledger.apply(event) if isinstance(one, Record)]

    def restarted(self) -> Master:
        left = {row.owner for row in self.rows if isinstance(row, OwnerLeft)}
        return Master([row for row in self.rows if getattr(row, "owner", 0) not in left])

    def work(self, owner: int, statuses: list[int], *, open_count: int = 0) -> None:
        """Have tasks of an owner end in these ways, and some stay open."""
        job = self.ledger.owners[owner]
        self.apply(TasksSubmitted(owner, job.next_id, [b"task"] * (len(statuses) + open_count)))
        self.ledger.assign(SLAVE, len(statuses))
        numbers = list(self.ledger.slaves[SLAVE].held)
        self.apply(TasksDone(SLAVE, numbers, statuses, [b"text"] * len(statuses)))

    @property
    def tally(self) -> JobTally:
        job = self.ledger.owners[JOB]
        assert job.life is not None
        return tally_of(job, job.life, self.ledger.owners)

    @property
    def failures(self) -> list[Any]:
        life = self.ledger.owners[JOB].life
        assert life is not None
        return failures_of(life, self.ledger.owners)

    def hold_for(self, unfit: str) -> str:
        life = self.ledger.owners[JOB].life
        assert life is not None
        return life.why_held(unfit)


@pytest.fixture
def master() -> Master:
    made = Master()
    made.apply(SlaveJoined(SLAVE, "slave", workers=9, window=99))
    made.apply(OwnerJoined(JOB, "job", JobSpec(keep_s=100.0)))
    made.apply(OwnerJoined(SYSTEM, "system", JobSpec(kind="system", keep_s=1.0)))
    made.apply(SystemPushed(SYSTEM, JOB, 1, 0, b"system"))
    return made


def counts(tally: JobTally) -> tuple[int, ...]:
    of = tally.counts
    return tally.pushed, tally.open, of.finished, of.failed, of.cancelled


def test_tasks_of_a_system_count_for_its_job(master: Master) -> None:
    master.work(JOB, [FINISHED])
    master.work(SYSTEM, [FINISHED, FAILED], open_count=2)
    assert counts(master.tally) == (5, 2, 2, 1, 0)
    assert master.failures == [("", "Error", 1, "text")]
    assert counts(master.restarted().tally) == (5, 2, 2, 1, 0)


def test_what_a_system_leaves_open_counts_as_cancelled(master: Master) -> None:
    master.work(SYSTEM, [FINISHED], open_count=3)
    master.apply(SystemEnded(SYSTEM, FINISHED, b"result"))
    assert counts(master.tally) == counts(master.restarted().tally) == (4, 0, 1, 0, 3)


def test_its_result_is_unread_until_it_was_taken_and_then_its_counts_stay(master: Master) -> None:
    master.work(SYSTEM, [FINISHED, FAILED], open_count=1)
    master.apply(TimePassed(1.0, 1e9))
    master.apply(SystemTaken(SYSTEM))
    assert SYSTEM in master.ledger.owners, "it has not ended"
    master.apply(SystemEnded(SYSTEM, FINISHED, b"result"))
    assert master.tally.unread == 1
    master.apply(SystemTaken(SYSTEM))
    for one in (master, master.restarted(), master.restarted().restarted()):
        assert SYSTEM not in one.ledger.owners
        assert (counts(one.tally), one.tally.unread) == ((3, 0, 1, 1, 1), 0)
        assert one.tally.first_run_at == 1e9
        assert one.failures == [("", "Error", 1, "text")]


def test_how_tasks_failed_is_kept_when_their_outcomes_were_consumed(master: Master) -> None:
    master.work(JOB, [FAILED])
    master.apply(OutcomesConsumed(JOB, 1))
    kinds = [type(row) for row in master.rows]
    assert kinds.index(JobNoted) < kinds.index(OutcomesConsumed)
    assert master.restarted().failures == [("", "Error", 1, "text")]


def test_a_hold_and_a_release_are_there_at_the_next_master(master: Master) -> None:
    master.apply(JobReleased(JOB))
    assert not any(isinstance(row, JobReleased) for row in master.rows), "it was not held"
    master.apply(JobHeld(JOB, "somebody wants that"))
    assert master.restarted().hold_for("") == "somebody wants that"
    master.apply(JobHeld(JOB, "another Python", is_unfit=True))
    assert master.restarted().hold_for("another Python") == "another Python"
    assert master.restarted().hold_for("") == "", "a master that fits runs it"
    master.apply(JobReleased(JOB))
    assert master.restarted().hold_for("another Python") == "", "it was released from that"
    assert master.restarted().hold_for("a third Python") == "a third Python"


def test_a_session_does_not_release_a_job(master: Master) -> None:
    master.apply(JobHeld(JOB, "somebody wants that"))
    master.apply(SessionAttached(JOB))
    assert master.restarted().hold_for("") == "somebody wants that"
