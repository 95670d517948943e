"""The states of a worker: what may follow what, and that nothing else can."""

from __future__ import annotations

from itertools import product

import pytest

from concurrent.core.machine import next_state
from concurrent.scheduling.slave.workerstates import TRANSITIONS, WorkerEvent, WorkerState

IMPOSSIBLE = sorted(set(product(WorkerState, WorkerEvent)) - set(TRANSITIONS), key=str)


@pytest.mark.parametrize(("state", "event"), IMPOSSIBLE)
def test_what_cannot_happen_raises_with_the_story(state: WorkerState, event: WorkerEvent) -> None:
    with pytest.raises(AssertionError, match=f'worker 7 is {state.value}, and "{event.value}" cannot'):
        next_state(TRANSITIONS, state, event, "worker 7")


def test_every_state_leads_to_the_end_and_nothing_leads_from_there() -> None:
    assert {state for state, _ in TRANSITIONS} == set(WorkerState) - {WorkerState.GONE}
    for state in set(WorkerState) - {WorkerState.GONE}:
        assert TRANSITIONS[state, WorkerEvent.END] is WorkerState.GONE


def test_nobody_is_given_to_a_second_application_or_after_it_was_told_to_end() -> None:
    assert [state for state, event in TRANSITIONS if event is WorkerEvent.JOIN] == [WorkerState.READY]


@pytest.mark.parametrize("state", [WorkerState.SERVING, WorkerState.LEAVING, WorkerState.ENDING])
def test_who_was_asked_to_end_can_only_be_killed_or_distrusted(state: WorkerState) -> None:
    assert TRANSITIONS[state, WorkerEvent.ASK] is WorkerState.ENDING
    assert TRANSITIONS[WorkerState.ENDING, WorkerEvent.FINISH] is WorkerState.ENDING
    assert TRANSITIONS[WorkerState.ENDING, WorkerEvent.KILL] is WorkerState.KILLED


@pytest.mark.parametrize("event", [WorkerEvent.FINISH, WorkerEvent.ASK, WorkerEvent.KILL, WorkerEvent.DISTRUST])
def test_what_was_found_out_about_a_worker_stays(event: WorkerEvent) -> None:
    assert TRANSITIONS[WorkerState.DISTRUSTED, event] is WorkerState.DISTRUSTED
