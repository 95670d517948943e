"""The pool with real worker processes: outcomes, deaths, and who gets which task."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import socket
import time
from collections.abc import Sequence
from typing import Any

import pytest

from concurrent.core.errors import SchedulingError, TaskFailed, UnpicklableResult
from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.processes.launcher import Child, Launcher, OnExit
from concurrent.scheduling.processes.spawn import SpawnLauncher
from concurrent.scheduling.processes.taskoutput import OutputFile
from concurrent.scheduling.processes.zygote import Zygote
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FINISHED
from concurrent.scheduling.tasks.runterms import RunTerms
from concurrent.scheduling.wire.failure import loads_failure
from concurrent.scheduling.worker.sharedmemory import RESULT_BYTES_MAX
from concurrent.scheduling.worker.workerwire import RESULTS, pack_message
from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.scheduling import plugin_code, workloads
from tests.integration.scheduling.conftest import MakePool
from tests.integration.scheduling.pool_user import APP, TIMEOUT_S, Gate, wait_until

MIB = 1024 * 1024


def test_tasks_run_on_every_kind_of_launcher(launcher: Launcher, make_pool_on: MakePool) -> None:
    user = make_pool_on(launcher)
    assert user.results(*((workloads.square, n) for n in range(50))) == [n * n for n in range(50)]
    (death,) = user.push((workloads.die_by_signal, "last words"))
    status, evidence = user.outcome(death)
    assert status == DIED
    assert b"SIGKILL" in evidence
    assert user.results((workloads.square, 3)) == [9]
    assert user.stop(timeout_s=TIMEOUT_S) == []


def test_one_worker_reports_in_the_order_of_the_tasks(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    numbers = user.push(*((workloads.square, n) for n in range(3000)))
    assert [user.result(number) for number in numbers] == [n * n for n in range(3000)]
    assert user.numbers == numbers
    snapshot = user.pool_status()
    assert (snapshot.done, snapshot.waiting, snapshot.idle) == (3000, 0, 1)


def test_a_failure_arrives_as_its_own_exception_with_the_remote_traceback(make_pool: MakePool) -> None:
    user = make_pool()
    failed, finished = user.push((workloads.fail, "no such luck"), (workloads.square, 4))
    error = user.error(failed)
    assert type(error) is ValueError
    assert str(error) == "no such luck"
    assert isinstance(error.__cause__, TaskFailed)
    assert "in fail" in error.__cause__.traceback
    assert "worker.py" not in error.__cause__.traceback
    assert user.result(finished) == 16


def test_a_result_that_cannot_be_pickled_is_an_error_of_that_task(make_pool: MakePool) -> None:
    user = make_pool()
    failed, finished = user.push((workloads.make_unpicklable,), (workloads.square, 4))
    error = user.error(failed)
    assert isinstance(error, UnpicklableResult)
    assert "lock" in str(error)
    assert user.result(finished) == 16


def test_a_module_that_the_worker_lacks_is_an_error_of_that_task(make_pool: MakePool) -> None:
    user = make_pool()
    broken, fine = user.push_payloads(
        [b"cmodule_that_nobody_has\nthing\n.", pickle.dumps((workloads.square, (5,), {}), PROTOCOL)]
    )
    assert isinstance(user.error(broken), ModuleNotFoundError)
    assert user.result(fine) == 25


def test_a_task_that_exits_politely_has_failed_and_its_worker_lives(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    pids = set(user.pool_status().running)
    (number,) = user.push((workloads.exit_politely,))
    assert isinstance(user.error(number), SystemExit)
    assert user.results((workloads.square, 2)) == [4]
    assert user.pool_status().deaths == 0
    assert len(pids) == 1


def test_a_copy_that_a_task_forked_does_not_go_on_as_a_worker(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    assert user.results((workloads.fork_and_go_on,), (workloads.square, 2)) == ["parent", 4]


def test_what_tasks_print_goes_to_the_log(make_pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "concurrent.task")
    user = make_pool(size=1)
    first, second = user.push((workloads.print_lines, "one", "two"), (workloads.print_from_a_program, "three"))
    user.result(first)
    user.result(second)
    messages = [record.getMessage() for record in caplog.records if record.name == "concurrent.task"]
    assert messages == [
        f"task {first}: one",
        f"task {first}: two",
        f"task {first}: to stderr",
        f"task {second}: three",
    ]


def test_a_task_to_which_its_owner_gave_a_name_is_called_so_in_logs_and_in_evidence(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "concurrent")
    user, named = make_pool(size=1), RunTerms(name="page 7")
    (first,) = user.push((workloads.print_lines, "one", "two"), terms=named)
    user.result(first)
    (late,) = user.push((time.sleep, 60), terms=RunTerms(name="page 8", timeout_s=0.2))
    user.outcome(late)
    (last,) = user.push((os._exit, 7), terms=named)
    evidence = bytes(user.outcome(last)[1]).decode()
    assert f"into task {last} (page 7)" in evidence
    messages = [record.getMessage() for record in caplog.records]
    assert f"task {first} (page 7): one" in messages
    assert f"task {late} (page 8) has run for more than 0.2 s and is ended" in messages


def test_what_a_running_task_prints_is_logged_once_before_it_ends(
    make_pool: MakePool, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "concurrent.task")
    user = make_pool(size=1)
    (number,) = user.push((workloads.print_and_hold, "under way", gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: bool(caplog.records), "the output is in the log")
    gate.release(pid)
    user.result(number)
    assert [record.getMessage() for record in caplog.records] == [f"task {number}: under way"]


@pytest.mark.parametrize(
    ("function", "how"),
    [
        (workloads.die_by_signal, "was killed by SIGKILL"),
        (workloads.die_by_exit, "ended with exit code 3"),
        (workloads.die_by_segfault, "was killed by SIGSEGV"),
    ],
)
def test_a_death_costs_the_running_task_only(
    make_pool: MakePool, gate: Gate, function: object, how: str
) -> None:
    user = make_pool(size=2)
    (neighbour,) = user.push((workloads.hold, gate.port, "survived"))
    held = gate.wait_for_one()
    before = user.push(*((workloads.square, n) for n in range(20)))
    (deadly,) = user.push((function, "last words"))
    after = user.push(*((workloads.square, n) for n in range(20)))
    status, evidence = user.outcome(deadly)
    text = evidence.decode()
    assert status == DIED
    assert how in text
    assert f"task {deadly}" in text
    assert "last words" in text
    dead = int(text.split()[1])
    for numbers in (before, after):
        assert [user.result(number) for number in numbers] == [n * n for n in range(20)]
    gate.release(held)
    assert user.result(neighbour) == "survived"
    snapshot = user.pool_status()
    assert snapshot.deaths == 1
    assert len(snapshot.running) == 2
    assert dead not in snapshot.running


def test_the_evidence_of_a_segfault_has_the_python_stack(make_pool: MakePool) -> None:
    user = make_pool()
    (number,) = user.push((workloads.die_by_segfault, ""))
    assert b"in die_by_segfault" in user.outcome(number)[1]


def test_an_idle_worker_that_is_killed_is_replaced_and_blames_no_task(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    assert user.results((os.getpid,)) == [*user.pool_status().running]
    (pid,) = user.pool_status().running
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: user.pool_status().deaths == 1, "the death is noticed")
    assert user.results((workloads.square, 5)) == [25]


def test_a_worker_that_starts_slowly_is_waited_for(spawner: SpawnLauncher, make_pool_on: MakePool) -> None:
    user = make_pool_on(spawner, size=1)
    assert user.results(*((workloads.square, n) for n in range(300)))[-1] == 299**2
    assert user.pool_status().deaths == 0


class FlakyLauncher:
    """Reports the first processes as ended at once and has another launcher start the others."""

    def __init__(self, launcher: Launcher, failures: int) -> None:
        self.failures_left = failures
        self._launcher = launcher

    def attach(self, loop: NodeLoop) -> None:
        self._launcher.attach(loop)
        self._loop = loop

    def launch(
        self,
        entry: str,
        sockets: Sequence[socket.socket],
        args: Sequence[Any] = (),
        *,
        output: OutputFile | None = None,
        on_exit: OnExit,
    ) -> Child:
        if self.failures_left == 0:
            return self._launcher.launch(entry, sockets, args, output=output, on_exit=on_exit)
        self.failures_left -= 1
        child = Child(self, self.failures_left, entry, output, on_exit)
        for sock in sockets:
            sock.close()
        self._loop.call_soon(child.ended, 1)
        return child

    def kill(self, child: Child) -> None:
        pass

    def stop(self, timeout_s: float = 5.0) -> None:
        pass


def test_workers_that_die_at_once_are_started_again_with_delays_until_they_live(
    zygote: Zygote, make_pool_on: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    launcher = FlakyLauncher(zygote, failures=4)
    user = make_pool_on(launcher, size=1)
    assert user.results((workloads.square, 3)) == [9]
    assert launcher.failures_left == 0
    assert "workers die as soon as they start" in caplog.text
    assert user.pool_status().deaths == 4


def test_a_pool_whose_workers_never_live_can_be_stopped(zygote: Zygote, make_pool_on: MakePool) -> None:
    user = make_pool_on(FlakyLauncher(zygote, failures=1000), size=2)
    numbers = user.push((workloads.square, 1), (workloads.square, 2))
    assert sorted(user.stop(timeout_s=TIMEOUT_S)) == numbers
    assert user.numbers == []


def test_waiting_and_running_tasks_can_be_cancelled(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    running, waiting, other = user.push(
        (workloads.hold, gate.port), (workloads.square, 1), (workloads.square, 2)
    )
    gate.wait_for_one()
    user.on_loop(user.pool.cancel, [waiting, 12345])
    assert user.outcome(waiting) == (CANCELLED, b"")
    user.on_loop(user.pool.cancel, [running])
    assert user.outcome(running) == (CANCELLED, b"")
    assert user.result(other) == 4
    assert user.pool_status().deaths == 0


def test_cancelling_what_is_finished_changes_nothing(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    (number,) = user.push((workloads.square, 3))
    assert user.result(number) == 9
    user.on_loop(user.pool.cancel, [number])
    assert user.results((workloads.square, 4)) == [16]


def test_only_tasks_that_have_not_started_are_given_back_newest_first(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    running, *waiting = user.push((workloads.hold, gate.port), *((workloads.square, n) for n in range(10)))
    pid = gate.wait_for_one()
    assert user.on_loop(user.pool.give_back, 4) == waiting[:5:-1]
    assert user.on_loop(user.pool.give_back, 100) == waiting[5::-1]
    assert user.on_loop(user.pool.give_back, 1) == []
    gate.release(pid)
    assert user.result(running) == "released"
    assert user.numbers == [running]


def test_no_result_of_a_newcomer_waits_among_those_of_a_flood(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    nap = (time.sleep, 0.002)
    user.results(*[nap] * 50)
    flood = user.push(*[nap] * 1000)
    user.result(flood[50])
    newcomers = user.push_of_another([pickle.dumps((nap[0], nap[1:], {}), PROTOCOL)] * 10)
    assert user.result(newcomers[-1]) is None
    report = next(numbers for numbers in user.reports if newcomers[-1] in numbers)
    assert len(report) - report.index(newcomers[-1]) <= 3  # with what waits for others it would be 10 and more


def test_a_task_cleans_up_before_it_travels_home(make_pool: MakePool) -> None:
    ((result, task),) = make_pool().results(workloads.Cleaning(bytes(1000)))
    assert result == 1000
    assert task.data == b""


def test_stop_lets_running_tasks_finish_and_returns_the_others(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    running, *waiting = user.push((workloads.hold, gate.port), *((workloads.square, n) for n in range(5)))
    pid = gate.wait_for_one()
    stopped = user.on_loop(user.pool.stop, TIMEOUT_S)
    statuses: list[int] = []
    stopped.add_done_callback(lambda _: statuses.append(user.status(running)))
    gate.release(pid)
    assert stopped.result(TIMEOUT_S) == waiting
    assert statuses == [FINISHED], "the outcome was reported before the pool had stopped"
    assert user.numbers == [running]


def test_stop_kills_what_runs_longer_than_it_may(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    running, waiting = user.push((workloads.hold, gate.port), (workloads.square, 1))
    gate.wait_for_one()
    assert user.stop(timeout_s=0.05) == [running, waiting]
    assert user.numbers == []


def test_a_worker_that_dies_while_the_pool_stops_is_reported(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    (running,) = user.push((workloads.hold, gate.port))
    pid = gate.wait_for_one()
    stopped = user.on_loop(user.pool.stop, TIMEOUT_S)
    os.kill(pid, signal.SIGKILL)
    assert stopped.result(TIMEOUT_S) == []
    assert user.status(running) == DIED


def test_tasks_can_be_cancelled_while_the_pool_stops(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    running, waiting, other = user.push(
        (workloads.hold, gate.port), (workloads.square, 1), (workloads.square, 1)
    )
    gate.wait_for_one()
    stopped = user.on_loop(user.pool.stop, TIMEOUT_S)
    user.on_loop(user.pool.cancel, [running, waiting])
    assert stopped.result(TIMEOUT_S) == [other]
    assert user.status(running) == user.status(waiting) == CANCELLED


def test_an_abandoned_pool_is_silent_and_a_new_one_starts_at_once(make_pool: MakePool, gate: Gate) -> None:
    old = make_pool(size=2)
    numbers = old.push(
        (workloads.hold, gate.port), (workloads.hold, gate.port), *((workloads.square, n) for n in range(50))
    )
    gate.wait_for_one()
    gate.wait_for_one()
    reported = old.abandon()
    new = make_pool(size=2)
    assert new.results(*((workloads.square, n) for n in range(50))) == [n * n for n in range(50)]
    assert sorted(reported + old.stop()) == numbers
    assert old.numbers == reported


def test_no_result_is_reported_once_a_busy_pool_is_abandoned(make_pool: MakePool) -> None:
    user = make_pool(size=2)
    numbers = user.push(*((workloads.square, n) for n in range(20_000)))
    user.outcome(numbers[100])
    reported = user.abandon()
    assert sorted(reported + user.stop()) == numbers
    assert user.numbers == reported


def test_a_stop_that_waits_can_be_cut_short(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(size=1)
    (running,) = user.push((workloads.hold, gate.port))
    gate.wait_for_one()
    stopped = user.on_loop(user.pool.stop, TIMEOUT_S)
    assert user.stop(timeout_s=0) == [running]
    assert stopped.done()


def test_the_window_follows_the_duration_of_tasks(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    first = user.pool.window
    user.results(*((workloads.square, n) for n in range(3000)))
    wait_until(lambda: bool(user.windows), "a window was reported")
    assert user.windows[-1] > first
    assert user.pool.window == user.windows[-1]


def test_tasks_need_their_code_first(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    assert not user.on_loop(user.pool.run, APP, 1, [0], [b""])
    with pytest.raises(SchedulingError, match=r"blob 1 .* before blob 0"):
        user.on_loop(user.pool.define, APP, 1, b"")


def test_forgotten_code_is_an_error_of_the_tasks_that_need_it(make_pool: MakePool) -> None:
    user = make_pool(size=1)
    payload = user.book.dumps_payload((plugin_code.shifted, (1,), {}))
    assert user.result(user.push_payloads([payload])[0]) == 1001
    user.on_loop(user.pool.forget, APP)
    user.on_loop(user.pool.run, APP, 0, [1], [payload])
    status, failure = user.outcome(1)
    assert "blob 0" in str(loads_failure(failure, user.book)), status


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff" * 64,
        (8 << 30).to_bytes(8, "big") + bytes(4),
        pack_message(RESULTS, [1], [0], 0.0, [], [b"x"])[0],
        pack_message(RESULTS, [0], [0], 0.0, [7], [b"x"])[0],
        pack_message(RESULTS, [0], [0], 0.0, [], [Frame(bytes(9))], place=lambda _frame: 2 * RESULT_BYTES_MAX)[
            0
        ],
        pack_message(RESULTS, [0], [0], 0.0, [], [Frame(bytes(9))], place=lambda _frame: -65536)[0],
    ],
    ids=[
        "garbage",
        "a message of 8 GiB",
        "another task's result",
        "output that is none",
        "a result behind its memory",
        "a result before its memory",
    ],
)
def test_a_worker_that_sends_nonsense_is_killed_and_only_its_task_to_blame(
    make_pool: MakePool, nonsense: bytes
) -> None:
    user = make_pool(size=1)
    bad, good = user.push((workloads.write_to_all_sockets, bytes(nonsense)), (workloads.square, 3))
    status, evidence = user.outcome(bad)
    assert status == DIED
    assert b"SIGKILL" in bytes(evidence)
    assert user.result(good) == 9
