"""Tasks that bring down more than themselves: the one that does it is charged, and no other."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Sequence

import pytest

from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.slave import workerdata
from concurrent.scheduling.tasks.outcome import DIED
from tests.integration.scheduling import workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate, PoolUser

GARBAGE = b"\xff" * 64


def run_among_others(user: PoolUser, *bad: Sequence[object], count: int = 300) -> list[bytes]:
    """Run bad tasks among good ones, which all have to end well; return the evidence of the bad ones."""
    user.results(*((workloads.square, n) for n in range(2000)))  # many lie ready at each worker from now on
    good = [(workloads.square, n) for n in range(count)]
    numbers = user.push(*good, *bad, *good)
    culprits = numbers[count : count + len(bad)]
    others = [number for number in numbers if number not in culprits]
    outcomes = [user.outcome(number) for number in culprits]
    assert [user.result(number) for number in others] == [n * n for n in range(count)] * 2
    assert [status for status, _ in outcomes] == [DIED] * len(bad)
    return [bytes(evidence) for _, evidence in outcomes]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ((workloads.spoil_sockets, "write", GARBAGE), b"sent what makes no sense"),
        ((workloads.spoil_sockets, "write", b"abc"), b"sent what makes no sense"),
        ((workloads.spoil_sockets, "close"), b""),
        ((workloads.spoil_sockets, "shutdown"), b""),
        ((os._exit, 0), b"exit code 0"),
        ((workloads.die_by_exit, "last words"), b"exit code 3"),
        ((workloads.die_by_signal, "last words"), b"SIGKILL"),
    ],
    ids=["garbage", "half a message", "closes", "shuts down", "ends as if asked to", "ends", "is killed"],
)
@pytest.mark.parametrize("size", [1, 2])
def test_of_many_tasks_at_a_worker_the_one_that_breaks_it_is_charged(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, size: int, what: Sequence[object], words: bytes
) -> None:
    monkeypatch.setattr(workerdata, "STALLED_LOOKS", 1)
    (evidence,) = run_among_others(make_pool(size=size), what)
    assert words in evidence


def test_several_that_break_their_workers_are_all_charged(make_pool: MakePool) -> None:
    bad = (workloads.spoil_sockets, "write", GARBAGE)
    user = make_pool(size=2)
    run_among_others(user, *[bad] * 5)
    assert user.results((workloads.square, 9)) == [81]


def test_a_task_that_is_tried_again_is_told_from_others_at_once(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    payload = user.book.dumps_payload((workloads.spoil_sockets, ("write", GARBAGE), {}))
    good = [user.book.dumps_payload((workloads.square, (n,), {})) for n in range(100)]
    numbers = user.push_payloads([*good, payload, *good])
    assert user.status(numbers[100]) == DIED
    for number in numbers[101:]:
        user.result(number)
    deaths = user.pool_status().deaths
    user.taken(numbers[100])
    user.on_loop(user.pool.run, 7, 0, [numbers[100]], [payload])
    again = user.push_payloads(good)
    assert user.status(numbers[100]) == DIED
    for number in again:
        user.result(number)
    assert user.pool_status().deaths == deaths + 1


def test_a_task_that_kills_the_zygote_is_charged_and_its_neighbours_are_not(
    zygote: Zygote, make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "concurrent")
    user = make_pool(size=3)
    neighbours = user.push(*[(time.sleep, 0.3)] * 8)
    (bad,) = user.push((workloads.kill_parent,))
    more = user.push(*[(time.sleep, 0.3)] * 8)
    status, evidence = user.outcome(bad)
    assert status == DIED
    assert b"its zygote" in bytes(evidence)
    for number in (*neighbours, *more):
        assert user.result(number) is None
    assert sum("is gone, and its children with it" in one.getMessage() for one in caplog.records) <= 3


def test_a_zygote_that_somebody_else_kills_costs_no_task_anything(
    zygote: Zygote, make_pool: MakePool, gate: Gate
) -> None:
    user = make_pool(size=2)
    first, second = user.push((workloads.hold, gate.port), (workloads.hold, gate.port))
    gate.wait_for_one()
    gate.wait_for_one()
    os.kill(zygote.pid, signal.SIGKILL)
    for _ in range(2):
        gate.release(gate.wait_for_one())
    assert [user.result(number) for number in (first, second)] == ["released"] * 2
