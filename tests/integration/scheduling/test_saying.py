"""What tasks say of themselves at a slave: how far they are, and what they print."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from concurrent.scheduling import TaskProgress
from concurrent.scheduling.tasks.outcome import FINISHED
from tests.integration.scheduling import workloads
from tests.integration.scheduling.pool_user import Gate, PoolUser, wait_until

MakePool = Callable[..., PoolUser]


def latest(user: PoolUser, number: int) -> TaskProgress | None:
    return user.progress.get(number, [None])[-1]


def output_of(user: PoolUser, number: int) -> str:
    output: str = user.on_loop(user.pool.output_of, number)
    return output


def test_a_running_task_is_heard_and_its_output_can_be_asked_for(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(1)
    (number,) = user.push((workloads.say_and_hold, gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: latest(user, number) == (1, 2, "holds"), "its progress")
    assert output_of(user, number) == "first line\n"
    assert output_of(user, number + 1) == ""
    gate.release(pid)
    assert user.status(number) == FINISHED
    assert latest(user, number) == (2, 2, "")
    assert user.printed[number] == "first line\nlast line\n"
    assert output_of(user, number) == ""


def test_a_short_task_is_heard_once_before_its_outcome(make_pool: MakePool) -> None:
    user = make_pool(1)
    numbers = user.push(*[(workloads.say, one) for one in range(20)])
    for number, one in zip(numbers, range(20), strict=True):
        assert user.result(number) == one
        assert latest(user, number) == (one, 20, f"step {one}")
        assert user.printed[number] == f"this is {one}\n"


def test_threads_and_forks_of_a_task_are_heard(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(1)
    (number,) = user.push((workloads.say_elsewhere, "thread", gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: latest(user, number) == (1, 2, "thread"), "what a thread says")
    gate.release(pid)
    assert user.status(number) == FINISHED
    (number,) = user.push((workloads.say_elsewhere, "fork", gate.port))
    pid = gate.wait_for_one()
    wait_until(lambda: latest(user, number) == (1, 2, "fork"), "what a fork says")
    assert "INFO in the fork" in output_of(user, number)
    gate.release(pid)
    assert user.status(number) == FINISHED


def test_what_a_killed_task_said_last_is_known(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(1)
    (number,) = user.push((workloads.say_and_hold, gate.port))
    os.kill(gate.wait_for_one(), signal.SIGKILL)
    user.outcome(number)
    assert latest(user, number) == (1, 2, "holds")
    assert user.printed[number] == "first line\n"


def test_of_much_output_the_end_is_there_and_how_much_is_left_out(make_pool: MakePool, gate: Gate) -> None:
    user = make_pool(1)
    (number,) = user.push((workloads.flood_and_hold, gate.port))
    pid = gate.wait_for_one()
    lines = output_of(user, number).splitlines()
    assert lines[0].startswith("... ")
    assert "bytes of its output are left out here" in lines[0]
    assert lines[-1] == "the end"
    left_out_bytes = int(lines[0].split()[1])
    assert left_out_bytes + len("\n".join(lines[1:])) + 1 == workloads.FLOOD_BYTES + len("the end\n")
    gate.release(pid)
    assert user.status(number) == FINISHED
    assert user.printed[number].splitlines() == lines


def test_a_task_may_close_all_that_is_open_and_say_on(make_pool: MakePool) -> None:
    user = make_pool(1)
    (number,) = user.push((workloads.close_all_and_say,))
    user.outcome(number)
    assert latest(user, number) == (1, 1, "closed")
