"""What is known of a task that has ended: when, where and how, and where its outcome is."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.events import (
    CancelRequested,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    SessionDetached,
    TasksDone,
    TasksRunning,
)
from concurrent.scheduling.ledger.explaining import Explainer
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.watching import KEPT_COUNT
from concurrent.scheduling.master.endeddesk import EndedDesk
from concurrent.scheduling.tasks.explanation import ENDED, Explanation
from concurrent.scheduling.tasks.outcome import DIED, FAILED, FINISHED, RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from tests.unit.scheduling.test_explaining import EPOCH, Master


def watched(master: Master, *, kept_count: int = KEPT_COUNT) -> Master:
    """Have somebody remember what ends at a master."""
    desk = EndedDesk(master.ledger, lambda _job: "", lambda: EPOCH + master.now, kept_count=kept_count)
    master.ledger.jobs.watcher = desk
    return master


@pytest.fixture
def master() -> Master:
    return watched(Master())


def ended(master: Master, task_id: int = 0) -> Explanation:
    """Explain a task that has ended, at the time that was told last."""
    found = Explainer(master.ledger, EPOCH + master.now).of_job(master.ledger.owners[1], task_id)
    assert found.state == ENDED
    return found


def test_of_an_ended_task_it_is_known_when_where_how_and_how_long(master: Master) -> None:
    master.join(1)
    master.push(2)
    master.give(1, 2)
    began_at = EPOCH + master.now
    master.ledger.apply(TasksRunning(1, [1], [4711], [0.5], [""], began_at + 0.5))
    master.ledger.apply(TasksDone(1, [1, 2], [FINISHED, FAILED], [b"", b""], 0.1, began_at + 30.0))
    for _ in range(2):  # what ran is tidied away meanwhile
        master.wait(45.0)
        found = ended(master)
        assert found.history[1] == "its last run took 30 s, in process 4711"
    assert found.slave == "slave-1"
    assert found.history[0] == "it finished 60 s ago, at slave-1"
    assert ended(master, 1).history == (
        "it failed 60 s ago, at slave-1",
        "how long it ran is not known: slaves tell of tasks only that run for a while",
    )
    assert "history:    it finished 60 s ago" in str(found)


def test_of_an_ended_task_it_is_known_how_often_it_was_tried_and_killed_workers(master: Master) -> None:
    master.join(1)
    master.push(1, retry=Retry(3))
    for status in (RETRIABLE, DIED, RETRIABLE):
        master.give(1)
        master.ledger.apply(TasksDone(1, [1], [status], [b"worker 5 was killed"], 0.1))
        master.wait(0.0)
    master.give(1)
    master.ledger.apply(TasksDone(1, [1], [FINISHED], [b""], 0.1))
    assert ended(master).history[2:] == (
        "it was tried 2 times more, for it had raised or passed a limit",
        "a worker had died of it once before",
    )


def test_of_a_cancelled_task_no_slave_is_named(master: Master) -> None:
    master.join(1)
    master.push()
    master.give(1)
    master.wait(1.0)
    master.ledger.apply(CancelRequested(1, [0]))
    master.wait(3.0)
    assert ended(master).history == ("it was cancelled 3.0 s ago",)


@pytest.mark.parametrize("is_recorded", [False, True])
def test_where_the_outcome_of_an_ended_task_is(is_recorded: bool) -> None:
    master = watched(Master(is_recorded=is_recorded))
    if is_recorded:
        master.ledger.apply(OwnerLeft(1))
        master.ledger.apply(OwnerJoined(1, "program", JobSpec(job_id="k3f9", name="hunt", keep_s=100.0)))
    master.ledger.apply(OutcomesConsumed(1, 0))
    master.join(1)
    master.push(3)
    master.give(1, 3)
    master.ledger.apply(TasksDone(1, [1, 2], [FINISHED] * 2, [b""] * 2, 0.1))
    master.ledger.apply(OutcomesConsumed(1, 1))
    assert ended(master, 0).then == "its program has taken its outcome"
    assert ended(master, 1).then == "its outcome was given to its program, which has not taken it yet"
    if is_recorded:
        master.ledger.apply(SessionDetached(1))
        master.ledger.apply(TasksDone(1, [3], [FINISHED], [b""], 0.1))
        assert ended(master, 2).then == "its outcome is kept until a program goes on with the job"


def test_what_is_not_remembered_of_an_ended_task_is_said_not_to_be() -> None:
    master = watched(Master(), kept_count=1)
    master.join(1)
    master.push(2)
    master.give(1, 2)
    for number in (1, 2):
        master.ledger.apply(TasksDone(1, [number], [FINISHED], [b""], 0.1))
    assert "is not known any more" in ended(master, 0).history[0]
    assert ended(master, 1).history[0].startswith("it finished")
