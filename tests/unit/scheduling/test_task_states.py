"""The states of a task: what may follow what, and that nothing else can."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest

from concurrent.scheduling.ledger.events import (
    OwnerJoined,
    SlaveJoined,
    TasksDone,
    TasksReturned,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.states import TRANSITIONS, TaskEvent, TaskState
from concurrent.scheduling.tasks.outcome import FINISHED

IMPOSSIBLE = sorted(set(product(TaskState, TaskEvent)) - set(TRANSITIONS), key=str)


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.apply(OwnerJoined(1, "first"))
    ledger.apply(SlaveJoined(1, "left", workers=2, window=4))
    ledger.apply(TasksSubmitted(1, 0, [b"a", b"b"]))
    return ledger


@pytest.fixture
def task(ledger: Ledger) -> TaskRecord:
    return ledger.task_by_number[1]


@pytest.mark.parametrize(("state", "event"), TRANSITIONS)
def test_what_may_happen_leads_to_the_next_state(task: TaskRecord, state: TaskState, event: TaskEvent) -> None:
    task.state = state
    task.undergo(event)
    assert task.state is TRANSITIONS[state, event]


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE)
def test_what_cannot_happen_raises_with_the_story_of_the_task(
    task: TaskRecord, state: TaskState, event: TaskEvent
) -> None:
    task.state = state
    with pytest.raises(
        AssertionError, match=f"task 1 of first is {state.name.lower()}.*cannot be {event.value}"
    ):
        task.undergo(event)
    assert task.state is state


def test_every_state_can_be_reached_and_left_but_the_last() -> None:
    assert {state for state, _ in TRANSITIONS} == set(TaskState) - {TaskState.CLOSED}
    assert set(TRANSITIONS.values()) == set(TaskState)


def test_a_task_that_is_ended_or_put_back_where_it_cannot_be_stops_the_ledger(ledger: Ledger) -> None:
    ledger.assign(1, 2)
    ledger.task_by_number[1].state = TaskState.CLOSED
    with pytest.raises(AssertionError, match=r"task 1 of first is closed.* cannot be ended"):
        ledger.apply(TasksDone(1, [1], [FINISHED], [b""]))
    ledger.task_by_number[2].state = TaskState.QUEUED
    ledger.ask_back(1)
    with pytest.raises(AssertionError, match=r"task 2 of first is queued.* cannot be queued again"):
        ledger.apply(TasksReturned(1, [2]))


def test_it_raises_without_assertions_too() -> None:
    program = """
from concurrent.scheduling.ledger.events import OwnerJoined, TasksSubmitted
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.states import TaskEvent
ledger = Ledger()
ledger.apply(OwnerJoined(1, "first"))
ledger.apply(TasksSubmitted(1, 0, [b""]))
try:
    ledger.task_by_number[1].undergo(TaskEvent.TAKEN)
except AssertionError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("cannot be taken by a slave")
