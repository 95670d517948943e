"""Workers that are told their devices and their threads, and tasks that run with what they claim."""

from __future__ import annotations

import os
import pickle
from collections import Counter
from typing import Any

import pytest

from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.slave.gpus import VARIABLES, Gpus
from concurrent.scheduling.slave.offer import Offer
from concurrent.scheduling.slave.resources import THREADS
from concurrent.scheduling.tasks.claim import UNIT, Claim
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED
from concurrent.scheduling.tasks.runterms import RunTerms
from tests.integration.scheduling import workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import APP, OTHER_APP, Gate, PoolUser

OFFER = Offer({"gpu": 2 * UNIT, "licence": UNIT}, Gpus(("GPU-a", "GPU-b"), VARIABLES[:1]))
DEVICES = VARIABLES[0]


def asking(**resources: Any) -> RunTerms:
    return RunTerms(resources=Claim.of(resources))


def payload(function: Any, *args: Any) -> bytes:
    return pickle.dumps((function, args, {}), PROTOCOL)


def result(user: PoolUser, number: int) -> Any:
    status, answer = user.outcome(number)
    assert status == FINISHED, answer
    return pickle.loads(bytes(answer))


def variables(user: PoolUser, terms: RunTerms, names: tuple[str, ...]) -> list[str | None]:
    numbers = user.push_of_another([payload(os.getenv, name) for name in names], terms=terms)
    return [result(user, number) for number in numbers]


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*THREADS, DEVICES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def users_variables(no_variables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS[0], "5")
    monkeypatch.setenv(DEVICES, "7")


@pytest.mark.usefixtures("no_variables")  # before workers are started
def test_a_worker_has_its_device_and_its_threads_in_its_environment(make_pool: MakePool) -> None:
    user = make_pool(2, OFFER)
    assert variables(user, asking(gpu=1, cpu=2), (DEVICES, *THREADS)) == ["GPU-a", *["2"] * len(THREADS)]
    assert variables(user, asking(licence=1), (DEVICES, THREADS[0])) == [None, "1"]
    assert variables(user, RunTerms(), (DEVICES, THREADS[0])) == [None, None]


@pytest.mark.usefixtures("users_variables")
def test_threads_are_what_the_user_has_set(make_pool: MakePool) -> None:
    user = make_pool(2, OFFER)
    assert variables(user, asking(gpu=2), (DEVICES, *THREADS[:2])) == ["GPU-a,GPU-b", "5", "1"]
    assert variables(user, RunTerms(), (DEVICES, THREADS[0])) == ["7", "5"]


def test_no_two_tasks_have_the_same_device(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(4, OFFER)
    held = [payload(workloads.hold, gate.port, None)] * 4
    numbers = user.push_of_another(held, APP, asking(gpu=1))
    numbers += user.push_of_another([payload(workloads.hold, gate.port)] * 2, OTHER_APP, asking(gpu=1))
    plain = user.push_of_another([payload(workloads.square, 3)])
    assert result(user, plain[0]) == 9
    waiting = [gate.wait_for_one(), gate.wait_for_one()]
    for _ in range(4):
        status = user.pool_status()
        assert sum(number is not None for number in status.running.values()) == 2
        gate.release(waiting.pop(0))
        waiting.append(gate.wait_for_one())
    for pid in waiting:
        gate.release(pid)
    assert Counter(user.status(number) for number in numbers) == {FINISHED: 6}


@pytest.mark.parametrize("size", [1, 2, 4])
def test_tasks_of_many_kinds_are_all_done(make_pool: MakePool, size: int) -> None:
    user = make_pool(size, OFFER)
    kinds = [
        RunTerms(),
        asking(gpu=1),
        asking(gpu=0.5),
        asking(gpu=2),
        asking(cpu=2),
        asking(licence=1, cpu=3),
        RunTerms(priority=5),
        RunTerms(priority=-5, resources=Claim.of({"licence": 1}), weight=3),
    ]
    numbers = []
    for number in range(160):
        app = APP if number % 2 else OTHER_APP
        terms = kinds[number // 2 % len(kinds)]
        numbers += user.push_of_another([payload(workloads.square, number)], app, terms)
    assert [result(user, number) for number in numbers] == [number * number for number in range(160)]


def test_a_claim_is_free_again_when_its_worker_has_died(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(2, OFFER)
    dead, cancelled, last = user.push_of_another(
        [
            payload(workloads.die_by_signal, "gone"),
            payload(workloads.hold, gate.port),
            payload(workloads.square, 3),
        ],
        terms=asking(gpu=2),
    )
    assert user.status(dead) == DIED
    gate.wait_for_one()
    user.on_loop(user.pool.cancel, [cancelled])
    assert user.status(cancelled) == CANCELLED
    assert result(user, last) == 9
