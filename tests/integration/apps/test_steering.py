"""What people do to a running cluster: slaves are drained, tasks cancelled and begun again, by who may."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import ApplicationNode, ClusterExecutor, MasterNode
from concurrent.apps.steered import CancelAnswer, DrainAnswer, DrainList, RetryAnswer
from concurrent.apps.taskchoice import NAMED_MAX
from concurrent.core import Environment
from concurrent.core.errors import InvalidArguments, JobUnknown, NodeError, NotAllowed
from concurrent.core.rows import ROWS_MAX
from concurrent.scheduling import ISystemMaster, ITaskSystem, Task
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED
from concurrent.scheduling.tasks.retry import Retry
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import MakeMaster, MakePeerAt, a_slave, crashed, outcomes, push
from tests.integration.apps.peers import TIMEOUT_S, Peer
from tests.integration.apps.test_audit import Audit, Line
from tests.integration.apps.whoever import ask_as, attach_as, member, peer_as, register_as
from tests.system.cluster import wait_until

ANN = member(Role.SUBMIT, "ann")
BOB = member(Role.SUBMIT, "bob")
CHIEF = member(Role.ADMIN, "chief")
WINDOW = member(Role.OBSERVE, "window")

DRAINS = {"drained": "drains"}


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def audited(make_master: MakeMaster, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> MasterNode:
    monkeypatch.setattr("concurrent.apps.masterkeys.AuditLog", lambda _path: audit)
    return make_master()


def hunter(master: MasterNode, peer_at: MakePeerAt, *names: str, identity: Any = ANN) -> Peer:
    """Return a program with a job, which has pushed tasks of these names; equal ones stand together."""
    program = peer_as(peer_at, master, identity, "application-1")
    attach_as(master, program, name="hunt", keep_s=100.0)
    terms = [[names.index(name), {"name": name}] for name in dict.fromkeys(names)]
    program.call("push_tasks", 1, 0, terms, [b"x"] * len(names))
    return program


def cancelled(master: MasterNode, identity: Any = ANN, *args: Any, **kwargs: Any) -> CancelAnswer:
    return CancelAnswer.from_json(ask_as(master, identity, "cancel_tasks", *args, **kwargs))


def retried(master: MasterNode, identity: Any = ANN, *args: Any, **kwargs: Any) -> RetryAnswer:
    return RetryAnswer.from_json(ask_as(master, identity, "retry_tasks", *args, **kwargs))


def drain(master: MasterNode, slave: str, timeout_s: float | None = None) -> DrainAnswer:
    return DrainAnswer.from_json(ask_as(master, CHIEF, "drain", slave, timeout_s))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def test_an_admin_drains_a_slave_which_hears_of_it_and_gets_nothing(
    audited: MasterNode, peer_at: MakePeerAt, audit: Audit
) -> None:
    slave = a_slave(peer_at, audited, more=DRAINS)
    program = hunter(audited, peer_at, "look", "look")
    numbers = [*slave.next("run")[2], *slave.next("run")[2]]
    answer = drain(audited, "slave-1")
    assert (answer.slave, answer.drain, answer.drained_by) == ("slave-1", "draining", "admin:chief")
    assert slave.next("drained") == ("admin:chief",)
    slave.next("give_back")
    slave.call("returned", numbers[1:])
    slave.call("done", numbers[:1], [FINISHED], [b"seen"], 0.1)
    assert outcomes(program, 1) == {1: (FINISHED, b"seen")}
    row = audited.snapshot()["tasks"]["slaves"][0]
    assert (row["drain"], row["drained_by"], row["held"]) == ("drained", "admin:chief", 0)
    explained = ask_as(audited, ANN, "explain", "hunt/2")
    assert explained["because"] == ["slave-1 is drained by admin:chief"]
    assert DrainAnswer.from_json(ask_as(audited, CHIEF, "resume", str(answer.number))).drain == ""
    assert slave.next("drained") == ("",)
    assert slave.next("run")[2] == numbers[1:]
    for identity in (ANN, WINDOW):
        with pytest.raises(NotAllowed):
            ask_as(audited, identity, "drain", "slave-1")
    audited.loop.call(bool, timeout_s=TIMEOUT_S)  # refusals are written there
    done = [line for line in audit.lines if line.action in ("drain", "resume")]
    assert done == [
        Line("drain", "admin chief", "slave slave-1", "done"),
        Line("resume", "admin chief", f"slave {answer.number}", "done"),
    ]
    assert [line.obj for line in audit.lines if line.result == "refused"] == ["drain", "drain"]


def test_an_older_slave_is_only_asked_for_what_it_has_not_begun(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    slave = a_slave(peer_at, master)
    hunter(master, peer_at, "look", "look")
    assert len([*slave.next("run")[2], *slave.next("run")[2]]) == 2
    drain(master, "slave-1")
    assert slave.next("give_back") == (2,)
    assert "drained" not in [method for method, *_ in slave.heard()]


def test_which_slave_is_meant(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    for index, name in enumerate(("rack", "desk", "desk")):
        one = peer_at(master, f"slave-{name}-{index}")
        one.join("slave", workers=1, window=5, name=name)
    assert drain(master, "rack").slave == "slave-rack-0"
    assert drain(master, "slave-desk-1").slave == "slave-desk-1"
    with pytest.raises(NodeError, match=r"2 slaves are called 'desk': slave-desk-1, slave-desk-2"):
        drain(master, "desk")
    with pytest.raises(NodeError, match=r"no slave 'rock' at this master.*Did you mean rack\?"):
        drain(master, "rock")
    with pytest.raises(NodeError, match=r"no slave '9999"):
        drain(master, "9" * 5000)
    with pytest.raises(InvalidArguments, match="after must be from 0"):
        ask_as(master, CHIEF, "slave_log", "rack", 1 << 70)
    with pytest.raises(InvalidArguments, match="timeout_s"):
        drain(master, "rack", -1.0)


def test_one_of_many_drained_slaves_is_found(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    for index in range(ROWS_MAX + 1):
        make = partial(master.dispatcher.slaves.drain, f"slave-{index}", "ann", 1000.0 + index)
        master.loop.call(make, timeout_s=TIMEOUT_S)
    every = DrainList.from_json(ask_as(master, WINDOW, "drains"))
    assert (every.total, every.left_out) == (ROWS_MAX + 1, 1)
    (first,) = DrainList.from_json(ask_as(master, WINDOW, "drains", "slave-0")).items
    assert (first.slave, first.drained_by) == ("slave-0", "ann")
    assert DrainList.from_json(ask_as(master, WINDOW, "drains", "slave")).items == ()


def test_what_a_slave_runs_begins_elsewhere_when_its_time_is_over(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    slave = a_slave(peer_at, master)
    program = hunter(master, peer_at, "look")
    numbers = slave.next("run")[2]
    drain(master, "slave-1", 0.05)
    assert slave.next("cancel")[0] == numbers
    other = a_slave(peer_at, master, "slave-2")
    _owner, _code, again, _payloads = other.next("run")
    assert again != numbers
    slave.call("done", numbers, [CANCELLED], [b""], 0.1)
    other.call("done", again, [FINISHED], [b"seen"], 0.1)
    assert outcomes(program, 1) == {1: (FINISHED, b"seen")}


def test_a_journal_keeps_who_is_drained(make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path) -> None:
    first = make_master()
    a_slave(peer_at, first)
    drain(first, "slave-1")
    second = make_master(crashed(tmp_path, first))
    slave = a_slave(peer_at, second, more=DRAINS)
    assert slave.next("drained") == ("admin:chief",)
    assert second.snapshot()["tasks"]["slaves"][0]["drain"] == "drained"


def test_tasks_are_cancelled_by_name_by_function_and_by_job(
    audited: MasterNode, peer_at: MakePeerAt, audit: Audit
) -> None:
    program = hunter(audited, peer_at, "look", "look", "dig", "dig", "dig", "run")
    number = ask_as(audited, ANN, "explain", "hunt/6")["task"]
    assert cancelled(audited, ANN, ["hunt/1", "hunt/99"]) == CancelAnswer(1, 0, 1)
    assert cancelled(audited, ANN, [str(number)]) == CancelAnswer(1, 0, 0)
    assert cancelled(audited, ANN, job="hunt", function="dig", dry_run=True) == CancelAnswer(3, 0, 0)
    assert cancelled(audited, ANN, job="hunt", function="dig") == CancelAnswer(3, 0, 0)
    assert cancelled(audited, CHIEF, function="look") == CancelAnswer(1, 0, 0)
    found = outcomes(program, 6)
    assert found == {
        **dict.fromkeys((1, 3, 4, 5, 6), (CANCELLED, b"submit:ann")),
        2: (CANCELLED, b"admin:chief"),
    }
    push(program, 7, b"later")
    assert cancelled(audited, ANN, job="hunt") == CancelAnswer(1, 0, 0)
    assert [line.obj for line in audit.lines if line.action == "cancel_tasks"] == [
        "tasks hunt/1, hunt/99",
        f"tasks {number}",
        "job hunt, function dig",
        "function look",
        "job hunt",
    ]


def test_what_is_not_there_is_said_with_what_was_meant(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    hunter(master, peer_at, "look", "dig")
    with pytest.raises(NodeError, match=r"none of 2 open tasks is called 'lok'.*Did you mean look\?"):
        cancelled(master, ANN, job="hunt", function="lok")
    with pytest.raises(NodeError, match=r"no application 'hnut' of yours.*Did you mean hunt\?"):
        cancelled(master, ANN, application="hnut")
    with pytest.raises(InvalidArguments, match="no task is meant"):
        cancelled(master, ANN)
    with pytest.raises(InvalidArguments, match="'look' names no task"):
        cancelled(master, ANN, ["look"])
    with pytest.raises(InvalidArguments, match="tasks are named, and a job"):
        cancelled(master, ANN, ["hunt/1"], job="hunt")
    with pytest.raises(InvalidArguments, match="up to 10,000 tasks may be named"):
        cancelled(master, ANN, ["hunt/1"] * (NAMED_MAX + 1))
    assert cancelled(master, ANN, application="hunt") == CancelAnswer(2, 0, 0)


def test_nobody_touches_the_tasks_of_others(audited: MasterNode, peer_at: MakePeerAt, audit: Audit) -> None:
    hunter(audited, peer_at, "look")
    number = ask_as(audited, ANN, "explain", "hunt/1")["task"]
    for act in (cancelled, retried):
        with pytest.raises(JobUnknown):
            act(audited, BOB, ["hunt/1"])
        with pytest.raises(JobUnknown):
            act(audited, BOB, job="hunt")
        assert act(audited, BOB, [str(number)]).not_open == 1
        assert act(audited, BOB, function="look").not_open == 0
        with pytest.raises(NotAllowed):
            act(audited, WINDOW, ["hunt/1"])
    assert ask_as(audited, ANN, "explain", "hunt/1")["state"] == "queued"
    refused = [line for line in audit.lines if line.result == "refused" and "hunt" in line.obj]
    assert [(line.action, line.who) for line in refused] == [
        ("cancel_tasks", "submit bob"),
        ("cancel_tasks", "submit bob"),
        ("retry_tasks", "submit bob"),
        ("retry_tasks", "submit bob"),
    ]


def test_tasks_of_a_program_without_a_job_are_cancelled_too(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_as(peer_at, master, ANN, "application-1")
    register_as(master, program, "application")
    program.call("register_application", "application-1")
    program.call("push_tasks", 1, 0, 1, [b"a", b"b"])
    assert cancelled(master, ANN, application="application-1") == CancelAnswer(2, 0, 0)
    assert outcomes(program, 2) == dict.fromkeys((1, 2), (CANCELLED, b"submit:ann"))


class Waits(ITaskSystem):
    """A task system whose tasks wait for a slave."""

    def init_system(self, master: ISystemMaster) -> None:
        """Nothing has to be kept."""

    def generate_tasks(self, master: ISystemMaster) -> Sequence[Task]:
        return [Task() for _ in range(3)]

    def task_finished(
        self, master: ISystemMaster, task: Task, result: Any, error: BaseException | None
    ) -> None:
        """Nothing is made of it."""

    def is_complete(self, master: ISystemMaster) -> bool:
        return False

    def gather_result(self, master: ISystemMaster) -> int:
        return 0


class Waiting(ApplicationNode):
    """Has a task system."""


def test_tasks_of_the_task_systems_of_a_program_without_a_job_are_its_own(master: MasterNode) -> None:
    overrides = {"application.master": f"127.0.0.1:{master.api_service_v1.port}"}
    env = Environment(overrides=overrides, variables={})
    env.register(Waiting)
    program = env[Waiting]
    program.start()
    try:
        wait_until(lambda: program.client.state == "joined", "the program joins")
        program.push_tasksystem(Waits())
        found = lambda: cancelled(master, THIS_USER, application=program.node_id, dry_run=True)  # noqa: E731
        wait_until(lambda: found().waiting == 3, "the system pushes its tasks")
        assert cancelled(master, THIS_USER, application=program.node_id) == CancelAnswer(3, 0, 0)
    finally:
        program.stop()


def test_futures_end_as_cancelled_and_what_runs_is_killed(make_master: MakeMaster) -> None:
    master = make_master(master__workers="1")
    with ClusterExecutor(f"127.0.0.1:{master.api_service_v1.port}") as cluster:
        runs, waits = cluster.submit(time.sleep, 60), cluster.submit(time.sleep, 60)
        other = cluster.submit(pow, 2, 5)
        until(runs.running)
        assert cancelled(master, THIS_USER, function="sleep") == CancelAnswer(1, 1, 0)
        for future in (runs, waits):
            with pytest.raises(CancelledError):
                future.result(TIMEOUT_S)
        assert other.result(TIMEOUT_S) == 32


def runs_of(folder: Path, seconds: float) -> int:
    """Take note that a task runs, and run for a while the first time; return how often it has begun."""
    count = len(list(folder.iterdir())) + 1
    (folder / str(count)).touch()
    if count == 1:
        time.sleep(seconds)
    return count


def test_a_task_that_runs_begins_again_at_once(make_master: MakeMaster, tmp_path: Path) -> None:
    master = make_master(master__workers="1")
    folder = tmp_path / "runs"
    folder.mkdir()
    with ClusterExecutor(f"127.0.0.1:{master.api_service_v1.port}", own_modules=["tests"]) as cluster:
        future = cluster.submit(runs_of, folder, 60)
        until(lambda: (folder / "1").exists())
        assert retried(master, THIS_USER, function="runs_of") == RetryAnswer(0, 1, 0, 0, 0)
        assert future.result(TIMEOUT_S) == 2


def fails_once(folder: Path) -> str:
    """Fail the first time."""
    if not list(folder.iterdir()):
        (folder / "1").touch()
        raise OSError("not yet")
    return "done"


def test_a_task_that_waits_for_its_next_try_begins_it_now(make_master: MakeMaster, tmp_path: Path) -> None:
    master = make_master(master__workers="1")
    folder = tmp_path / "tries"
    folder.mkdir()
    with ClusterExecutor(f"127.0.0.1:{master.api_service_v1.port}", own_modules=["tests"]) as cluster:
        future = cluster.options(retry=Retry(1, delay_s=3600.0)).submit(fails_once, folder)
        until(lambda: future.explain().state == "between tries")
        assert retried(master, THIS_USER, [str(future.explain().task)]) == RetryAnswer(1, 0, 0, 0, 0)
        assert future.result(TIMEOUT_S) == "done"


def test_one_that_has_failed_is_left_and_so_is_one_that_waits_for_a_slave(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    hunter(master, peer_at, "look")
    assert retried(master, ANN, ["hunt/1", "hunt/9"]) == RetryAnswer(0, 0, 1, 1, 0)
    assert retried(master, ANN, job="hunt", dry_run=True) == RetryAnswer(0, 0, 1, 0, 0)
