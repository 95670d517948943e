"""The commands that steer a cluster: what they have a master do, what they print, and what they ask before."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from concurrent.apps import ClusterExecutor, MasterNode
from concurrent.apps.main import main
from concurrent.scheduling.tasks.outcome import FAILED
from tests.integration.apps.durable import MakeMaster, MakePeerAt, a_slave, attach, outcomes
from tests.integration.apps.peers import TIMEOUT_S, Peer
from tests.ways import both_ways

Run = Callable[..., str]


@pytest.fixture
def master(make_master: MakeMaster) -> MasterNode:
    return make_master()


@pytest.fixture
def program(master: MasterNode, peer_at: MakePeerAt) -> Peer:
    """A program whose job has two tasks that look and one that digs."""
    made = peer_at(master, "application-1")
    attach(made, name="hunt", keep_s=100.0)
    made.call("push_tasks", 1, 0, [[0, {"name": "look"}], [2, {"name": "dig"}]], [b"a", b"b", b"c"])
    return made


@pytest.fixture
def run(master: MasterNode, program: Peer, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command at the master; return what it prints, or says of an error."""

    def run(*words: str, code: int = 0) -> str:
        assert main([*words, "-m", f"127.0.0.1:{master.api_service_v1.port}"]) == code
        said = capsys.readouterr()
        return (said.err if code else "") or said.out

    return run


def test_one_task_is_cancelled_without_a_question(run: Run, program: Peer) -> None:
    assert run("cancel", "hunt/1") == "1 task is cancelled: 1 waiting, 0 running\n"
    assert list(outcomes(program, 1)) == [1]
    assert run("cancel", "hunt/1").splitlines() == [
        "no task was open, so none is cancelled",
        "1 of those that were named are not open: ended, or not yours",
    ]


def test_several_are_cancelled_when_that_is_meant(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("cancel", "--function", "look", code=2)
    assert "2 tasks would be cancelled (2 waiting, 0 running), and there is no terminal" in said
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, code in (("n", 1), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda text, answer=answer: asked.append(text) or answer)
        run("cancel", "hunt", "--function", "look", code=code)
    assert asked == ["Cancel 2 tasks (2 waiting, 0 running)? [y/N] "] * 2
    assert json.loads(run("cancel", "--application", "hunt", "--yes", "--json"))["waiting"] == 1


def test_a_whole_job_is_cancelled_as_ever(run: Run, program: Peer) -> None:
    assert run("cancel", "hunt").startswith("job hunt is cancelled; to remove it: concurrent forget hunt ")
    assert len(outcomes(program, 3)) == 3
    assert json.loads(run("cancel", "--job", "hunt", "--json"))["how"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["cancel"], "no task is named"),
        (["retry"], "no task is named"),
        (["cancel", "hunt", "hunt/1"], "these are not cancelled together: hunt, hunt/1"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(run: Run, words: list[str], says: str) -> None:
    assert says in run(*words, code=2)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["cancel", "hnut/1"], "Did you mean hunt?"),
        (["cancel", "--job", "hnut", "--function", "look"], "Did you mean hunt?"),
        (["cancel", "--function", "lok"], "Did you mean look?"),
        (["retry", "--application", "hnt"], "Did you mean hunt?"),
        (["drain", "slave-2"], "Did you mean slave-1?"),
        (["resume", "slave-2"], "Did you mean slave-1?"),
    ],
)
def test_what_was_meant_is_said(
    run: Run, master: MasterNode, peer_at: MakePeerAt, words: list[str], meant: str
) -> None:
    a_slave(peer_at, master)
    assert meant in run(*words, code=3)


