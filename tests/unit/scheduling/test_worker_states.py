"""The states of a worker: what may follow what, and that nothing else can."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest

from concurrent.scheduling.slave.workerstates import TRANSITIONS, WorkerEvent, WorkerState, next_state

IMPOSSIBLE = sorted(set(product(WorkerState, WorkerEvent)) - set(TRANSITIONS), key=str)


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE)
def test_what_cannot_happen_raises_with_the_story(state: WorkerState, event: WorkerEvent) -> None:
    with pytest.raises(AssertionError, match=f"worker 7 is {state.value}; it cannot be {event.value}"):
        next_state(state, event, "worker 7")


def test_it_raises_in_an_interpreter_without_assertions_too() -> None:
    program = (
        "from concurrent.scheduling.slave.workerstates import *\n"
        "next_state(WorkerState.GONE, WorkerEvent.JOIN, 'worker 7')"
    )
    done = subprocess.run([sys.executable, "-O", "-c", program], capture_output=True, text=True, check=False)
    assert "worker 7 is gone; it cannot be given to an application" in done.stderr


def test_every_state_leads_to_the_end_and_nothing_leads_from_there() -> None:
    assert {state for state, _ in TRANSITIONS} == set(WorkerState) - {WorkerState.GONE}
    for state in set(WorkerState) - {WorkerState.GONE}:
        assert TRANSITIONS[state, WorkerEvent.END] is WorkerState.GONE


def test_nobody_is_given_to_a_second_application_or_after_it_was_told_to_end() -> None:
    assert [state for state, event in TRANSITIONS if event is WorkerEvent.JOIN] == [WorkerState.READY]


@pytest.mark.parametrize("event", [WorkerEvent.FINISH, WorkerEvent.KILL, WorkerEvent.DISTRUST])
def test_what_was_found_out_about_a_worker_stays(event: WorkerEvent) -> None:
    assert TRANSITIONS[WorkerState.DISTRUSTED, event] is WorkerState.DISTRUSTED
