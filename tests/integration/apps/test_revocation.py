"""When the trust in a member ends: sessions end, tasks go to others, jobs wait, and all nodes are told."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from concurrent.apps import MasterNode
from concurrent.apps.revocation import OWNER_REVOKED
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import (
    MakeMaster,
    MakePeerAt,
    a_slave,
    attach,
    crashed,
    outcomes,
    push,
    work,
)
from tests.integration.apps.peers import TIMEOUT_S, Peer
from tests.integration.apps.whoever import (
    ask_as,
    attach_as,
    member,
    peer_as,
    register_as,
)

ANN = member(Role.SUBMIT, "ann")
RACK = member(Role.SLAVE, "rack")
CHIEF = member(Role.ADMIN, "chief")
MORE = {"revoked": "revoked"}


@pytest.fixture
def master(make_master: MakeMaster) -> MasterNode:
    options = {"transport__return_s": "600", "transport__resume_s": "600", "master__submit_systems": "true"}
    made = make_master(**options)
    made.trust.listen(made.compute_server.dismiss_revoked)
    return made


def revoke(master: MasterNode, *serials: str, gone: tuple[str, ...] = ()) -> None:
    """Revoke members, and wait until what follows is kept."""
    kept: Future[None] = Future()
    master.loop.call(master.apply_revoked, serials, gone, timeout_s=TIMEOUT_S)
    master.loop.call(master.dispatcher.jobs.when_kept, lambda: kept.set_result(None), timeout_s=TIMEOUT_S)
    kept.result(TIMEOUT_S)


def state(master: MasterNode, name: str) -> tuple[str, str]:
    row = ask_as(master, CHIEF, "job", name)
    return row["state"], row["reason"]


def a_slave_of(master: MasterNode, make: MakePeerAt, node_id: str) -> Peer:
    slave = peer_as(make, master, RACK, node_id)
    register_as(master, slave, "slave", workers=1, window=5)
    slave.call("register_slave", node_id)
    return slave


def test_the_tasks_of_a_slave_go_to_others_at_once(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_at(master, "application-1")
    attach(program)
    slave = a_slave_of(master, peer_at, "slave-1")
    push(program, 1, b"a")
    assert slave.next("run")[3] == [b"a"]
    revoke(master, RACK.serial)
    assert "slave rack has been revoked" in slave.ends.get(timeout=TIMEOUT_S)
    work(a_slave(peer_at, master, "slave-2"), 1)
    assert outcomes(program, 1) == {1: (FINISHED, b"a")}


def test_a_slave_that_is_cut_off_has_no_time_to_return(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_at(master, "application-1")
    attach(program)
    slave = a_slave_of(master, peer_at, "slave-1")
    push(program, 1, b"a")
    slave.next("run")
    (handler,) = (one for one in master.compute_server.handlers if one.node_id == "slave-1")
    master.loop.call(handler.lose_carrier, timeout_s=TIMEOUT_S)
    revoke(master, RACK.serial)
    work(a_slave(peer_at, master, "slave-2"), 1)
    assert outcomes(program, 1) == {1: (FINISHED, b"a")}


def test_the_job_of_a_program_waits_until_somebody_releases_it(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_as(peer_at, master, ANN, "application-1")
    attach_as(master, program, name="hunt", keep_s=1000.0)
    push(program, 1, b"a", b"b")
    revoke(master, ANN.serial, gone=(ANN.key,))
    assert "submit ann has been revoked" in program.ends.get(timeout=TIMEOUT_S)
    assert state(master, "hunt") == ("held", OWNER_REVOKED)
    slave = a_slave(peer_at, master)
    other = peer_at(master, "application-2")
    attach(other)
    push(other, 1, b"others")
    assert slave.next("run")[3] == [b"others"]  # and nothing of what is held
    ask_as(master, CHIEF, "release_job", "hunt")
    work(slave, 2)
    revoke(master, ANN.serial, "ff", gone=(ANN.key,))
    assert state(master, "hunt")[0] == "open"  # an admin has said so


def test_a_job_goes_on_when_its_owner_is_a_member_again(
    make_master: MakeMaster, peer_at: MakePeerAt, tmp_path: Path
) -> None:
    first = make_master()
    program = peer_as(peer_at, first, ANN, "application-1")
    attach_as(first, program, name="hunt", keep_s=1000.0)
    push(program, 1, b"a")
    revoke(first, ANN.serial, gone=(ANN.key,))
    second = make_master(crashed(tmp_path, first))
    assert state(second, "hunt") == ("held", OWNER_REVOKED)
    chief = peer_as(peer_at, second, CHIEF, "application-2")
    attach_as(second, chief, job="hunt", must_exist=True)
    assert state(second, "hunt")[0] == "held"  # an admin looks at it
    again = peer_as(peer_at, second, member(Role.SUBMIT, "ann", serial="2e"), "application-3")
    attach_as(second, again, name="hunt")
    assert state(second, "hunt") == ("open", "")
    work(a_slave(peer_at, second), 1)
    assert outcomes(again, 1) == {1: (FINISHED, b"a")}


def test_a_job_that_has_ended_is_not_held(master: MasterNode, peer_at: MakePeerAt) -> None:
    attach_as(master, peer_as(peer_at, master, ANN, "application-1"), name="hunt", keep_s=1000.0)
    ask_as(master, CHIEF, "cancel_job", "hunt")
    ended = state(master, "hunt")
    revoke(master, ANN.serial, gone=(ANN.key,))
    assert state(master, "hunt") == ended
    assert ended[1] == ""


def test_jobs_of_others_and_of_everybody_go_on(master: MasterNode, peer_at: MakePeerAt) -> None:
    attach_as(master, peer_as(peer_at, master, CHIEF, "application-1"), name="sweep", keep_s=1000.0)
    attach(peer_at(master, "application-2"), name="open", keep_s=1000.0)
    revoke(master, ANN.serial, gone=(ANN.key, RACK.key))
    assert [state(master, name)[0] for name in ("sweep", "open")] == ["open", "open"]


def test_who_is_revoked_is_told_first_who_else_is(master: MasterNode, peer_at: MakePeerAt) -> None:
    """When all keys are made anew, the master that has the old ones is one of them."""
    program = peer_as(peer_at, master, ANN, "application-1", more=MORE)
    attach_as(master, program, name="hunt")
    revoke(master, ANN.serial, "0a")
    assert program.next("revoked") == (sorted([ANN.serial, "0a"]),)
    assert "submit ann has been revoked" in program.ends.get(timeout=TIMEOUT_S)


def test_all_nodes_are_told_and_those_that_join_later(master: MasterNode, peer_at: MakePeerAt) -> None:
    program = peer_at(master, "application-1", more=MORE)
    attach(program)
    old = peer_at(master, "application-2")
    attach(old)
    revoke(master, "1f", "0a")
    assert program.next("revoked") == (["0a", "1f"],)
    revoke(master, "1f", "0a")
    revoke(master, "1f", "0a", "2e")
    assert program.next("revoked") == (["2e"],)
    later = a_slave(peer_at, master, more=MORE)
    assert later.next("revoked") == (["0a", "1f", "2e"],)
    assert all(name != "revoked" for name, *_ in old.heard())
