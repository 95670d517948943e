"""The commands that look at a running cluster: what they print, and what they say of what is not there."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from concurrent.apps import ClusterExecutor, MasterNode
from concurrent.apps.main import main
from concurrent.core import Environment
from concurrent.core.errors import NodeError
from concurrent.transport.security.roles import Role
from tests.integration.apps.peers import TIMEOUT_S
from tests.integration.apps.whoever import ask_as, member
from tests.tracecheck import check_trace

Run = Callable[..., str]


def say(number: int, gate: str = "") -> int:
    print(f"line {number}", flush=True)
    deadline = time.monotonic() + TIMEOUT_S
    while gate and not Path(gate).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    if gate:
        print("through the gate", flush=True)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterNode]:
    options = {
        "master.port": "0",
        "master.workers": "2",
        "journal.folder": str(tmp_path_factory.mktemp("journal")),
    }
    node = Environment(overrides=options, variables={})[MasterNode]
    root = logging.getLogger("concurrent")
    level = root.level
    root.setLevel(logging.INFO)  # its slave is as talkative
    node.start()
    root.setLevel(level)
    node.wait_slave(TIMEOUT_S)
    yield node
    node.stop()


@pytest.fixture
def address(master: MasterNode) -> str:
    return f"127.0.0.1:{master.api_service_v1.port}"


@pytest.fixture
def cluster(address: str) -> Iterator[ClusterExecutor]:
    """An executor whose job has two tasks that finished and one that failed."""
    with ClusterExecutor(address, own_modules=["tests"], job=f"talk-{time.time()}") as made:
        futures = [made.options(name="say").submit(say, number) for number in (1, 2, -1)]
        assert [future.exception(TIMEOUT_S) is None for future in futures] == [True, True, False]
        yield made


@pytest.fixture
def job(cluster: ClusterExecutor) -> str:
    name = cluster._core.job.name if cluster._core.job is not None else ""
    assert name
    return name


@pytest.fixture
def run(address: str, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command at the master; return what it prints, or says of an error."""

    def run(*words: str, code: int = 0) -> str:
        assert main([*words, "-m", address]) == code
        said = capsys.readouterr()
        return said.out + said.err

    return run


def test_tasks_are_listed_and_chosen(run: Run, job: str) -> None:
    head, first, *_ = run("tasks", "--job", job).splitlines()
    assert head.split()[:4] == ["TASK", "FUNCTION", "STATE", "SINCE"]
    assert "failed" in first
    assert "ValueError" in first
    failed = json.loads(run("tasks", "--job", job, "--failed", "--json"))
    assert [one["state"] for one in failed["items"]] == ["failed"]
    assert (failed["total"], failed["left_out"]) == (1, 0)
    assert "... and 2 more, which are not shown; --limit" in run("tasks", "--job", job, "--limit", "1")
    assert len(json.loads(run("tasks", "--function", "say", "--job", job, "--json"))["items"]) == 3
    assert run("tasks", "--job", job, "--state", "cancelled") == "there are no such tasks\n"


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["tasks", "--state", "runing"], "Did you mean running?"),
        (["tasks", "--function", "sya"], "Did you mean say?"),
        (["logs", "--slave", "nobody-of-that-name"], "nobody-of-that-name"),
        (["logs", "nobody/3"], "nothing is known of a task"),
        (["wait", "--job", "nobody"], "has no job 'nobody'"),
    ],
)
def test_what_was_meant_is_said(run: Run, job: str, words: list[str], meant: str) -> None:
    assert meant in run(*words, code=3)


def test_a_job_whose_name_is_near_is_named(run: Run, job: str) -> None:
    assert f"Did you mean {job}?" in run("tasks", "--job", job.upper()[:-1], code=3)


def test_what_a_task_printed_is_had_after_its_end(run: Run, job: str) -> None:
    rows = json.loads(run("tasks", "--job", job, "--json"))["items"]
    first = min(one["id"] for one in rows)
    assert run("logs", f"{job}/{first}") == "line 1\n"
    assert json.loads(run("logs", f"{job}/{first}", "--json"))["output"] == "line 1\n"
    assert run("logs", f"{job}/{first}", "--tail", "0") == ""


