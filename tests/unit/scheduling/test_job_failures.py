"""What is remembered of how the tasks of a job failed."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.events import (
    JobNoted,
    OwnerJoined,
    Record,
    SlaveJoined,
    TasksDone,
    TasksEnded,
    TasksSubmitted,
    TimePassed,
)
from concurrent.scheduling.ledger.failures import GROUPS_MAX, TEXT_CHARS_MAX, Failure, Failures, in_few_words
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, FINISHED
from concurrent.scheduling.tasks.terms import Terms

JOINED = OwnerJoined(1, "job", JobSpec())


def read(payload: bytes) -> Failure | None:
    """Read a failure that says type and text in one line."""
    kind, _, text = payload.decode().partition(":")
    return Failure(kind, text) if text else None


def ledger_with(*names: str) -> Ledger:
    """Return a ledger with a slave that has a task of each name."""
    ledger = Ledger(is_recorded=True, read_failure=read)
    ledger.apply(JOINED)
    ledger.apply(SlaveJoined(2, "slave", 1, 100))
    for index, name in enumerate(names):
        ledger.apply(TasksSubmitted(1, index, [b""], Terms(name=name, attempts_max=1)))
    ledger.assign(2, len(names))
    return ledger


def failures_of(ledger: Ledger, owner: int = 1) -> list[tuple[str, str, int, str]]:
    life = ledger.owners[owner].life
    assert life is not None
    return life.failures.rows()


def test_failures_are_grouped_by_what_failed_and_how() -> None:
    ledger = ledger_with("hunt", "hunt", "dig", "dig", "dig")
    statuses = [FAILED, FAILED, FAILED, FINISHED, FAILED]
    payloads = [b"KeyError:one", b"KeyError:two", b"KeyError:three", b"", b"unreadable"]
    ledger.apply(TasksDone(2, [1, 2, 3, 4, 5], statuses, payloads))
    assert failures_of(ledger) == [
        ("hunt", "KeyError", 2, "two"),
        ("dig", "KeyError", 1, "three"),
        ("dig", "", 1, ""),
    ]


def test_failures_in_one_report_go_to_the_jobs_whose_tasks_they_are() -> None:
    ledger = ledger_with("hunt")
    ledger.apply(OwnerJoined(3, "other", JobSpec()))
    ledger.apply(TasksSubmitted(3, 0, [b""], Terms(name="dig")))
    ledger.assign(2, 1)
    ledger.apply(TasksDone(2, [2, 1], [FAILED, FINISHED], [b"KeyError:x", b""]))
    assert failures_of(ledger) == []
    assert failures_of(ledger, 3) == [("dig", "KeyError", 1, "x")]


def test_the_death_of_workers_is_a_failure_too() -> None:
    ledger = ledger_with("hunt", "hunt")
    ledger.apply(TasksDone(2, [1, 2], [DIED, CANCELLED], [b"SIGSEGV", b""]))
    assert failures_of(ledger) == [("hunt", "WorkerDied", 1, "attempt 1 of 1 on slave: SIGSEGV")]


def test_they_are_recorded_now_and_then_and_told_again() -> None:
    ledger = ledger_with("hunt", "hunt")
    ledger.apply(TasksDone(2, [1], [FAILED], [b"KeyError:one"]))
    commands = [*ledger.apply(TimePassed(0.0, 1e9)), *ledger.apply(TimePassed(2.0, 1e9))]
    (noted,) = (one.what for one in commands if isinstance(one, Record) and isinstance(one.what, JobNoted))
    other = Ledger(is_recorded=True, read_failure=read)
    submitted = TasksSubmitted(1, 0, [b"", b""], Terms(name="hunt"), first_number=1)
    ended = [TasksEnded(1, [one], [FAILED], [b"KeyError:%d" % one], 1 + one) for one in range(2)]
    other.restore([JOINED, submitted, ended[0], noted, ended[1]])
    assert failures_of(other) == [("hunt", "KeyError", 2, "1")]


def test_groups_and_texts_are_bounded() -> None:
    failures = Failures()
    for index in range(GROUPS_MAX + 5):
        failures.note(f"task{index}", "KeyError", "x" * 2 * TEXT_CHARS_MAX + str(index))
    rows = failures.rows()
    assert len(rows) == GROUPS_MAX + 1
    name, kind, count, text = rows[0]
    assert (name, kind, count) == ("", "", 5)
    assert len(text) == TEXT_CHARS_MAX
    assert text.endswith(f"x{GROUPS_MAX + 4}")


TRACEBACK = """Traceback (most recent call last):
  File "task.py", line 3, in fetch
    raise OwnError("no route")
own.errors.OwnError: no route
to the host
The end of its output:
trying"""


@pytest.mark.parametrize(("text", "words"), [
    (TRACEBACK, "own.errors.OwnError: no route"), ("no route\nat all", "OwnError: no route"), ("", "OwnError"),
    ("x" * 500, f"OwnError: {'x' * 190}..."),
])  # fmt: skip
def test_what_was_raised_is_told_in_one_line(text: str, words: str) -> None:
    assert in_few_words("OwnError", text) == words
