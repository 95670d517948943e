"""Each worker belongs to one application: what it does there no other one meets, and all get on."""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.slave import roster
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.frames.frames import Frame
from tests.integration.scheduling import marks, workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import APP, OTHER_APP, Gate, PoolUser, wait_for_ends, wait_until

THIRD_APP = 9
NAP_S = 0.001


def payload(function: Any, *args: Any) -> bytes:
    return pickle.dumps((function, args, {}), PROTOCOL)


def result(user: PoolUser, number: int) -> Any:
    status, answer = user.outcome(number)
    assert status == FINISHED, answer
    return pickle.loads(bytes(answer))


def results_of(user: PoolUser, app: int, count: int, function: Any, *args: Any) -> list[Any]:
    numbers = user.push_of_another([payload(function, *args)] * count, app)
    return [result(user, number) for number in numbers]


def test_what_a_task_does_to_its_process_only_its_application_meets(
    make_pool: MakePool, tmp_path: Path
) -> None:
    user = make_pool(2)
    (clean,) = results_of(user, OTHER_APP, 1, marks.state)
    results_of(user, APP, 6, marks.leave_marks, str(tmp_path))
    assert results_of(user, OTHER_APP, 6, marks.state) == [clean] * 6
    assert results_of(user, THIRD_APP, 6, marks.state) == [clean] * 6
    found = results_of(user, APP, 6, marks.state)
    assert any(one["environment"] == marks.MARK and one["patched"] == 42 for one in found)


def test_what_is_registered_for_the_end_runs_when_the_application_has_left(
    make_pool: MakePool, tmp_path: Path
) -> None:
    user = make_pool(1)
    (pid,) = results_of(user, OTHER_APP, 1, marks.leave_marks, str(tmp_path))
    worker = psutil.Process(pid)
    results_of(user, APP, 1, os.getpid)
    assert not Path(tmp_path, "ended").exists()
    user.on_loop(user.pool.forget, OTHER_APP)
    wait_for_ends([worker])
    assert Path(tmp_path, "ended").read_text() == str(pid)


def test_large_arguments_lie_in_memory_that_others_do_not_have(make_pool: MakePool) -> None:
    user = make_pool(2)
    of_one = dict(results_of(user, APP, 4, marks.pid_and_shared_memories))
    of_other = dict(results_of(user, OTHER_APP, 4, marks.pid_and_shared_memories))
    assert not of_one.keys() & of_other.keys()
    ours = {inode for inodes in of_one.values() for inode in inodes}
    theirs = {inode for inodes in of_other.values() for inode in inodes}
    assert ours
    assert theirs
    assert not ours & theirs


def test_a_large_argument_in_memory_of_another_application_arrives_all_the_same(make_pool: MakePool) -> None:
    user = make_pool(1)
    user.receives_into_memory = True
    block = user.received(payload(workloads.echo, bytes(200_000)))
    (number,) = user.push_of_another([Frame(block)])
    assert result(user, number) == bytes(200_000)


def test_with_one_worker_each_of_two_floods_gets_on(make_pool: MakePool) -> None:
    user = make_pool(1)
    results_of(user, APP, 20, time.sleep, NAP_S)
    numbers = user.push_of_another([payload(time.sleep, NAP_S)] * 200, APP)
    others = user.push_of_another([payload(time.sleep, NAP_S)] * 200, OTHER_APP)
    for number in (*numbers, *others):
        assert user.status(number) == FINISHED
    first_half = user.numbers[20:220]
    share = sum(number in set(others) for number in first_half) / 200
    assert 0.25 < share < 0.75, share


def test_no_more_tasks_run_at_once_than_the_pool_may_run(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(2)
    numbers = user.push_of_another([payload(workloads.hold, gate.port)] * 3, APP)
    numbers += user.push_of_another([payload(workloads.hold, gate.port)] * 3, OTHER_APP)
    waiting = [gate.wait_for_one(), gate.wait_for_one()]
    for _ in range(4):
        assert sum(number is not None for number in user.pool_status().running.values()) == 2
        gate.release(waiting.pop(0))
        waiting.append(gate.wait_for_one())
    for pid in waiting:
        gate.release(pid)
    assert [user.status(number) for number in numbers] == [FINISHED] * 6


def test_a_newcomer_gets_a_place_when_tasks_have_ended(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(2)
    user.push_of_another([payload(workloads.hold, gate.port)] * 20, APP)
    held = [gate.wait_for_one(), gate.wait_for_one()]
    (newcomer,) = user.push_of_another([payload(workloads.square, 3)], OTHER_APP)
    for pid in held:
        gate.release(pid)
    assert result(user, newcomer) == 9
    user.stop()


def test_however_many_applications_come_there_are_few_workers(make_pool: MakePool) -> None:
    user = make_pool(1)
    for app in range(100, 120):
        assert results_of(user, app, 3, abs, -app) == [app] * 3
    assert len(user.pool_status().running) <= 1 + roster.SURPLUS_MIN + 1
    assert results_of(user, 100, 1, abs, -5) == [5]


def test_workers_that_nobody_needs_end_after_a_while(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "SURPLUS_S", 0.1)
    before = marks.shared_memories()
    user = make_pool(1)
    pids = [results_of(user, app, 1, os.getpid)[0] for app in (APP, OTHER_APP, THIRD_APP)]
    wait_until(lambda: len(user.pool_status().running) == 1, "the others end")
    wait_until(lambda: len(marks.shared_memories() - before) == 2, "what they shared is freed")
    assert sum(psutil.pid_exists(pid) for pid in pids) <= 1


def test_who_leaves_takes_its_workers_along_and_fresh_ones_are_ready(make_pool: MakePool) -> None:
    user = make_pool(2)
    pids = set(results_of(user, OTHER_APP, 4, os.getpid))
    workers = [psutil.Process(pid) for pid in pids]
    user.on_loop(user.pool.forget, OTHER_APP)
    wait_for_ends(workers)
    wait_until(lambda: len(user.pool_status().running) == 2, "there are two workers again")
    assert pids.isdisjoint(results_of(user, OTHER_APP, 4, os.getpid))


def test_a_worker_that_dies_is_replaced_for_its_own_application(make_pool: MakePool) -> None:
    user = make_pool(1)
    (other,) = results_of(user, OTHER_APP, 1, os.getpid)
    (own,) = results_of(user, APP, 1, os.getpid)
    os.kill(own, 9)
    (number,) = user.push_of_another([payload(os.getpid)], APP)
    user.outcome(number)
    assert results_of(user, OTHER_APP, 1, os.getpid) == [other]