def test_how_a_task_failed_stands_below_what_it_printed(run: Run, cluster: ClusterExecutor, job: str) -> None:
    assert cluster.options(name="say").submit(say, -2).exception(TIMEOUT_S) is not None
    failed = {one["id"]: one for one in json.loads(run("tasks", "--job", job, "--failed", "--json"))["items"]}
    for number, row in zip((-1, -2), (failed[key] for key in sorted(failed)), strict=True):
        said = run("logs", f"{job}/{row['id']}")
        assert said.startswith(f"line {number}\n==> how {job}/{row['id']} failed <==\n")
        assert f"\nValueError: {number} is negative\n" in said
        assert 'raise ValueError(f"{number} is negative")' in said
        assert row["words"] == f"ValueError: {number} is negative"


def test_a_task_that_failed_is_explained_with_what_it_raised(
    run: Run, cluster: ClusterExecutor, job: str
) -> None:
    (failed,) = json.loads(run("tasks", "--job", job, "--failed", "--json"))["items"]
    (finished, *_) = json.loads(run("tasks", "--job", job, "--state", "finished", "--json"))["items"]
    name = f"{job}/{failed['id']}"
    said = run("explain", name)
    assert "state:      ended" in said
    (line,) = (line for line in said.splitlines() if line.startswith("failed:"))
    assert line.endswith("ValueError: -1 is negative")
    assert f"concurrent logs {name} -m 127.0.0.1:" in said
    assert "failed:" not in run("explain", f"{job}/{finished['id']}")


def test_what_is_wrong_is_told_by_status_top_and_doctor(run: Run, cluster: ClusterExecutor, job: str) -> None:
    cause = f"1 of 3 tasks failed (say of {job}): ValueError (-1 is negative)"
    assert f"{cause}\n   -> read its traceback: concurrent logs -m 127.0.0.1:" in run("status")
    assert f"! {cause}" in run("top")
    assert f"warn  work: {cause}\n" in run("doctor", "--no-task")


def test_what_a_job_printed_is_told_task_by_task(run: Run, job: str) -> None:
    said = run("logs", "--job", job)
    assert f"==> {job}/" in said
    assert "(failed) <==\nline -1\n" in said
    items = json.loads(run("logs", "--job", job, "--json"))
    assert {one["output"] for one in items["items"]} == {"line 1\n", "line 2\n", "line -1\n"}
    assert items["total"] == 3


