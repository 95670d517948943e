"""What a slave says counts for tasks only that it was given: numbers of tasks are no secret."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from concurrent.scheduling.master.slavedesk import WINDOW_PER_WORKER
from concurrent.scheduling.tasks.outcome import DIED, FINISHED
from tests.integration.apps.peers import MakePeer, Peer

Lie = Callable[[Peer, int], object]


def holds(thief: Peer, number: int) -> object:
    return thief.call("holding", [number], [])


def brings(thief: Peer, number: int) -> object:
    return thief.call("holding", [], [number])


def took(thief: Peer, number: int) -> object:
    return thief.call("took", [number])


def returns(thief: Peer, number: int) -> object:
    return thief.call("returned", [number])


def runs(thief: Peer, number: int) -> object:
    return thief.call("running", [number], [1], [1.0], [""])


@pytest.mark.parametrize("lie", [holds, brings, took, returns, runs])
@pytest.mark.parametrize("is_given", [True, False])
def test_a_slave_neither_answers_nor_gets_what_another_one_was_given(
    peer: MakePeer, lie: Lie, *, is_given: bool
) -> None:
    owner, honest, thief = peer("application-1"), peer("slave-1"), peer("slave-2")
    owner.join("application")
    honest.join("slave", workers=1, window=5 if is_given else 0)
    thief.join("slave", workers=1, window=0)
    owner.call("define_code", 0, b"secret")
    owner.call("push_tasks", 1, 1, [[0, {}]], [b"task"])
    number = 1
    if is_given:
        _owner, _code_count, (number,), _payloads = honest.next("run")
    lie(thief, number)
    thief.call("done", [number, number], [DIED, FINISHED], [b"how", b"forged"], 0.1)
    assert {method for method, *_ in thief.heard()} <= {"cancel"}  # neither its code nor its arguments
    honest.call("set_window", 5)
    if not is_given:
        _owner, _code_count, (number,), _payloads = honest.next("run")
    honest.call("done", [number], [FINISHED], [b"result"], 0.1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"result"])


TOO_MANY = 1 << 24
TASKS = 20_000


@pytest.mark.parametrize("says_so_at_once", [True, False])
def test_a_slave_holds_no_more_than_its_workers_can_need(peer: MakePeer, *, says_so_at_once: bool) -> None:
    owner, greedy = peer("application-1"), peer("slave-1")
    owner.join("application")
    greedy.join("slave", workers=1, window=TOO_MANY if says_so_at_once else 0)
    if not says_so_at_once:
        greedy.call("set_window", TOO_MANY)
    for first in range(1, TASKS + 1, 2000):
        owner.call("push_tasks", first, 0, [[0, {}]], [b""] * 2000)
    held = 0
    while held < WINDOW_PER_WORKER:
        held += len(greedy.next("run")[2])
    honest = peer("slave-2")
    honest.join("slave", workers=1, window=5)
    _owner, _code_count, numbers, _payloads = honest.next("run")
    assert held == WINDOW_PER_WORKER
    assert numbers[0] == WINDOW_PER_WORKER + 1