def test_tasks_begin_again(run: Run, master: MasterNode, peer_at: MakePeerAt) -> None:
    assert run("retry", "hunt/1", "hunt/77").splitlines() == [
        "no task begins again",
        "1 task waits for a slave: 'concurrent explain TASK' says for which",
        "1 of those that were named is not open: ended, or not yours",
    ]
    slave = a_slave(peer_at, master)
    slave.next("run")
    said = run("retry", "--job", "hunt", "--function", "dig").splitlines()[0]
    assert said == "1 task begins again: 0 waited, 1 were at slaves and are ended there"
    assert slave.next("cancel")
    slave.call("done", [json.loads(run("explain", "hunt/1", "--json"))["task"]], [FAILED], [b""], 0.1)
    assert run("retry", "hunt/1", code=1).splitlines() == [
        "no task begins again",
        "1 task has failed for good, which is not undone; --failed says what to do",
    ]
    said = run("retry", "--job", "hunt", "--failed", code=3)
    assert "of job hunt, 1 has failed, and what has failed is not tried again" in said
    assert "under another key" in said


def test_a_slave_is_drained_and_resumed(run: Run, master: MasterNode, peer_at: MakePeerAt) -> None:
    slave = a_slave(peer_at, master)
    slave.next("run")
    assert run("drain", "slave-1") == "slave slave-1 is draining: it gets nothing more, and has 3 tasks still\n"
    assert "drained by the user of the master" in run("status")
    assert "\nslave-1  " in (table := run("status"))
    assert " draining " in table
    assert json.loads(run("drain", "slave-1", "--timeout", "0", "--wait", "--json"))["drain"] == "drained"
    assert slave.next("cancel")
    assert run("resume", "slave-1") == "slave slave-1 takes tasks\n"
    assert "it takes tasks" not in run("status")
    slave.next("run")


def test_who_waits_for_a_drain_is_told_that_it_was_taken_back(
    run: Run, master: MasterNode, peer_at: MakePeerAt
) -> None:
    slave = a_slave(peer_at, master)
    slave.next("run")

    def take_back() -> None:
        slave.next("give_back")
        master.loop.call(master.dispatcher.slaves.resume, "slave-1", timeout_s=TIMEOUT_S)

    thread = threading.Thread(target=take_back)
    thread.start()
    assert "slave-1 takes tasks again: somebody has resumed it" in run("drain", "slave-1", "--wait", code=3)
    thread.join(TIMEOUT_S)


def test_one_that_is_away_takes_tasks_when_it_comes_back(
    run: Run, master: MasterNode, peer_at: MakePeerAt
) -> None:
    slave = a_slave(peer_at, master)
    run("drain", "slave-1")
    slave.client.stop()
    slave.ends.get(timeout=TIMEOUT_S)
    deadline = time.monotonic() + TIMEOUT_S
    while master.snapshot()["tasks"]["slave_count"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "slave-1 was drained by the user of the master " in (listed := run("resume"))
    assert listed.endswith(": it is away\n")
    assert run("resume", "slave-1") == "slave slave-1 takes tasks when it comes back\n"
    assert run("resume") == "no slave is drained\n"


@both_ways
def test_a_real_slave_that_is_drained_begins_nothing_until_it_is_resumed(
    make_master: MakeMaster, scheduler: str, channel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    master = make_master(
        "real", master__workers="2", scheduling__scheduler=scheduler, transport__channel=channel
    )
    address = f"127.0.0.1:{master.api_service_v1.port}"
    with ClusterExecutor(address, own_modules=["tests"]) as cluster:
        assert cluster.submit(pow, 2, 3).result(TIMEOUT_S) == 8
        (slave,) = master.snapshot()["tasks"]["slaves"]
        assert main(["drain", str(slave["number"]), "--wait", "-m", address]) == 0
        futures = [cluster.submit(pow, 2, index) for index in range(50)]
        futures[-1].explain()  # the master has them all then
        row = master.snapshot()["tasks"]
        assert (row["open"], row["slaves"][0]["held"], row["slaves"][0]["drain"]) == (50, 0, "drained")
        assert main(["resume", slave["name"], "-m", address]) == 0
        assert [future.result(TIMEOUT_S) for future in futures] == [2**index for index in range(50)]
    capsys.readouterr()
