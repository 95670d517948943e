"""Tasks that may be open for so long only."""

from __future__ import annotations

from concurrent.scheduling.ledger.events import (
    CancelRun,
    Deliver,
    OwnerJoined,
    OwnerLeft,
    SlaveJoined,
    TasksDone,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import FINISHED, RETRIABLE, TIMED_OUT, Ended
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms

EPOCH = 1_790_000_000.0
FIVE = Terms(deadline_s=5.0)


def new_ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "program"))
    ledger.apply(SlaveJoined(1, "slave", workers=2, window=2))
    ledger.apply(TimePassed(100.0, EPOCH))
    return ledger


def delivered(commands: list[object]) -> dict[int, str]:
    """Return why tasks have ended, by their ids."""
    found: dict[int, str] = {}
    for command in commands:
        if isinstance(command, Deliver):
            assert set(command.statuses) == {TIMED_OUT}
            found |= {
                one: Ended.read(words).reason for one, words in zip(command.ids, command.payloads, strict=True)
            }
    return found


def test_what_is_open_when_its_deadline_passes_ends_wherever_it_is() -> None:
    ledger = new_ledger()
    retried = Terms(deadline_s=5.0, retry=Retry(3, delay_s=60.0))
    ledger.apply(TasksSubmitted(1, 0, [b"task"] * 4, retried))
    assert ledger.deadline == 0.0, "it has to be told the time"
    ledger.apply(TimePassed(100.0, EPOCH))
    assert ledger.deadline <= 105.0
    ledger.assign(1, 2)
    ledger.apply(TasksDone(1, [1], [RETRIABLE], [b"no"]))
    ledger.apply(TimePassed(104.9, EPOCH + 4.9))
    assert len(ledger.task_by_number) == 4
    commands = ledger.apply(TimePassed(105.0, EPOCH + 5.0))
    assert delivered(commands) == {
        0: "its deadline of 5 s has passed while it waited for its next try",
        1: "its deadline of 5 s has passed while it was at slave",
        2: "its deadline of 5 s has passed while it waited for a slave",
        3: "its deadline of 5 s has passed while it waited for a slave",
    }
    (cancel,) = [one for one in commands if isinstance(one, CancelRun)]
    assert cancel.numbers == [2]
    assert cancel.grace_s > 0
    assert not ledger.task_by_number
    assert ledger.queued_count == ledger.held_total == 0
    assert ledger.budget.open_bytes == 0
    ledger.apply(TimePassed(500.0, EPOCH + 400))
    assert ledger.assign(1, 9) == []


def test_what_has_ended_in_time_is_left_alone() -> None:
    ledger = new_ledger()
    ledger.apply(TasksSubmitted(1, 0, [b"task"], FIVE))
    ledger.apply(TimePassed(100.0, EPOCH))
    ledger.assign(1, 2)
    ledger.apply(TasksDone(1, [1], [FINISHED], [b"result"]))
    assert not delivered(ledger.apply(TimePassed(110.0, EPOCH + 10)))
    ledger.apply(TasksSubmitted(1, 1, [b"task"], FIVE))
    ledger.apply(OwnerLeft(1))
    assert not delivered(ledger.apply(TimePassed(200.0, EPOCH + 100)))


def test_tasks_of_one_message_have_the_deadlines_of_their_own_terms() -> None:
    ledger = new_ledger()
    changes = ((1, Terms()), (2, Terms(deadline_s=9.0)))
    ledger.apply(TasksSubmitted(1, 0, [b"task"] * 3, FIVE, changes))
    ledger.apply(TimePassed(100.0, EPOCH))
    assert list(delivered(ledger.apply(TimePassed(105.5, EPOCH + 5.5)))) == [0]
    assert list(delivered(ledger.apply(TimePassed(109.5, EPOCH + 9.5)))) == [2]
    assert len(ledger.task_by_number) == 1


def test_a_start_of_the_master_gives_no_more_time() -> None:
    job = OwnerJoined(1, "program", JobSpec(keep_s=1000.0))
    row = TasksSubmitted(1, 0, [b"task"] * 2, FIVE, ((1, Terms(deadline_s=60.0)),), 11, EPOCH)
    ledger = Ledger(is_recorded=True, first_number=1 << 40)
    ledger.restore([job, row])
    ledger.apply(TimePassed(3.0, EPOCH + 50))
    assert set(ledger.task_by_number) == {12}
    ledger.apply(TimePassed(12.9, EPOCH + 59.9))
    assert set(ledger.task_by_number) == {12}
    ledger.apply(TimePassed(13.1, EPOCH + 60.1))
    assert not ledger.task_by_number
