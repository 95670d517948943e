"""Jobs that outlive their sessions: who goes on with them, and when they are held, closed and forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import JobTaken, SchedulingError
from concurrent.scheduling.ledger.events import (
    Command,
    Deliver,
    ForgetJob,
    JobBegun,
    JobCancelled,
    JobClosed,
    JobHeld,
    JobNoted,
    JobReleased,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Recall,
    Record,
    SessionAttached,
    SessionDetached,
    SlaveJoined,
    SystemEnded,
    SystemPushed,
    SystemStepped,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
    TellUnread,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.schedulers.admission import let_in
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED

KEEP_S = 1000.0


class Master:
    """A ledger, its clock, and what it wanted done."""

    def __init__(self) -> None:
        self.ledger = Ledger(is_recorded=True, return_s=60.0)
        self.now = 0.0
        self.said: list[Command] = []
        self.apply(SlaveJoined(9, "slave", workers=1, window=10))

    def apply(self, event: Any) -> list[Command]:
        commands = self.ledger.apply(event)
        self.said += commands
        return commands

    def wait(self, seconds: int) -> list[Command]:
        """Return what the ledger wants while time passes."""
        commands: list[Command] = []
        for _ in range(seconds):
            self.now += 1
            commands += self.apply(TimePassed(self.now, 1e9 + self.now))
        return commands

    def begin(self, **asked: Any) -> None:
        self.apply(OwnerJoined(1, "job", JobSpec(job_id="j", **asked)))

    def run(self, count: int) -> list[Command]:
        """Have so many tasks pushed and finished."""
        first_id = self.ledger.owners[1].next_id
        self.apply(TasksSubmitted(1, first_id, [b"task"] * count))
        self.ledger.assign(9, count)
        numbers = list(self.ledger.slaves[9].held)
        return self.apply(TasksDone(9, numbers, [FINISHED] * count, [b"result"] * count))

    def recorded(self, kind: type) -> list[Any]:
        return [one.what for one in self.said if isinstance(one, Record) and isinstance(one.what, kind)]


@pytest.fixture
def master() -> Master:
    return Master()


def push_system(master: Master) -> None:
    """Have a task system begin, as owner 2, that belongs to job 1."""
    master.apply(OwnerJoined(2, "system", JobSpec(kind="system")))
    master.apply(SystemPushed(2, application=1, system_id=5, code_count=0, payload=b"system"))


def of(kind: type, commands: list[Command]) -> list[Any]:
    """Return the commands of one kind."""
    return [one for one in commands if isinstance(one, kind)]


def test_the_newest_session_may_come_back_and_no_other(master: Master) -> None:
    master.begin()
    master.apply(SessionDetached(1))
    master.apply(SessionAttached(1, attachment=1))
    master.apply(SessionAttached(1))  # another program takes the job over
    with pytest.raises(JobTaken):
        master.apply(SessionAttached(1, attachment=2))
    master.apply(SessionAttached(1, attachment=3))
    assert [one.attachment for one in master.recorded(SessionAttached)] == [2, 3, 4]


def test_a_job_that_is_not_kept_waits_a_while_for_its_program(master: Master) -> None:
    master.begin()
    master.apply(TasksSubmitted(1, 0, [b"task"]))
    master.apply(SessionDetached(1))
    assert of(ForgetJob, master.wait(60)) == []
    (forgotten,) = of(ForgetJob, master.wait(5))
    assert (forgotten.owner, forgotten.name) == (1, "job")
    assert "within 60 s" in forgotten.reason
    assert master.recorded(OwnerLeft) == [OwnerLeft(1)]
    assert not master.ledger.task_by_number


def test_a_program_that_comes_back_in_time_may_be_lost_again(master: Master) -> None:
    master.begin()
    for _ in range(3):
        master.apply(SessionDetached(1))
        master.wait(50)
        master.apply(SessionAttached(1, attachment=master.ledger.owners[1].life.attachment))  # type: ignore[union-attr]
        master.wait(50)
    assert of(ForgetJob, master.said) == []


def test_a_task_system_is_not_waited_for(master: Master) -> None:
    master.begin()
    push_system(master)
    master.apply(SessionDetached(2))
    master.wait(200)
    assert 2 in master.ledger.owners


def test_a_task_system_without_an_application_is_forgotten(master: Master) -> None:
    master.apply(OwnerJoined(2, "system", JobSpec(kind="system")))
    master.wait(2)
    assert 2 in master.ledger.owners
    master.apply(SessionDetached(2))
    assert [one.owner for one in of(ForgetJob, master.wait(2))] == [2]


def test_a_kept_job_goes_on_without_its_program_and_ends_when_nothing_is_open(master: Master) -> None:
    master.begin(keep_s=KEEP_S)
    master.apply(JobBegun(1))
    master.apply(TasksSubmitted(1, 0, [b"task"]))
    master.apply(SessionDetached(1))
    master.wait(500)
    assert master.recorded(JobClosed) == []
    master.ledger.assign(9, 1)
    master.apply(TasksDone(9, [1], [FINISHED], [b""]))
    master.wait(1)
    (closed,) = master.recorded(JobClosed)
    assert (closed.how, closed.at) == ("finished", 1e9 + 501)


def test_a_job_is_over_as_soon_as_its_program_has_left_it_with_nothing_open(master: Master) -> None:
    master.begin(keep_s=KEEP_S, kind="executor")
    master.run(1)
    master.wait(1)
    master.apply(SessionDetached(1))
    assert master.ledger.deadline == 0.0  # at once
    master.apply(TimePassed(master.now, 1e9 + master.now))
    assert [one.how for one in master.recorded(JobClosed)] == ["finished"]


def test_a_job_with_an_open_task_system_has_not_ended(master: Master) -> None:
    master.begin(keep_s=KEEP_S)
    master.apply(JobBegun(1))
    push_system(master)
    master.apply(SessionDetached(1))
    master.wait(100)
    assert master.recorded(JobClosed) == []
    master.apply(SystemEnded(2, FINISHED, b""))
    master.wait(2)
    assert len(master.recorded(JobClosed)) == 1


def test_a_task_system_goes_with_its_application(master: Master) -> None:
    master.begin()
    push_system(master)
    master.apply(TasksSubmitted(2, 0, [b"task"]))
    commands = master.apply(OwnerLeft(1))
    assert master.recorded(OwnerLeft) == [OwnerLeft(1), OwnerLeft(2)]
    assert of(ForgetJob, commands) == [ForgetJob(2, "system", "its application has left", 0)]
    assert not master.ledger.task_by_number
    assert not master.ledger.owners


def test_a_task_system_may_leave_before_its_application(master: Master) -> None:
    master.begin()
    push_system(master)
    master.apply(OwnerLeft(2))
    master.apply(OwnerLeft(1))
    assert master.recorded(OwnerLeft) == [OwnerLeft(2), OwnerLeft(1)]


def test_a_program_that_was_cut_off_while_it_began_is_said_to_be_lost(master: Master) -> None:
    master.begin(keep_s=KEEP_S)
    master.run(1)
    master.apply(SessionDetached(1))
    master.wait(60)
    assert master.recorded(JobClosed) == []
    master.wait(5)
    assert [one.how for one in master.recorded(JobClosed)] == ["lost"]


def test_a_kept_job_is_forgotten_in_time_and_what_was_not_read_is_told_before(master: Master) -> None:
    master.begin(keep_s=KEEP_S, kind="executor")
    master.run(3)
    master.apply(OutcomesConsumed(1, 1))
    master.apply(SessionDetached(1))
    told = master.wait(902)
    assert of(TellUnread, told) == [TellUnread(1, 2, 100.0)]
    assert of(ForgetJob, told) == []
    (forgotten,) = of(ForgetJob, master.wait(100))
    assert forgotten.unread_count == 2


def test_nothing_is_told_of_a_job_that_was_read(master: Master) -> None:
    master.begin(keep_s=KEEP_S, kind="executor")
    master.run(3)
    master.apply(OutcomesConsumed(1, 3))
    master.apply(SessionDetached(1))
    told = master.wait(1002)
    assert of(TellUnread, told) == []
    assert len(of(ForgetJob, told)) == 1


def test_a_session_opens_a_job_again_that_had_ended(master: Master) -> None:
    master.begin(keep_s=KEEP_S, kind="executor")
    master.apply(SessionDetached(1))
    master.wait(900)
    master.apply(SessionAttached(1))
    master.wait(200)
    assert [type(one) for one in master.run(1)] == [Record, Deliver]
    master.apply(SessionDetached(1))
    assert of(ForgetJob, master.wait(900)) == []


def test_a_cancelled_job_takes_nothing_more_and_keeps_its_outcomes(master: Master) -> None:
    master.begin(keep_s=KEEP_S)
    master.run(1)
    master.apply(TasksSubmitted(1, 1, [b"waits", b"runs"]))
    master.ledger.assign(9, 1)
    (delivered,) = of(Deliver, master.apply(JobCancelled(1)))
    assert delivered.statuses == [CANCELLED] * 2
    assert [one.how for one in master.recorded(JobClosed)] == ["cancelled"]
    master.apply(SessionAttached(1))
    master.apply(TasksSubmitted(1, 3, [b"late"]))
    assert master.ledger.assign(9, 5) == []
    master.wait(2)
    assert not master.ledger.task_by_number
    assert master.ledger.owners[1].counts.cancelled == 3


def test_nothing_of_a_held_job_is_given_to_slaves(master: Master) -> None:
    ledger = master.ledger
    master.begin()
    master.apply(OwnerJoined(2, "other"))
    master.apply(TasksSubmitted(1, 0, [b"before"]))
    master.apply(JobHeld(1, "another Python"))
    master.apply(TasksSubmitted(1, 1, [b"after"]))
    assert (ledger.queued_count, ledger.status().queued) == (0, 2)
    assert ledger.lanes == []
    lane = next(iter(ledger.owners[1].lanes))
    assert ledger.assign(9, 5) == ledger.assign(9, 5, lane) == ledger.offer(5) == let_in(ledger) == []
    master.apply(TasksSubmitted(2, 0, [b"other"]))
    assert [one.numbers for one in ledger.assign(9, 5)] == [[3]]  # type: ignore[union-attr]
    master.apply(JobReleased(1))
    assert [one.numbers for one in ledger.assign(9, 5)] == [[1, 2]]  # type: ignore[union-attr]


def test_what_slaves_refused_of_a_held_job_is_given_to_nobody(master: Master) -> None:
    ledger = master.ledger
    master.begin()
    master.apply(TasksSubmitted(1, 0, [b"refused", b"held"]))
    ledger.assign(9, 2)
    master.apply(TasksReturned(9, [1]))
    master.apply(SlaveJoined(10, "other", workers=1, window=10))
    master.apply(JobHeld(1, "another Python"))
    assert ledger.pass_on() == []
    master.apply(TasksReturned(9, [2]))
    assert ledger.pass_on() == []
    assert ledger.assign(10, 5) == []
    master.apply(JobReleased(1))
    (send,) = ledger.assign(10, 5)
    assert sorted(send.numbers) == [1, 2]  # type: ignore[union-attr]


def test_it_is_recorded_when_the_first_task_ran(master: Master) -> None:
    master.begin()
    master.wait(10)
    assert master.recorded(JobNoted) == []
    master.run(1)
    master.wait(10)
    assert master.recorded(JobNoted) == [JobNoted(1, 1e9 + 11, [])]


def test_without_a_journal_nothing_outlives_a_session() -> None:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "job", JobSpec(keep_s=KEEP_S)))
    ledger.apply(SessionDetached(1))
    for second in range(2000):
        assert ledger.apply(TimePassed(float(second), 1e9)) == []


def test_a_program_that_never_heard_of_its_last_session_comes_back_with_the_one_before(master: Master) -> None:
    master.begin()
    master.apply(SessionAttached(1, attachment=1, node="ann"))
    master.apply(SessionAttached(1, attachment=1, node="ann"))
    with pytest.raises(JobTaken):
        master.apply(SessionAttached(1, attachment=2, node="bob"))
    with pytest.raises(JobTaken):
        master.apply(SessionAttached(1, attachment=1, node="ann"))


def test_what_a_task_system_has_dealt_with_is_consumed_when_a_step_says_so(master: Master) -> None:
    master.begin(kind="system")
    master.run(5)
    master.apply(OutcomesConsumed(1, 4))
    assert master.recorded(OutcomesConsumed) == []
    step = SystemStepped(1, b"state", consumed_to=3, next_id=5)
    master.apply(step)
    assert master.recorded(SystemStepped) == [step]
    assert [one.up_to for one in master.recorded(OutcomesConsumed)] == [3]
    master.apply(SessionDetached(1))
    (recall,) = of(Recall, master.apply(SessionAttached(1)))
    assert (recall.first, recall.count) == (4, 2)


def test_a_step_of_what_was_not_there_is_refused(master: Master) -> None:
    master.begin(kind="system")
    master.run(1)
    with pytest.raises(SchedulingError, match="outcome 2 was consumed"):
        master.apply(SystemStepped(1, b"state", consumed_to=2, next_id=5))
