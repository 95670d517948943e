"""How many open tasks of each function of each job are in which state: asked for at any moment, exact."""

from __future__ import annotations

import pytest

from concurrent.scheduling.ledger.census import OpenCounts, busy_workers, open_counts
from concurrent.scheduling.ledger.events import (
    OwnerJoined,
    SlaveJoined,
    TasksDone,
    TasksReturned,
    TasksRunning,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.tasks.outcome import RETRIABLE
from concurrent.scheduling.tasks.retry import Retry
from concurrent.scheduling.tasks.terms import Terms

A, B, SLAVE = 1, 2, 9
LOOK, FIND = Terms(name="look"), Terms(name="find", retry=Retry.of(3))


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger in which two jobs have tasks of two functions, and a slave with two workers has none."""
    ledger = Ledger(memory_bytes_max=1 << 20)
    for owner in (A, B):
        ledger.apply(OwnerJoined(owner, f"application-{owner}"))
        ledger.apply(TasksSubmitted(owner, 1, [b"task"] * 3, LOOK))
        ledger.apply(TasksSubmitted(owner, 4, [b"task"] * 2, FIND))
    ledger.apply(SlaveJoined(SLAVE, "slave-1", workers=2, window=100))
    return ledger


def test_what_waits_is_counted_by_job_and_function(ledger: Ledger) -> None:
    found = open_counts(ledger)
    assert found == {(owner, name): OpenCounts(n) for owner in (A, B) for name, n in (("look", 3), ("find", 2))}
    assert busy_workers(ledger) == 0


def test_a_slave_runs_its_oldest_tasks_as_far_as_it_has_workers(ledger: Ledger) -> None:
    ledger.assign(SLAVE, 4, ledger.owners[A].lanes.lane(LOOK))
    assert open_counts(ledger)[A, "look"] == OpenCounts(1, 0, 2)
    assert busy_workers(ledger) == 2


def test_a_slave_runs_what_it_tells_of(ledger: Ledger) -> None:
    ledger.assign(SLAVE, 3, ledger.owners[A].lanes.lane(LOOK))
    ledger.assign(SLAVE, 2, ledger.owners[B].lanes.lane(FIND))
    last = list(ledger.slaves[SLAVE].held)[-1]
    ledger.apply(TasksRunning(SLAVE, [last], [7], [2.0], [""], 100.0))
    found = open_counts(ledger)
    assert found[B, "find"] == OpenCounts(1, 0, 1)
    assert found[A, "look"] == OpenCounts(2, 0, 1)


def test_what_is_on_the_work_queue_refused_or_between_tries_is_counted(ledger: Ledger) -> None:
    ledger.offer(1, ledger.owners[A].lanes.lane(LOOK))
    ledger.assign(SLAVE, 2, ledger.owners[A].lanes.lane(LOOK))
    ledger.apply(TasksReturned(SLAVE, list(ledger.slaves[SLAVE].held)))
    ledger.assign(SLAVE, 1, ledger.owners[B].lanes.lane(FIND))
    (number,) = ledger.slaves[SLAVE].held
    ledger.apply(TasksDone(SLAVE, [number], [RETRIABLE], [b"failure"]))
    found = open_counts(ledger)
    assert found[A, "look"] == OpenCounts(3)
    assert found[B, "find"] == OpenCounts(1, 1, 0)
    assert sum(one.waiting + one.between_tries + one.running for one in found.values()) == 10
