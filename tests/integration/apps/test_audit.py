"""Who has done what, as a master says it: who joins, who is refused, and what becomes of jobs."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from concurrent.apps import MasterNode
from concurrent.core.errors import JobUnknown, NodeError, NotAllowed
from concurrent.transport.security.auditing import NO_AUDIT
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role
from tests.integration.apps.durable import MakeMaster, MakePeerAt, push
from tests.integration.apps.peers import TIMEOUT_S
from tests.integration.apps.whoever import ask_as, attach_as, member, peer_as, register_as

ANN = member(Role.SUBMIT, "ann")
BOB = member(Role.SUBMIT, "bob")
RACK = member(Role.SLAVE, "rack")


class Line(NamedTuple):
    """One line."""

    action: str
    who: str
    obj: str
    result: str


class Audit:
    """Keeps lines in memory."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def close(self) -> None:
        """There is nothing to close."""

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        assert address == "127.0.0.1" or identity is None
        self.lines.append(
            Line(action, "" if identity is None else str(identity), obj, result.partition(":")[0])
        )


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def master(make_master: MakeMaster, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> MasterNode:
    monkeypatch.setattr("concurrent.apps.masterkeys.AuditLog", lambda _path: audit)
    return make_master()


def test_what_becomes_of_a_job_is_written(master: MasterNode, peer_at: MakePeerAt, audit: Audit) -> None:
    first = peer_as(peer_at, master, ANN, "application-1")
    job = attach_as(master, first, name="hunt", keep_s=100.0).job
    push(first, 1, b"a")
    with pytest.raises(NodeError, match="has not ended"):
        ask_as(master, ANN, "forget_job", "hunt")
    with pytest.raises(JobUnknown):
        ask_as(master, BOB, "cancel_job", "hunt")
    second = peer_as(peer_at, master, ANN, "application-2")
    attach_as(master, second, job=job, must_exist=True)
    third = peer_as(peer_at, master, BOB, "application-3")
    with pytest.raises(JobUnknown):
        attach_as(master, third, job=job, must_exist=True)
    for method in ("cancel_job", "release_job", "forget_job"):
        ask_as(master, ANN, method, "hunt")
    assert audit.lines == [
        Line("submit", "submit ann", f"job {job} hunt", "done"),
        Line("join", "submit ann", "application-1", "done"),
        Line("forget_job", "submit ann", "job hunt", "refused"),
        Line("cancel_job", "submit bob", "job hunt", "refused"),
        Line("attach", "submit ann", "job hunt", "taken over from application-1"),
        Line("join", "submit ann", "application-2", "done"),
        Line("attach", "submit bob", f"job {job}", "refused"),
        Line("cancel_job", "submit ann", "job hunt", "done"),
        Line("release_job", "submit ann", "job hunt", "done"),
        Line("forget_job", "submit ann", "job hunt", "done"),
    ]


def test_who_may_not_join_or_call_is_written(master: MasterNode, peer_at: MakePeerAt, audit: Audit) -> None:
    slave, thief = peer_as(peer_at, master, RACK, "slave-1"), peer_as(peer_at, master, BOB, "application-1")
    register_as(master, slave, "slave", workers=1, window=1)
    with pytest.raises(NotAllowed):
        slave.call("push_tasks", 1, 0, [[0, {}]], [b"x"])
    with pytest.raises(NotAllowed):
        ask_as(master, RACK, "jobs")
    register_as(master, thief, "application")
    handler_identity = BOB
    with pytest.raises(NotAllowed):
        ask_as(master, handler_identity, "register_slave", "slave-1", 0, {"workers": 1, "window": 1})
    with pytest.raises(NotAllowed):
        ask_as(master, member(Role.SLAVE, "desk"), "register_slave", "slave-1", 0, {"workers": 1, "window": 1})
    master.loop.call(bool, timeout_s=TIMEOUT_S)
    assert audit.lines == [
        Line("call", "slave rack", "push_tasks", "refused"),
        Line("call", "slave rack", "jobs", "refused"),
        Line("call", "submit bob", "register_slave", "refused"),
        Line("join", "slave desk", "slave-1", "refused"),
    ]


def test_a_revocation_is_written_once(master: MasterNode, audit: Audit) -> None:
    for _ in range(2):
        master.loop.call(master.apply_revoked, ["2e", "1f"], timeout_s=TIMEOUT_S)
    assert audit.lines == [Line("revoke", "", "1f", "in force"), Line("revoke", "", "2e", "in force")]


def test_who_may_not_connect_is_written(master: MasterNode, audit: Audit) -> None:
    on_refused = master.compute_server.on_refused
    assert on_refused is not None
    master.loop.call(on_refused, "192.0.2.7", NotAllowed("no key of it"), timeout_s=TIMEOUT_S)
    assert audit.lines == [Line("connect", "", "compute channel", "refused")]


def test_without_such_a_log_nothing_is_kept() -> None:
    NO_AUDIT.write("join", ANN, "127.0.0.1", "application-1", "done")
