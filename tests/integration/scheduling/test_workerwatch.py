"""What a pool tells of its workers: which run a task for long, and which do not get on."""

from __future__ import annotations

import logging
import os
import signal
import time

import pytest

from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.slave import workerwatch
from tests.integration.scheduling import workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate, PoolUser, wait_until


def notes_of(user: PoolUser, number: int) -> str:
    return next((one.note for one in user.pool_status().tasks if one.task == number), "")


def test_a_task_that_runs_for_long_is_told_of_again_and_again(
    make_pool: MakePool, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workerwatch, "REPORT_S", 0.3)
    user = make_pool(size=2)
    (number,) = user.push((workloads.hold, gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: len(user.running) >= 3, "it was told of three times")
    assert {(task.number, task.pid) for task in user.running} == {(number, pid)}
    (row,) = user.pool_status().tasks
    assert (row.task, row.worker) == (number, pid)
    assert row.run_s >= 0.2
    gate.release(pid)
    user.result(number)


def test_of_many_in_a_row_the_one_that_runs_is_told_of(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    *_, number, _ = user.push(
        *((workloads.square, n) for n in range(200)), (workloads.hold, gate.port), (workloads.square, 1)
    )
    pid = gate.wait_for_one()
    wait_until(lambda: bool(user.running), "something was told of")
    assert {task.number for task in user.running} == {number}
    gate.release(pid)


def test_short_tasks_are_not_told_of(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    user.results(*[(time.sleep, 0.01)] * 60)
    assert user.running == []


def test_a_process_that_is_stopped_is_named_once_and_when_it_goes_on(
    make_pool: MakePool, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "concurrent")
    user = make_pool(size=1)
    (number,) = user.push((workloads.hold, gate.port))
    pid = gate.wait_for_one()
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: notes_of(user, number) == "its process is stopped", "it is named in the status")
    assert user.running[-1].note == "its process is stopped"
    os.kill(pid, signal.SIGCONT)
    wait_until(lambda: not notes_of(user, number), "it goes on")
    gate.release(pid)
    user.result(number)
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert (
        texts[0] == f"task {number} makes no progress: its process {pid} is stopped, by a signal or a debugger"
    )
    assert texts[1].startswith(f"task {number} goes on, its process was stopped for ")
    assert len(texts) == 2


def test_a_stopped_task_that_is_cancelled_is_said_to_be_over(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "concurrent")
    user = make_pool(size=1)
    (number,) = user.push((workloads.stop_self,))
    wait_until(lambda: bool(notes_of(user, number)), "it is named in the status")
    user.on_loop(user.pool.cancel, [number])
    user.outcome(number)
    user.push((time.sleep, 1))
    wait_until(lambda: f"task {number}, whose process" in caplog.text, "it is said")


def test_workers_that_do_not_come_up_are_named(
    zygote: Zygote, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "concurrent")
    monkeypatch.setattr(workerwatch, "START_S", 0.5)
    os.kill(zygote.pid, signal.SIGSTOP)
    user = make_pool(size=1)
    (number,) = user.push((workloads.square, 3))
    wait_until(lambda: "does its zygote hang?" in caplog.text, "it is said")
    os.kill(zygote.pid, signal.SIGCONT)
    assert user.result(number) == 9


def test_that_a_task_has_not_computed_for_long_is_a_fact_and_no_warning(
    make_pool: MakePool, gate: Gate, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workerwatch, "IDLE_S", 1.0)
    user = make_pool(size=1)
    (number,) = user.push((workloads.hold, gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: "its process has not computed for " in notes_of(user, number), "it is told of")
    gate.release(pid)
    user.result(number)
    assert not caplog.records
