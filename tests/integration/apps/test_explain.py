"""Why a task waits: what futures, the JSON API and the command say, who may ask, and older masters."""

from __future__ import annotations

import json
import operator
import time
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest

from concurrent.apps import ClusterExecutor, LocalCluster, MasterNode
from concurrent.apps.main import main
from concurrent.apps.taskfuture import TaskFuture
from concurrent.core.errors import InvalidArguments, JobUnknown, NodeError, NotAllowed
from concurrent.scheduling.tasks.explanation import (
    AT_SLAVE,
    BETWEEN_TRIES,
    ENDED,
    NOT_THERE,
    QUEUED,
    RUNNING,
    Explanation,
    JobExplanation,
)
from concurrent.scheduling.tasks.outcome import CANCELLED
from concurrent.scheduling.tasks.retry import Retry
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import MakeMaster, MakePeerAt
from tests.integration.apps.fakejobs import FakeJobs
from tests.integration.apps.fakemaster import Master
from tests.integration.apps.peers import TIMEOUT_S, MakePeer
from tests.integration.apps.whoever import ask_as, attach_as, member, peer_as, register_as

ANN = member(Role.SUBMIT, "ann")
BOB = member(Role.SUBMIT, "bob")
CHIEF = member(Role.ADMIN, "chief")
WINDOW = member(Role.OBSERVE, "window")


