"""Tasks and results behind tasks that take long, at the workers of a pool."""

from __future__ import annotations

import time

import pytest

from tests.integration.scheduling import workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate, wait_until


def test_a_long_task_holds_no_short_ones_behind_it(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=2)
    assert user.results(*((workloads.square, n) for n in range(2000)))[-1] == 1999**2  # deep queues now
    first, second = user.push((workloads.hold, gate.port), (workloads.hold, gate.port))
    gate.wait_for_one()
    free = gate.wait_for_one()
    short = user.push(*((workloads.square, n) for n in range(200)))
    gate.release(free)
    assert [user.result(number) for number in short] == [n * n for n in range(200)]
    assert len({first, second} & set(user.numbers)) == 1


def test_tasks_behind_one_that_turns_out_long_go_to_an_idle_worker(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=2)
    assert user.results(*((workloads.square, n) for n in range(2000)))[-1] == 1999**2
    mixed: list[tuple[object, ...]] = [(workloads.square, n) for n in range(400)]
    mixed[200:200] = [(workloads.hold, gate.port)]
    numbers = user.push(*mixed)
    pid = gate.wait_for_one()
    short = numbers[:200] + numbers[201:]
    assert [user.result(number) for number in short] == [n * n for n in range(400)]
    gate.release(pid)
    assert user.result(numbers[200]) == "released"


def test_no_result_waits_behind_the_first_run_of_another_function(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    short: list[tuple[object, ...]] = [(time.sleep, 0.002)] * 50
    user.results((workloads.square, 1), *short)
    numbers = user.push(*short, (workloads.hold, gate.port), *short)
    pid = gate.wait_for_one()
    assert [user.result(number) for number in numbers[:50]] == [None] * 50
    gate.release(pid)
    user.result(numbers[-1])


@pytest.mark.parametrize("text", ["", "said"])
def test_no_result_waits_behind_a_later_call_that_turns_out_long(
    make_pool: MakePool, gate: Gate, text: str
) -> None:
    user = make_pool(size=1)
    short = (workloads.hold_if, 0, text)
    user.results(*[short] * 1000)
    numbers = user.push(*[short] * 100, (workloads.hold_if, gate.port, text), *[short] * 100)
    pid = gate.wait_for_one()
    assert [user.result(number) for number in numbers[:100]] == [None] * 100
    assert user.printed.get(numbers[99], "") == (f"{text}\n" if text else "")
    gate.release(pid)
    assert user.result(numbers[100]) == "released"
    assert user.result(numbers[-1]) is None
    assert user.pool_status().done == 1201


def test_nothing_is_to_wait_behind_workers_that_all_run_long_tasks(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=2)
    user.results(*((workloads.square, n) for n in range(500)))
    held = user.push((workloads.hold, gate.port), (workloads.hold, gate.port))
    first, second = gate.wait_for_one(), gate.wait_for_one()
    wait_until(lambda: user.windows[-1] == 2, "the pool wants no more than what runs")
    gate.release(first)
    wait_until(lambda: user.windows[-1] > 2, "it wants more again")
    gate.release(second)
    assert [user.result(number) for number in held] == ["released"] * 2
