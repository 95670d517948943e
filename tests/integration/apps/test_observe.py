"""What a master tells those who look at a running cluster, and what of that is for whom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.apps.observed import HealthStatus
from concurrent.core.errors import InvalidArguments, NodeError, NotAllowed
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.wire.failure import dumps_failure
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import MakeMaster, MakePeerAt, a_slave, crashed
from tests.integration.apps.peers import Peer
from tests.integration.apps.whoever import ask_as, attach_as, member, peer_as
from tests.local import fetch
from tests.system.cluster import wait_until

ANN = member(Role.SUBMIT, "ann")
BOB = member(Role.SUBMIT, "bob")
CHIEF = member(Role.ADMIN, "chief")
WINDOW = member(Role.OBSERVE, "window")
RACK = member(Role.SLAVE, "rack")

METHODS = {
    "now": (), "progress": (), "tasks": (), "jobs": (), "workers": (), "failures": (), "timeline": (),
    "series": (), "changes": (), "task": ("hunt/4",),
}  # fmt: skip
"""What observers may call, with arguments."""

SECRET = "a secret"


def failure(error: Exception, output: str = "") -> bytes:
    try:
        raise error
    except type(error) as raised:
        return dumps_failure(raised, None, output, "slave-1, worker 7")


@pytest.fixture
def busy(make_master: MakeMaster, peer_at: MakePeerAt) -> tuple[MasterNode, Peer, Peer]:
    """Return a master with a slave that has one worker, and a program whose first three tasks have ended."""
    master = make_master()
    program = peer_as(peer_at, master, ANN, "application-1")
    attach_as(master, program, name="hunt", keep_s=100.0)
    terms: list[Any] = [[0, {"name": "look"}], [4, {"name": "find"}]]
    program.call("push_tasks", 1, 0, terms, [b"task"] * 6)
    slave = a_slave(peer_at, master)
    numbers: list[int] = []
    while len(numbers) < 5:
        numbers += slave.next("run")[2]
    slave.call(
        "done",
        numbers[:3],
        [FINISHED, FAILED, FINISHED],
        [b"result", failure(ValueError(SECRET), f"printed {SECRET}"), b"result"],
        0.1,
    )
    slave.next("run")
    return master, program, slave


def test_it_says_that_it_moves_and_how_far_each_function_is(busy: tuple[MasterNode, Peer, Peer]) -> None:
    master, _program, _slave = busy
    now = ask_as(master, WINDOW, "now")
    assert now["moves"]
    assert "1 of 1 workers are busy" in now["words"]
    assert now["counts"] == {
        "waiting": 2, "between_tries": 0, "running": 1, "finished": 2, "failed": 1, "cancelled": 0,
    }  # fmt: skip
    assert (now["busy"], now["workers"], now["slaves"]) == (1, 1, 1)
    progress = ask_as(master, WINDOW, "progress")
    assert progress["counts"] == now["counts"]
    rows = {row["function"]: row["counts"] for row in progress["items"]}
    assert (rows["look"]["finished"], rows["look"]["failed"], rows["look"]["running"]) == (2, 1, 1)
    assert rows["find"]["waiting"] == 2
    assert {row["job"] for row in progress["items"]} == {"hunt"}


def test_tasks_are_listed_by_state_and_paged(busy: tuple[MasterNode, Peer, Peer]) -> None:
    master, _program, _slave = busy

    def listed(**wanted: Any) -> list[tuple[int, str]]:
        answer = ask_as(master, ANN, "tasks", **wanted)
        assert len(answer["items"]) + answer["left_out"] + wanted.get("offset", 0) == answer["total"]
        return [(row["id"], row["state"]) for row in answer["items"]]

    everything = [
        (4, "running"), (2, "failed"), (6, "waiting"), (5, "waiting"), (3, "finished"), (1, "finished"),
    ]  # fmt: skip
    assert listed() == everything
    assert [*listed(limit=2), *listed(limit=3, offset=2), *listed(offset=5)] == everything
    assert listed(state="waiting", function="find", job="hunt") == [(6, "waiting"), (5, "waiting")]
    assert listed(failed=True) == [(2, "failed")]
    assert listed(job="another") == listed(function="another") == []
    wrong_ones: tuple[dict[str, Any], ...] = (
        {"state": "runing"}, {"limit": 0}, {"limit": 1.0}, {"offset": -1}, {"job": 1}, {"failed": 1},
        {"state": "waiting", "failed": True},
    )  # fmt: skip
    for wrong in wrong_ones:
        with pytest.raises(InvalidArguments):
            ask_as(master, ANN, "tasks", **wrong)
    with pytest.raises(InvalidArguments, match="Did you mean running"):
        ask_as(master, ANN, "tasks", state="runing")


def test_failures_are_grouped_and_stay_when_their_tasks_are_gone(busy: tuple[MasterNode, Peer, Peer]) -> None:
    master, program, _slave = busy
    program.call("consumed_to", 3)
    program.client.stop()
    (row,) = ask_as(master, ANN, "failures")["items"]
    assert (row["function"], row["exception"], row["count"], row["job"]) == ("look", "ValueError", 1, "hunt")
    assert (row["slaves"], row["tasks"]) == (["slave-1"], ["hunt/2"])
    assert SECRET in row["text"]
    assert SECRET in row["output"]
    details = ask_as(master, ANN, "task", "hunt/2")
    assert (details["row"]["state"], details["row"]["exception"]) == ("failed", "ValueError")
    assert SECRET in details["text"]
    assert SECRET in ask_as(master, ANN, "output", "hunt/2")["output"]


def test_observers_see_counts_names_and_times_and_no_words(busy: tuple[MasterNode, Peer, Peer]) -> None:
    master, _program, slave = busy
    (number,) = (row["task"] for row in ask_as(master, ANN, "tasks", state="running")["items"])
    slave.call("progress", [number], [0.5], [1.0], [SECRET])
    slave.call("printed", [number], [f"printed {SECRET}"])
    for identity, sees in ((ANN, True), (CHIEF, True), (BOB, False), (WINDOW, False)):
        said = str([ask_as(master, identity, name, *args) for name, args in METHODS.items()])
        assert (SECRET in said) is sees, identity
        if identity is not BOB:
            assert "hunt" in said
    with pytest.raises(NotAllowed):
        ask_as(master, WINDOW, "output", "hunt/4")
    with pytest.raises(NodeError, match="nothing is known"):
        ask_as(master, BOB, "output", "hunt/2")
    for name, args in METHODS.items():
        with pytest.raises(NotAllowed):
            ask_as(master, RACK, name, *args)


def test_a_slave_cannot_say_that_it_runs_the_tasks_of_others(
    busy: tuple[MasterNode, Peer, Peer], peer_at: MakePeerAt
) -> None:
    master, _program, _slave = busy
    (number,) = (row["task"] for row in ask_as(master, ANN, "tasks", state="running")["items"])
    liar = peer_at(master, "slave-liar")
    liar.join("slave", workers=1, window=5)
    liar.call("workers", [[7], [1 << 62], [number], [0]], [[0.5], [3e8]], [], {"busy": 1 << 62})
    (row,) = (one for one in ask_as(master, ANN, "workers")["items"] if one["name"] == "slave-liar")
    assert row["busy"] == 1
    assert [(one["pid"], one["name"], one["job"]) for one in row["processes"]] == [(7, "", "")]
    trace = json.loads(fetch(f"127.0.0.1:{master.api_service_v1.port}", "/trace.json").body)
    assert trace["traceEvents"] == []
    (task,) = ask_as(master, ANN, "tasks", state="running")["items"]
    assert (task["slave"], task["worker"], task["since_at"]) == ("slave-1", 0, 0.0)


def test_a_task_is_told_by_its_name_and_by_its_number(busy: tuple[MasterNode, Peer, Peer]) -> None:
    master, program, _slave = busy
    details = ask_as(master, ANN, "task", "hunt/5")
    number = details["row"]["task"]
    assert ask_as(master, ANN, "task", str(number))["row"] == details["row"]
    assert details["explanation"]["because"]
    program.call("cancel", [6])
    assert ask_as(master, ANN, "task", "hunt/6")["row"]["state"] == "cancelled"
    for unknown in ("hunt/99", "999", "none/1"):
        with pytest.raises(NodeError, match="nothing is known"):
            ask_as(master, ANN, "task", unknown)
    with pytest.raises(NodeError, match="Did you mean hunt/2"):
        ask_as(master, ANN, "task", "hnut/2")
    with pytest.raises(InvalidArguments, match="names no task"):
        ask_as(master, ANN, "task", "hunt")


def test_it_says_why_nothing_moves(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()

    def words() -> str:
        now = ask_as(master, WINDOW, "now")
        assert not now["moves"]
        return str(now["words"])

    assert words() == "nothing to do: no task is open; no slave has joined"
    program = peer_as(peer_at, master, ANN, "application-1")
    attach_as(master, program, name="hunt", keep_s=100.0)
    program.call("push_tasks", 1, 0, [[0, {"name": "look", "resources": {"gpu": 1}}]], [b"task"])
    # an answer that took long is kept for a moment
    alone = "1 task (look of hunt) waiting for a slave: no slave has joined"
    wait_until(lambda: words() == alone, "that there is no slave", words)
    slave = a_slave(peer_at, master)
    lacks = "gpu: needs 1, offered by 0 of 1 slaves"
    wait_until(lambda: "look of hunt" in words() and lacks in words(), "what the slave lacks", words)
    program.call("push_tasks", 2, 0, [[0, {"name": "find"}]], [b"task"] * 3)
    slave.next("run")
    program.call("cancel", [2, 3, 4])
    slave.call("set_window", 0)
    ask_as(master, CHIEF, "cancel_job", "hunt")
    wait_until(lambda: ask_as(master, WINDOW, "now")["counts"]["cancelled"] == 4, "they are counted")
    assert [row["state"] for row in ask_as(master, WINDOW, "tasks")["items"]] == ["cancelled"] * 4


def test_a_master_that_is_not_well_says_so_to_who_looks_at_the_status_alone(
    busy: tuple[MasterNode, Peer, Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{busy[0].api_service_v1.port}"
    assert fetch(address, "/health").status == 200
    monkeypatch.setattr("concurrent.apps.observer.health_of", lambda _: HealthStatus(ok=False, words="full"))
    reply = fetch(address, "/health")
    assert (reply.status, json.loads(reply.body)) == (503, {"ok": False, "words": "full"})


def test_it_says_what_to_look_at(busy: tuple[MasterNode, Peer, Peer], peer_at: MakePeerAt) -> None:
    master, program, slave = busy
    (row,) = ask_as(master, WINDOW, "now")["troubles"]["items"]
    assert (row["words"], row["says"]) == ("1 of 3 tasks failed (look of hunt): ValueError", "")
    (row,) = ask_as(master, CHIEF, "now")["troubles"]["items"]
    assert SECRET in row["says"]
    program.call("push_tasks", 7, 0, [[0, {"name": "draw", "resources": {"gpu": 1}}]], [b"task"])
    program.call("push_tasks", 8, 0, [[0, {"name": "look"}]], [b"task"])
    slave.call("lacks", "its disk is full")
    second = a_slave(peer_at, master, "slave-2")
    second.client.stop()  # with a word, which is nothing to look at

    def kinds() -> list[str]:
        return [row["kind"] for row in ask_as(master, WINDOW, "now")["troubles"]["items"]]

    wait_until(lambda: kinds()[0] == "short" and kinds()[-1] == "failed", "a slave wants no tasks")
    troubles = ask_as(master, WINDOW, "now")["troubles"]
    assert troubles["items"][0]["words"] == "slave-1 wants no tasks: its disk is full"
    assert (troubles["total"], troubles["left_out"]) == (len(troubles["items"]), 0)
    assert "lost" not in kinds()
    assert SECRET not in str(troubles)


def test_failures_from_before_a_start_are_known(
    busy: tuple[MasterNode, Peer, Peer], make_master: MakeMaster, tmp_path: Path
) -> None:
    master, program, _slave = busy
    program.call("consumed_to", 3)
    ask_as(master, ANN, "release_job", "hunt")  # which is answered when all before is kept
    second = make_master(crashed(tmp_path, master))
    (row,) = ask_as(second, ANN, "failures")["items"]
    assert (row["function"], row["exception"], row["count"], row["last_at"]) == ("look", "ValueError", 1, 0.0)
    assert SECRET in row["text"]
    assert ask_as(second, WINDOW, "failures")["items"][0]["text"] == ""
    counts = {one["function"]: one["counts"] for one in ask_as(second, ANN, "progress")["items"]}
    assert (counts[""]["finished"], counts[""]["failed"]) == (2, 1)
    assert counts["look"]["waiting"] + counts["find"]["waiting"] == 3