def explained(future: TaskFuture[object], is_it: Callable[[Explanation], bool]) -> Explanation:
    """Ask until an explanation is that which is waited for."""
    deadline = time.monotonic() + TIMEOUT_S
    while not is_it(found := future.explain()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def waits_for(words: str) -> Callable[[Explanation], bool]:
    return lambda found: found.waits_for == words


def test_a_future_says_what_it_claims_and_nobody_has(local_cluster: LocalCluster) -> None:
    future = local_cluster.options(resources={"gpu": 1}, name="train").submit(operator.add, 1, 2)
    try:
        found = explained(future, waits_for("a slave with enough gpu"))
    finally:
        future.cancel()
    assert (found.state, found.name, found.able, found.slaves) == (QUEUED, "train", 0, 1)
    assert found.because == ("gpu: needs 1, offered by 0 of 1 slaves",)
    assert found.asks == {"resources": {"gpu": 1}}
    assert "gpu=1" in str(found)
    assert future.explain().state == ENDED


def test_a_future_says_that_it_runs_or_waits_behind_others(
    local_cluster: LocalCluster,
) -> None:
    futures = [local_cluster.submit(time.sleep, 60) for _ in range(50)]
    try:
        runs = explained(futures[0], lambda found: found.state == RUNNING)
        waits = explained(futures[-1], lambda found: found.state in (QUEUED, AT_SLAVE))
    finally:
        for future in futures:
            future.cancel()
    assert runs.slave
    assert runs.because[0].startswith("it has run for ")
    assert waits.waits_for
    assert waits.because


def test_a_future_says_when_it_is_tried_again(local_cluster: LocalCluster) -> None:
    future = local_cluster.options(retry=Retry(2, delay_s=3600.0)).submit(operator.truediv, 1, 0)
    try:
        found = explained(future, lambda found: found.state == BETWEEN_TRIES)
    finally:
        future.cancel()
    assert found.because == ("it raised ZeroDivisionError: division by zero",)
    assert found.then.startswith("it is queued again in ")
    assert found.then.endswith("try 2 of 3")


def test_without_a_master_it_says_what_the_program_waits_for(fake_master: Master) -> None:
    fake_master.answers.clear()  # so it does not join
    with ClusterExecutor(f"127.0.0.1:{fake_master.api.port}") as cluster:
        future = cluster.submit(abs, -1)
        found = future.explain()
        assert (found.state, found.able) == (NOT_THERE, 0)
        assert found.waits_for
        future.cancel()


def test_a_master_that_does_not_know_it_is_said_to_be_older(fake_master: Master) -> None:
    with ClusterExecutor(f"127.0.0.1:{fake_master.api.port}") as cluster:
        future = cluster.submit(abs, -1)
        session = fake_master.sessions.get(timeout=TIMEOUT_S)
        with pytest.raises(NodeError, match="of an older version"):
            explained(future, lambda found: found.state != NOT_THERE)
        session.cast("finished", [future.task_id], [CANCELLED], [b""], 1)
        with pytest.raises(CancelledError):
            future.result(TIMEOUT_S)


def test_whoever_may_see_a_job_may_have_its_tasks_explained(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    program = peer_as(peer_at, master, ANN, "application-1")
    attach_as(master, program, name="hunt", keep_s=100.0)
    program.call("push_tasks", 1, 0, [[0, {"name": "look"}]], [b"a", b"b"])
    number = ask_as(master, ANN, "explain", "hunt/1")["task"]
    for one in (ANN, CHIEF, THIS_USER):
        for text in ("hunt/1", str(number)):
            found = Explanation.from_json(ask_as(master, one, "explain", text))
            assert (found.id, found.owner, found.name, found.state) == (1, "hunt", "look", QUEUED)
        whole = JobExplanation.from_json(ask_as(master, one, "explain_job", "hunt"))
        assert (whole.owner, whole.open, [wait.count for wait in whole.waits]) == ("hunt", 2, [2])
    for text in ("hunt/1", "hunt"):
        with pytest.raises(JobUnknown, match="no job 'hunt' of yours"):
            ask_as(master, BOB, "explain" if "/" in text else "explain_job", text)
    with pytest.raises(NodeError, match=rf"no open task {number} of yours.*concurrent explain JOB"):
        ask_as(master, BOB, "explain", str(number))
    for method in ("explain", "explain_job"):
        with pytest.raises(NotAllowed):
            ask_as(master, WINDOW, method, "hunt/1")
    program.call("cancel", [1])
    assert ask_as(master, ANN, "explain", "hunt/1")["state"] == ENDED
    assert ask_as(master, ANN, "explain", "hunt/3")["state"] == NOT_THERE
    with pytest.raises(InvalidArguments, match="'hunt' names no task"):
        ask_as(master, ANN, "explain", "hunt")


def test_tasks_of_a_program_without_a_job_are_its_own(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_as(peer_at, master, ANN, "application-1")
    register_as(master, program, "application")
    program.call("register_application", "application-1")
    program.call("push_tasks", 1, 0, 1, [b"a"])
    for one in (ANN, CHIEF):
        assert ask_as(master, one, "explain", "application-1/1")["state"] == QUEUED
        assert ask_as(master, one, "explain", "1")["owner"] == "application-1"
        assert ask_as(master, one, "explain_job", "application-1")["open"] == 1
    for text in ("application-1/1", "1"):
        with pytest.raises(NodeError):
            ask_as(master, BOB, "explain", text)


def test_an_owner_asks_on_its_session(peer: MakePeer) -> None:
    owner, slave = peer("application-1"), peer("slave-1")
    owner.join("application")
    owner.call("push_tasks", 1, 0, 1, [b"a"])
    assert owner.call("explain", 1)["waits_for"] == "a slave"
    assert owner.call("explain", 2)["state"] == NOT_THERE
    slave.join("slave", workers=1, window=5)
    slave.next("run")
    assert owner.call("explain", 1)["slave"] == "slave-1"
    with pytest.raises(InvalidArguments, match="task_id"):
        owner.call("explain", -1)
    with pytest.raises(NodeError, match="has not joined as application"):
        slave.call("explain", 1)


def test_what_a_slave_lacks_is_told_to_those_who_ask(master: MasterNode, peer: MakePeer) -> None:
    owner, slave = peer("application-1"), peer("slave-1")
    owner.join("application")
    slave.join("slave", workers=1, window=5)
    slave.call("set_window", 0)
    slave.call("lacks", "it\x1b lacks memory, " + "x" * 1000)
    owner.call("push_tasks", 1, 0, 1, [b"a"])
    told = ("it? lacks memory, " + "x" * 1000)[:200]
    assert owner.call("explain", 1)["because"] == [f"no tasks are wanted now by slave-1: {told}"]
    (line,) = [row["lacks"] for row in master.snapshot()["tasks"]["slaves"]]
    assert line == told
    slave.call("lacks", "")
    assert owner.call("explain", 1)["because"] == ["no tasks are wanted now by slave-1"]
    with pytest.raises(NodeError, match="has not joined as slave"):
        owner.call("lacks", "something")


def test_the_command_prints_a_task_or_a_job_and_commands_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake = FakeJobs()
    try:
        for text, said in (("hunt/7", "task 7 of hunt"), ("7", "task 7 of hunt"), ("k3f9", "640 tasks open")):
            assert main(["explain", text, "-m", fake.address]) == 0
            out = capsys.readouterr().out
            assert said in out
            assert "\x1b" not in out
        assert main(["explain", "hunt/7", "--json", "-m", fake.address]) == 0
        assert json.loads(capsys.readouterr().out)["state"] == ENDED
        assert main(["explain", "hnut/7", "-m", fake.address]) == 3
        assert "Did you mean hunt?" in capsys.readouterr().err
    finally:
        fake.stop()
