"""A job is its maker's: others neither see its data nor attach to it nor end it, and admins may all."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent.apps import MasterNode
from concurrent.core.errors import JobUnknown, NotAllowed
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.wire.failure import failure_text
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import (
    MakeMaster,
    MakePeerAt,
    a_slave,
    crashed,
    outcomes,
    push,
    work,
)
from tests.integration.apps.peers import TIMEOUT_S
from tests.integration.apps.whoever import ask_as, attach_as, member, peer_as, register_as

ANN = member(Role.SUBMIT, "ann")
BOB = member(Role.SUBMIT, "bob")
CHIEF = member(Role.ADMIN, "chief")
WINDOW = member(Role.OBSERVE, "window")
RACK = member(Role.SLAVE, "rack")

CHANGES = ("cancel_job", "release_job", "forget_job")


def listed(master: MasterNode, identity: object) -> list[str]:
    return [row["name"] for row in ask_as(master, identity, "jobs")["items"]]  # type: ignore[arg-type]


def test_each_sees_and_changes_its_own_jobs_and_an_admin_all(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    jobs = {}
    for identity, name in ((ANN, "hunt"), (BOB, "sweep"), (THIS_USER, "mine")):
        program = peer_as(peer_at, master, identity, f"application-{name}")
        jobs[name] = attach_as(master, program, name=name, keep_s=100.0).job
    assert [listed(master, one) for one in (ANN, BOB)] == [["hunt"], ["sweep"]]
    for one in (CHIEF, THIS_USER, ANYBODY):
        assert sorted(listed(master, one)) == ["hunt", "mine", "sweep"]
    assert ask_as(master, ANN, "job", "hunt")["made_by"] == "submit:ann"
    for method in ("job", *CHANGES):
        for text in ("hunt", jobs["hunt"], "mine", "no such"):
            with pytest.raises(JobUnknown, match=rf"there is no job '{text}' of yours"):
                ask_as(master, BOB, method, text)
        for stranger in (WINDOW, RACK):
            with pytest.raises(NotAllowed):
                ask_as(master, stranger, method, jobs["hunt"])
    ask_as(master, ANN, "cancel_job", "hunt")
    ask_as(master, CHIEF, "cancel_job", "sweep")
    assert {row["name"]: row["how"] for row in ask_as(master, CHIEF, "jobs")["items"]} == {
        "hunt": "cancelled",
        "sweep": "cancelled",
        "mine": "",
    }


def test_others_cannot_attach_and_have_jobs_of_the_same_name(
    make_master: MakeMaster, peer_at: MakePeerAt
) -> None:
    master = make_master()
    first = peer_as(peer_at, master, ANN, "application-1")
    job = attach_as(master, first, name="hunt", keep_s=100.0)
    push(first, 1, b"secret")
    for wish in ({"job": job.job}, {"job": "hunt"}, {"name": "hunt"}):
        other = peer_as(peer_at, master, BOB, f"application-{len(wish)}-{next(iter(wish.values()))}")
        with pytest.raises(JobUnknown):
            attach_as(master, other, must_exist=True, **wish)
        other.client.stop()
    second = peer_as(peer_at, master, BOB, "application-2")
    own = attach_as(master, second, name="hunt", keep_s=100.0)
    assert own.is_new
    assert own.job != job.job
    assert first.handler.is_open
    assert ask_as(master, ANN, "job", "hunt")["job"] == job.job
    assert ask_as(master, BOB, "job", "hunt")["job"] == own.job
    third = peer_as(peer_at, master, CHIEF, "application-3")
    assert attach_as(master, third, name="hunt", keep_s=100.0).is_new  # a new program takes nobody's job over
    assert ask_as(master, CHIEF, "job", "hunt")["made_by"] == "admin:chief"
    fourth = peer_as(peer_at, master, CHIEF, "application-4")
    assert not attach_as(master, fourth, job=job.job, must_exist=True).is_new
    assert "another program has taken the job over" in first.ends.get(timeout=TIMEOUT_S)
    work(a_slave(peer_at, master), 1)
    assert outcomes(fourth, 1) == {1: (FINISHED, b"secret")}


def test_a_journal_keeps_whose_a_job_is(make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path) -> None:
    first = make_master()
    made = attach_as(first, peer_as(peer_at, first, ANN, "application-1"), name="hunt", keep_s=100.0)
    attach_as(first, peer_as(peer_at, first, ANYBODY, "application-2"), name="open", keep_s=100.0)
    second = make_master(crashed(tmp_path, first))
    assert sorted(listed(second, ANN)) == ["hunt", "open"]
    assert listed(second, BOB) == ["open"]
    again = peer_as(peer_at, second, member(Role.SUBMIT, "ann", serial="2e"), "application-3")
    assert attach_as(second, again, name="hunt").job == made.job


def test_who_has_registered_a_node_opens_its_session(make_master: MakeMaster, peer_at: MakePeerAt) -> None:
    master = make_master()
    own, other = peer_as(peer_at, master, ANN, "application-1"), peer_as(peer_at, master, BOB, "application-2")
    register_as(master, own, "application")
    with pytest.raises(
        NotAllowed, match="submit bob may not be application-1, which submit ann has registered"
    ):
        other.call("attach_job", "application-1", {})
    with pytest.raises(NotAllowed, match="submit bob may not be application-1"):
        ask_as(master, BOB, "register_application", "application-1", 0, {})
    with pytest.raises(NotAllowed, match="slave rack may not call register_application"):
        ask_as(master, RACK, "register_application", "application-9", 0, {})
    with pytest.raises(NotAllowed, match="submit ann may not call register_slave"):
        ask_as(master, ANN, "register_slave", "slave-9", 0, {"workers": 1, "window": 1})
    assert own.call("register_application", "application-1")


@pytest.mark.parametrize(("identity", "allowed", "is_hosted"), [
    (ANN, "false", False), (ANN, "true", True), (CHIEF, "false", True), (THIS_USER, "false", True),
])  # fmt: skip
def test_a_master_hosts_task_systems_of_those_who_may_have_its_keys(
    make_master: MakeMaster,
    peer_at: MakePeerAt,
    identity: Identity,
    allowed: str,
    is_hosted: bool,
) -> None:
    master = make_master(master__submit_systems=allowed)
    program = peer_as(peer_at, master, identity, "application-1")
    attach_as(master, program)
    program.handler.cast("push_tasksystem", 1, 0, b"no pickle")
    system_id, status, failure = program.next("tasksystem_finished")
    assert (system_id, status) == (1, FAILED)
    words = failure_text(failure)
    text = words.message if words is not None else ""
    assert ("hosts no task systems of submit ann" in text) is not is_hosted
    assert ("master.submit_systems=true" in text) is not is_hosted
