"""A ledger that is told again what a journal has kept."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.scheduling.ledger.events import (
    CodeDefined,
    Deliver,
    ForgetJob,
    JobBegun,
    JobClosed,
    JobNoted,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Recall,
    Record,
    Recordable,
    SessionAttached,
    SlaveJoined,
    SystemEnded,
    SystemPushed,
    TasksDone,
    TasksEnded,
    TasksNamed,
    TasksRenumbered,
    TasksSubmitted,
    TasksTried,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec, jobspec_from
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms

FIRST = 3 << 40 | 1
URGENT = Terms(priority=9, attempts_max=2)
JOINED = OwnerJoined(1, "job", JobSpec(name="mine", keep_s=1000.0))


def told(*events: Recordable) -> Ledger:
    """Return a ledger that was told these events, with a slave."""
    ledger = Ledger(is_recorded=True, first_number=FIRST)
    ledger.restore(events)
    ledger.apply(SlaveJoined(99, "slave", workers=4, window=100))
    return ledger


def submitted(count: int, first_id: int = 0, first_number: int = 11, **other: Any) -> TasksSubmitted:
    payloads = [b"%d" % one for one in range(first_id, first_id + count)]
    return TasksSubmitted(1, first_id, payloads, first_number=first_number, **other)


def sent(ledger: Ledger) -> list[int]:
    """Return the numbers of all tasks that are given to the slave, in their order."""
    return [number for send in ledger.assign(99, 1000) for number in send.numbers]  # type: ignore[union-attr]


def test_open_tasks_go_out_in_their_order_with_their_old_numbers() -> None:
    ledger = told(JOINED, submitted(3), submitted(2, 3, 21), TasksEnded(1, [1], [FINISHED], [b"r"], 1))
    (send,) = ledger.assign(99, 10)
    assert send.numbers == [11, 13, 21, 22]  # type: ignore[union-attr]
    assert send.payloads == [b"0", b"2", b"3", b"4"]  # type: ignore[union-attr]
    assert ledger.budget.open_bytes == 4


def test_new_tasks_get_new_numbers_and_ids_go_on() -> None:
    ledger = told(JOINED, submitted(2), TasksEnded(1, [0, 1, 6], [FINISHED] * 3, [b""] * 3, 1))
    assert ledger.owners[1].next_id == 7
    ledger.apply(TasksSubmitted(1, 7, [b"new"]))
    assert sent(ledger) == [FIRST]


def test_terms_are_kept_and_those_with_a_higher_priority_go_first() -> None:
    ledger = told(JOINED, submitted(4, changes=((1, URGENT), (3, Terms()))))
    assert sent(ledger) == [12, 13, 11, 14]


def test_deaths_before_a_start_count() -> None:
    events = JOINED, submitted(1, terms=URGENT), TasksTried(1, [0], [b"attempt 1 of 2 on left: SIGSEGV"])
    ledger = told(*events)
    sent(ledger)
    (record,) = ledger.apply(TasksDone(99, [11], [DIED], [b"SIGKILL"]))
    assert isinstance(record, Record)
    assert isinstance(record.what, TasksEnded)
    assert record.what.payloads == [
        b"attempt 1 of 2 on left: SIGSEGV\0attempt 2 of 2 on slave: SIGKILL",
    ]


def test_new_numbers_count() -> None:
    ledger = told(JOINED, submitted(4), TasksRenumbered(1, [1, 77, 2], 31), TasksRenumbered(1, [2], 41))
    assert sent(ledger) == [11, 31, 41, 14]


def test_outcomes_wait_under_their_old_numbers_and_are_not_in_memory() -> None:
    events = [TasksEnded(1, [one], [FINISHED], [b"result"], 1 + one) for one in range(5)]
    ledger = told(JOINED, submitted(5), *events, OutcomesConsumed(1, 2, 5, 2, 0, 0))
    assert ledger.budget.outcome_bytes == 0
    assert ledger.apply(SessionAttached(1))[1:] == [Recall(1, 3, 3)]


def test_what_was_left_out_since_it_was_consumed_is_not_missed() -> None:
    ledger = told(
        JOINED,
        TasksTried(1, [3], [b"gone"]),
        TasksRenumbered(1, [3, 4], 31),
        TasksEnded(1, [3], [FINISHED], [b""], 4),
        TasksEnded(1, [70, 71], [FAILED, CANCELLED], [b"x", b""], 41),
        OutcomesConsumed(1, 41, 80, finished=60, failed=3, cancelled=2),
    )
    job = ledger.owners[1]
    assert (job.counts.finished, job.counts.failed, job.counts.cancelled) == (60, 3, 2)
    assert (job.next_id, job.outbox.consumed_to, job.outbox.waiting_count) == (80, 41, 1)
    sent(ledger)
    ledger.apply(TasksSubmitted(1, 80, [b"new"]))
    sent(ledger)
    (record,) = ledger.apply(TasksDone(99, [FIRST], [FINISHED], [b""]))
    assert record == Record(TasksEnded(1, [80], [FINISHED], [b""], 43))


def test_a_job_that_left_leaves_nothing() -> None:
    other = OwnerJoined(2, "other", JobSpec())
    ledger = told(JOINED, submitted(3), other, OwnerLeft(1), TasksEnded(1, [0], [FINISHED], [b""], 1))
    assert list(ledger.owners) == [2]
    assert (len(ledger.task_by_number), ledger.budget.open_bytes) == (0, 0)


def test_who_had_a_job_last_may_come_back_to_it() -> None:
    ledger = told(JOINED, SessionAttached(1, 2), SessionAttached(1, 7))
    (record,) = ledger.apply(SessionAttached(1, 7))
    assert record == Record(SessionAttached(1, 8))


def test_a_plain_program_has_a_while_to_come_back() -> None:
    ledger = told(OwnerJoined(1, "job", JobSpec()), submitted(2))
    commands: list[Any] = []
    for second in range(70):
        commands += ledger.apply(TimePassed(float(second), 1e9))
    assert [type(one) for one in commands] == [Record, ForgetJob]
    assert not ledger.task_by_number


def test_the_time_without_a_master_counts_for_a_job_that_has_ended() -> None:
    events = JOINED, submitted(1), TasksEnded(1, [0], [FINISHED], [b""], 1), JobClosed(1, "finished", 1e9)
    ledger = told(*events)
    forgotten = [ledger.apply(TimePassed(now, 1e9 + 800 + now)) for now in (0.0, 1.0, 150.0)]
    assert not any(isinstance(one, ForgetJob) for commands in forgotten for one in commands)
    assert any(isinstance(one, ForgetJob) for one in ledger.apply(TimePassed(210.0, 1e9 + 1010)))


def test_a_clock_that_was_set_back_keeps_nothing_longer() -> None:
    ledger = told(JOINED, JobClosed(1, "finished", 1e9))
    for now in (0.0, 1.0, 990.0):
        ledger.apply(TimePassed(now, 10.0 + now))
    assert 1 in ledger.owners
    ledger.apply(TimePassed(1010.0, 1020.0))
    assert 1 not in ledger.owners


def test_what_is_known_of_a_job_besides_its_tasks_is_known_again() -> None:
    ledger = told(
        JOINED,
        CodeDefined(1, 0, b"zero"),
        CodeDefined(1, 1, b"one"),
        TasksNamed(1, 0, ["a"]),
        JobBegun(1),
        JobNoted(1, 1e9, []),
        JobClosed(1, "cancelled", 1e9 + 5),
    )
    life = ledger.owners[1].life
    assert life is not None
    assert (life.code_count, life.has_begun, life.first_run_at) == (2, True, 1e9)
    assert life.is_cancelled
    assert life.spec == jobspec_from({**JobSpec(name="mine", keep_s=1000.0).as_map(), "newer": 1})


@pytest.mark.parametrize("has_ended", [False, True])
def test_the_tasks_of_a_task_system_go_on_unless_it_has_ended(*, has_ended: bool) -> None:
    application = OwnerJoined(5, "application", JobSpec(keep_s=1000.0))
    system = OwnerJoined(1, "system", JobSpec(kind="system"))
    pushed = SystemPushed(1, application=5, system_id=0, code_count=0, payload=b"system")
    ended = (SystemEnded(1, FINISHED, b"result"),) if has_ended else ()
    ledger = told(application, system, pushed, submitted(2), *ended)
    assert sent(ledger) == ([] if has_ended else [11, 12])
    ledger.apply(OwnerLeft(5))
    assert not ledger.owners


def test_a_job_goes_on_without_its_program() -> None:
    ledger = told(JOINED, submitted(1))
    sent(ledger)
    (record,) = ledger.apply(TasksDone(99, [11], [FINISHED], [b"r"]))
    assert isinstance(record, Record)
    assert not isinstance(record, Deliver)