@pytest.mark.parametrize("what", ["task", "job"])
def test_a_task_that_runs_is_followed_to_its_end(
    run: Run, cluster: ClusterExecutor, job: str, tmp_path: Path, what: str
) -> None:
    gate = tmp_path / "gate"
    future = cluster.submit(say, 5, str(gate))
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := json.loads(run("tasks", "--job", job, "--state", "running", "--json"))["items"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    opening = threading.Timer(1.0, gate.touch)
    opening.start()
    which = [f"{job}/{found[0]['id']}"] if what == "task" else ["--job", job]
    said = run("logs", *which, "-f")
    opening.join(TIMEOUT_S)
    assert future.result(TIMEOUT_S) == 5
    assert said.count("line 5") == 1
    assert said.count("through the gate") == 1


def test_the_log_of_a_slave_has_nothing_of_what_tasks_print(run: Run, master: MasterNode, job: str) -> None:
    (slave,) = master.snapshot()["tasks"]["slaves"]
    for name in (slave["name"], str(slave["number"])):
        said = run("logs", "--slave", name)
        assert "joined the master" in said
        assert "line 1" not in said
    found = json.loads(run("logs", "--slave", slave["name"], "--tail", "1", "--json"))
    assert len(found["items"]) == 1
    assert found["left_out"] == found["total"] - 1
    window = member(Role.OBSERVE, "window")
    whole = ask_as(master, window, "slave_log", slave["name"])
    assert whole["after"] >= whole["total"] == len(whole["items"])
    assert ask_as(master, window, "slave_log", slave["name"], whole["after"])["items"] == []


def test_the_log_of_a_slave_that_is_away_is_not_to_be_had(master: MasterNode) -> None:
    with pytest.raises(NodeError):
        ask_as(master, member(Role.OBSERVE, "window"), "slave_log", "nobody")


@pytest.mark.parametrize("words", [["logs"], ["logs", "a/1", "--job", "b"], ["logs", "a/1", "-f", "--json"]])
def test_one_thing_is_named_whose_words_are_wanted(run: Run, words: list[str]) -> None:
    assert "Write TASK as JOB/ID, or --job JOB, or --slave SLAVE" in run(*words, code=2)


def test_what_waits_ends_with_the_work(run: Run, job: str) -> None:
    assert run("wait", "--job", job, code=1) == f"job {job}: 0 open, 2 finished, 1 failed, 0 cancelled\n"
    assert json.loads(run("wait", "--job", job, "--exit", "failed,9", "--json", code=9))["failed"] == 1
    assert run("wait").startswith("0 open")


def test_what_waits_ends_at_the_first_failure_and_in_time(
    run: Run, cluster: ClusterExecutor, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    future = cluster.submit(say, -7, str(gate))
    assert run("wait", "--timeout", "0.1", code=124).startswith("1 open")
    opening = threading.Timer(1.0, gate.touch)
    opening.start()
    assert "1 failed" in run("wait", "--exit", "failed,1", code=1)
    opening.join(TIMEOUT_S)
    assert future.exception(TIMEOUT_S) is not None


def test_figures_are_printed_as_they_are_and_as_json(run: Run, job: str) -> None:
    text = run("metrics")
    assert "# TYPE " in text
    figures = json.loads(run("metrics", "--json"))
    assert len(figures) == sum(not line.startswith("#") for line in text.splitlines())


def test_what_ran_where_is_written_as_a_trace(run: Run, job: str, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    deadline = time.monotonic() + TIMEOUT_S
    while "0 bars" in (said := run("timeline", "-o", str(file))):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert f"bars are in {file}" in said
    trace = json.loads(file.read_text())
    check_trace(trace)
    names = {one["name"] for one in trace["traceEvents"]}
    assert "say" in names
    assert json.loads(run("timeline", "-o", "-"))["traceEvents"]
    assert "cannot be written" in run("timeline", "-o", str(tmp_path / "none" / "file"), code=2)


def node_ids(run: Run) -> set[str]:
    return {one["node_id"] for one in json.loads(run("status", "--json"))["nodes"]}


def test_the_doctor_finds_a_cluster_well_and_runs_a_task(run: Run, job: str) -> None:
    before = node_ids(run)
    said = run("doctor")
    deadline = time.monotonic() + TIMEOUT_S
    while not node_ids(run) <= before:  # it has left, and is in no list
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "\nok    a task: 2 ** 10 was computed in " in said
    assert "\nfail" not in said
    assert said.rstrip().endswith(("all is well", "warnings", "warning"))
    found = json.loads(run("doctor", "--json", "--no-task"))
    assert found["ok"]
    assert found["total"] == len(found["items"])
    assert "a task" not in {one["name"] for one in found["items"]}


def test_the_doctor_says_that_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert main(["doctor", "-m", f"127.0.0.1:{port}"]) == 1
    *lines, remedy, _, total = capsys.readouterr().out.splitlines()
    failed = [
        line for line in lines if line.startswith("fail")
    ]  # the keys too, if there is no other master here
    assert failed[-1] == lines[-1]
    assert failed[-1].startswith("fail  JSON port")
    assert remedy.startswith("       -> ")
    assert total.startswith(f"{len(failed)} failure")
    assert main(["doctor", "-m", "a:b:c", "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["ok"]
