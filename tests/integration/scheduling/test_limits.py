"""Tasks that run for too long, or are cancelled, end whatever they do, and with them what they started."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import psutil
import pytest

from concurrent.scheduling.pickling.batch import TaskBatch
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED, TIMED_OUT, Ended
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms
from tests.integration.scheduling import overdue_tasks, workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import Gate, PoolUser, wait_until

LIMIT_S = 0.3
LIMITED = RunTerms(timeout_s=LIMIT_S)


def wait_until_they_run(paths: list[Path]) -> None:
    wait_until(lambda: all(path.exists() and path.read_text() for path in paths), "they run")


def wait_until_workers_are_alone(user: PoolUser, zygote: Zygote) -> None:
    """Wait until no process lives below the zygote but the workers of the pool."""

    def is_so() -> bool:
        workers = user.pool_status().running
        others = [one for one in psutil.Process(zygote.pid).children(recursive=True) if one.pid not in workers]
        return not others

    wait_until(is_so, "nothing is left of the tasks")


@pytest.mark.skipif(sys.platform != "linux", reason="what left its process group is known on Linux only")
@pytest.mark.parametrize("how", ["timeout", "cancel", "cancel with a grace"])
def test_an_overdue_task_ends_with_all_that_it_started_whatever_it_does(
    make_pool: MakePool, zygote: Zygote, tmp_path: Path, how: str
) -> None:
    user = make_pool(size=6)
    kinds = list(overdue_tasks.KINDS)
    paths = [tmp_path / kind for kind in kinds]
    terms = LIMITED if how == "timeout" else USUAL
    numbers: list[int] = []
    for some in (range(start, min(start + 6, len(kinds))) for start in range(0, len(kinds), 6)):
        calls = [(overdue_tasks.be_overdue, kinds[one], str(paths[one])) for one in some]
        numbers += user.push(*calls, terms=terms)
        wait_until_they_run([paths[one] for one in some])
        if how != "timeout":
            user.on_loop(user.pool.cancel, numbers[-len(some) :], 0.2 if "grace" in how else 0.0)
        for number in numbers[-len(some) :]:
            user.outcome(number)
    expected = TIMED_OUT if how == "timeout" else CANCELLED
    status_by_kind = {kind: user.status(number) for kind, number in zip(kinds, numbers, strict=True)}
    assert status_by_kind == dict.fromkeys(kinds, expected)
    wait_until_workers_are_alone(user, zygote)
    assert user.pool_status().deaths == 0
    pids = {int(line) for path in paths for line in path.read_text().split()}
    user.results(*[(workloads.square, 3)] * 20)
    assert {int(line) for path in paths for line in path.read_text().split()} == pids  # nobody forks any more


def test_a_task_that_is_ended_says_where_and_what_it_printed_so_far(
    make_pool: MakePool, tmp_path: Path
) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.clean_up_and_sleep, str(path)), terms=LIMITED)
    status, payload = user.outcome(number)
    ended = Ended.read(payload)
    pid = path.read_text().split()[0]
    assert status == TIMED_OUT
    assert f"limit of {LIMIT_S} s" in ended.reason
    assert f"worker {pid}" in ended.where
    assert ended.output == "cleaned up\n"
    assert "cleaned up" in path.read_text()


def test_a_task_may_clean_up_in_the_grace_and_has_no_result(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.clean_up_slowly, str(path), 0.1))
    wait_until_they_run([path])
    user.on_loop(user.pool.cancel, [number], 20.0)
    assert user.status(number) == CANCELLED


def test_a_second_signal_raises_again(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.in_two_steps, str(path)))
    wait_until_they_run([path])
    user.on_loop(user.pool.cancel, [number], 20.0)
    assert user.status(number) == CANCELLED
    assert "cleaned up" in path.read_text()


def test_no_more_of_a_batch_runs_when_it_is_ended(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    paths = [tmp_path / name for name in ("first", "second")]
    members = [(overdue_tasks.clean_up_and_sleep, (str(path),), {}) for path in paths]
    (number,) = user.push(TaskBatch(members))
    wait_until_they_run(paths[:1])
    user.on_loop(user.pool.cancel, [number], 20.0)
    assert user.status(number) == CANCELLED
    assert [path.exists() for path in paths] == [True, False]


def test_results_that_the_worker_held_back_arrive_before_it_ends(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    user.results(*[(overdue_tasks.note_then, str(tmp_path / "x"), 0.0)] * 50)
    calls = [(overdue_tasks.note_then, str(tmp_path / "x"), 0.0)] * 50
    calls.append((overdue_tasks.note_then, str(path), 1000.0))
    *others, last = user.push(*calls, terms=LIMITED)
    assert user.status(last) == TIMED_OUT
    assert {user.status(number) for number in others} == {FINISHED}
    assert (tmp_path / "x").read_text().count("\n") == 100  # none of them ran twice


def test_the_others_of_a_worker_that_is_ended_run_elsewhere(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    first, *others = user.push(
        (workloads.hold, gate.port), *((workloads.square, n) for n in range(20)), terms=LIMITED
    )
    gate.wait_for_one()
    assert [user.result(number) for number in others] == [n * n for n in range(20)]
    assert user.status(first) == TIMED_OUT
    assert user.pool_status().deaths == 0


def test_the_time_of_a_task_begins_when_it_starts(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    numbers = user.push(*[(overdue_tasks.nap, 0.15)] * 6, terms=LIMITED)
    assert {user.status(number) for number in numbers} == {FINISHED}


def test_no_result_that_nobody_takes_at_the_moment_counts_as_overdue(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    user.results((workloads.square, 2))
    user.on_loop(lambda: user.pool.pause_results(is_paused=True))
    (number,) = user.push((workloads.repeated, 7, 40_000_000), terms=LIMITED)
    threading.Event().wait(4 * LIMIT_S)
    user.on_loop(lambda: user.pool.pause_results(is_paused=False))
    assert user.status(number) == FINISHED


def test_a_task_that_hangs_is_ended_while_no_results_are_taken(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    user.on_loop(lambda: user.pool.pause_results(is_paused=True))
    (number,) = user.push((overdue_tasks.nap, 1000.0), terms=LIMITED)
    assert user.status(number) == TIMED_OUT


@pytest.mark.parametrize("graces", [(1000.0, 0.0), (1000.0, 0.1), (0.1, 1000.0)])
def test_of_several_graces_the_one_counts_that_is_over_first(
    make_pool: MakePool, tmp_path: Path, graces: tuple[float, float]
) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.be_overdue, "an ignored signal", str(path)))
    wait_until_they_run([path])
    for grace_s in graces:
        user.on_loop(user.pool.cancel, [number], grace_s)
    assert user.status(number) == CANCELLED


def test_a_pool_that_stops_waits_for_no_grace_longer_than_it_may(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.be_overdue, "an ignored signal", str(path)))
    wait_until_they_run([path])
    user.on_loop(user.pool.cancel, [number], 1000.0)
    assert user.stop(0.1) == []
    assert user.status(number) == CANCELLED


def test_limits_hold_while_a_pool_stops(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    (number,) = user.push((workloads.hold, gate.port), terms=LIMITED)
    gate.wait_for_one()
    assert user.stop(1000.0) == []
    assert user.status(number) == TIMED_OUT


def test_a_worker_that_somebody_else_tells_to_end_has_died(make_pool: MakePool, tmp_path: Path) -> None:
    user = make_pool(size=1)
    path = tmp_path / "notes"
    (number,) = user.push((overdue_tasks.clean_up_and_sleep, str(path)))
    wait_until_they_run([path])
    os.kill(int(path.read_text().split()[0]), signal.SIGTERM)
    status, payload = user.outcome(number)
    assert status == DIED
    assert b"SIGTERM" in payload
    user.results((workloads.square, 2))
    (idle,) = user.pool_status().running
    os.kill(idle, signal.SIGTERM)
    wait_until(lambda: idle not in user.pool_status().running, "it has ended")


def test_what_a_task_forks_dies_of_sigterm_as_any_process(make_pool: MakePool) -> None:
    assert make_pool(size=1).results((overdue_tasks.end_a_fork,)) == [-signal.SIGTERM]
