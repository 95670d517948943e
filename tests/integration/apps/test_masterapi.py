"""A master whose peers send what they should not: each mistake is the peer's own error, and does no harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import psutil
import pytest

from concurrent.apps import MasterNode
from concurrent.apps import master as apps_master
from concurrent.core import Environment
from concurrent.core.errors import ConnectionLost, InvalidArguments, NodeError, SchedulingError
from concurrent.scheduling.ledger import acceptance
from concurrent.scheduling.master import codeshelf, sparehost
from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.scheduling.wire.columns import OVERHEAD_BYTES
from concurrent.transport.loop.loop import NodeLoop
from tests.integration.apps.peers import TIMEOUT_S, MakePeer, Peer, assert_works
from tests.local import fetch
from tests.system.cluster import wait_until


def test_nobody_may_do_anything_before_joining(peer: MakePeer) -> None:
    stranger = peer("stranger")
    for method, args in (
        ("push_tasks", (1, 0, 1, [b"x"])),
        ("define_code", (0, b"x")),
        ("cancel", ([1],)),
        ("consumed", (1,)),
        ("consumed_to", (1,)),
        ("push_tasksystem", (1, 0, b"x")),
        ("cancel_tasksystem", (1,)),
        ("system_finished", (0, b"x")),
        ("done", ([1], [0], [b""], 0.1)),
        ("returned", ([1],)),
        ("took", ([1],)),
        ("pull", (1,)),
        ("set_window", (1,)),
        ("count_workers", ()),
        ("explain", (1,)),
    ):
        with pytest.raises(NodeError, match="has not joined as"):
            stranger.call(method, *args)
    with pytest.raises(NodeError, match="has not registered as slave"):
        stranger.call("register_slave", "stranger")
    with pytest.raises(NodeError, match="no host of a task system is expected"):
        stranger.call("join_system", "guess")
    assert_works(peer)


def test_a_process_waits_for_a_task_system_longer_than_others_may_take_to_join(
    monkeypatch: pytest.MonkeyPatch, loop: NodeLoop
) -> None:
    monkeypatch.setattr(apps_master, "JOIN_TIMEOUT_S", 2.0)
    monkeypatch.setattr(sparehost, "AHEAD_DELAY_S", 0.0)
    env = Environment(overrides={"master.port": "0", "transport.channel": "tcp"}, variables={})
    master = env[MasterNode]
    older = psutil.Process().children()
    master.start()
    with ExitStack() as stack:
        stack.callback(master.stop)
        application = Peer(loop, master, "application-1")
        stack.callback(application.client.stop)
        application.join("application", systems=True)
        (zygote,) = (child for child in psutil.Process().children() if child not in older)
        wait_until(lambda: has_spare_host(master), "a process waits for a system")
        (waiting,) = zygote.children()
        stranger = Peer(loop, master, "stranger")
        stack.callback(stranger.client.stop)
        wait_until(lambda: not stranger.handler.is_open, "the master has enough of one who does not join")
        application.call("push_tasksystem", 1, 0, b"no pickle")
        assert application.next("tasksystem_accepted") == (1,)
        system_id, status, _failure = application.next("tasksystem_finished")
        assert (system_id, status) == (1, FAILED)
        waiting.wait(TIMEOUT_S)  # it was the one that had the system, and has ended with it


def has_spare_host(master: MasterNode) -> bool:
    return any(one.node_id.startswith("system-") for one in master.compute_server.handlers)


def test_nobody_may_join_as_somebody_else(peer: MakePeer) -> None:
    first, second = peer("application-1"), peer("application-2")
    first.register("application")
    with pytest.raises(NodeError, match="this session is that of application-2"):
        second.call("register_application", "application-1")
    first.call("register_application", "application-1")
    with pytest.raises(NodeError):
        first.call("register_application", "application-1")
    with pytest.raises(NodeError, match="has not joined as slave"):
        first.call("pull", 1)
    assert_works(peer)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"workers": 1},
        {"workers": "1", "window": 1},
        {"workers": -1, "window": 1},
        {"workers": 0, "window": 1},
        {"workers": 1, "window": 9.0},
    ],
)
def test_a_slave_must_say_how_many_workers_it_has(peer: MakePeer, data: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments, match="a slave must say"):
        peer("slave-odd").register("slave", **data)
    assert_works(peer)


def test_an_application_that_sends_nonsense_is_told_so(peer: MakePeer) -> None:
    owner = peer("application-odd")
    owner.join("application")
    for method, args in (
        ("push_tasks", (1, 0, 1, "text")),
        ("push_tasks", (1, 0, 1, b"bytes")),
        ("push_tasks", (1, 0, 1, [b"x", "text"])),
        ("push_tasks", ("1", 0, 1, [b"x"])),
        ("push_tasks", (1, 5, 1, [b"x"])),
        ("push_tasks", (1, 0)),
        ("push_tasks", (1, 0, None, [b"x"])),
        ("push_tasks", (1, 0, 0, [b"x"])),
        ("push_tasks", (1, 0, 1, [])),
        ("push_tasks", (1, -1, 1, [b"x"])),
        ("push_tasks", (-1, 0, 1, [b"x"])),
        ("push_tasks", (2**63 + 1, 0, 1, [b"x"])),
        ("push_tasks", (1, 0, 1, [b"x"] * 10_001)),
        ("define_code", (3, b"x")),
        ("define_code", (0, "text")),
        ("cancel", (7,)),
        ("cancel", (["1"],)),
        ("consumed", ("much",)),
        ("consumed", (-1,)),
        ("push_tasksystem", (1, 5, b"x")),
        ("push_tasksystem", ("1", 0, b"x")),
        ("push_tasksystem", (1, 0, 9)),
        ("system_progress", ("1", 2)),
        ("system_log", (20, b"bytes")),
        ("system_finished", (True, b"x")),
        ("system_finished", (77, b"x")),
    ):
        with pytest.raises((InvalidArguments, SchedulingError)):
            owner.call(method, *args)
    assert_works(peer)


@pytest.mark.parametrize("attempts_max", [0, -1, 1001, 10**30])
def test_how_often_a_task_is_tried_has_bounds(peer: MakePeer, attempts_max: int) -> None:
    owner = peer("application-odd")
    owner.join("application")
    with pytest.raises(InvalidArguments):
        owner.call("push_tasks", 1, 0, attempts_max, [b"x"])
    with pytest.raises(InvalidArguments):
        owner.call("push_tasks", 1, 0, [[0, {"attempts_max": attempts_max}]], [b"x"])
    assert_works(peer)


@pytest.mark.parametrize(
    "terms",
    [
        [],
        [[0]],
        [[1, {}]],
        [[0, {}], [0, {}]],
        [[0, {}], [2, {}]],
        [[0, {}], [-1, {}]],
        [[0, 0]],
        [[0, {}], [1, 1]],
        [[0, {}], [1, -1]],
        [["0", {}]],
        [[0, []]],
        [0, {}],
        [[0, {"priority": 101}]],
        [[0, {"priority": "high"}]],
        [[0, {"name": 7}]],
        [[0, {"name": []}]],
        [[0, {"name": "two\nlines"}]],
        [[0, {"name": "x" * 201}]],
    ],
)
def test_terms_that_cannot_be_are_refused(peer: MakePeer, terms: list[Any]) -> None:
    owner = peer("application-odd")
    owner.join("application")
    with pytest.raises(InvalidArguments):
        owner.call("push_tasks", 1, 0, terms, [b"x", b"y"])
    assert_works(peer)


def test_a_term_of_a_newer_peer_is_ignored(peer: MakePeer) -> None:
    owner = peer("application-newer")
    owner.join("application")
    owner.call("push_tasks", 1, 0, [[0, {"colour": ["blue"]}], [1, {}]], [b"x", b"y"])
    assert owner.next("accepted") == (2,)


def call_each(peer: Peer, method: str, calls: Iterable[tuple[Any, ...]]) -> None:
    for args in calls:
        peer.call(method, *args)


@pytest.fixture
def small_master(monkeypatch: pytest.MonkeyPatch) -> Iterator[MasterNode]:
    """A master that has room for 1024 tasks, and bears a thousand more of each application."""
    monkeypatch.setattr(acceptance, "UNACCEPTED_BYTES_MAX", 1000 * OVERHEAD_BYTES)
    env = Environment(overrides={"master.port": "0", "master.memory_bytes_max": "1048576"}, variables={})
    node = env[MasterNode]
    node.start()
    yield node
    node.stop()


def test_an_application_that_does_not_wait_to_be_accepted_is_ended_and_told_why(
    loop: NodeLoop, small_master: MasterNode, caplog: pytest.LogCaptureFixture
) -> None:
    polite, flood = (Peer(loop, small_master, f"application-{name}") for name in ("polite", "flood"))
    with closing(ExitStack()) as stack:
        stack.callback(polite.client.stop)
        stack.callback(flood.client.stop)
        polite.join("application")
        flood.join("application")
        polite.call("push_tasks", 1, 0, 1, [b"x"] * 100)
        session = flood.handler.session_id
        with pytest.raises(ConnectionLost, match=r"pushes on though \d+ bytes of its tasks are not accepted"):
            call_each(flood, "push_tasks", ((first, 0, 1, [b"x"] * 500) for first in range(1, 100_000, 500)))
        tasks = small_master.loop.call(small_master.snapshot, timeout_s=TIMEOUT_S)["tasks"]
        assert tasks["open"] == 100
        assert tasks["accepted"] < 4000
        assert "application-flood" in caplog.text
        flood.client.wait_open(TIMEOUT_S)
        assert flood.handler.session_id != session
        assert polite.call("count_workers") == 0


def test_an_application_that_sends_too_much_code_is_ended_and_told_why(
    peer: MakePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codeshelf, "CODE_BYTES_MAX", 10_000)
    owner = peer("application-odd")
    owner.join("application")
    with pytest.raises(ConnectionLost, match=r"the code of an owner has \d+ bytes"):
        call_each(owner, "define_code", ((index, b"x") for index in range(100)))
    assert_works(peer)


def test_nobody_registers_with_a_notification(master: MasterNode) -> None:
    body = b'{"jsonrpc":"2.0","method":"register_slave","params":["slave-1",0,{"workers":1,"window":1}]}'
    answer = fetch(master.api_service_v1.address, "/api/1", body, {"Content-Type": "application/json"})
    assert answer.status == 204
    assert master.loop.call(master.registry.status, timeout_s=TIMEOUT_S) == ()


def test_one_kind_of_node_leaves_others_of_its_address_a_place(peer: MakePeer, master: MasterNode) -> None:
    master._api._alike_max = 2
    for number in range(2):
        peer(f"application-{number}").join("application")
    with pytest.raises(NodeError, match="has 2 nodes of type application"):
        peer("application-more").join("application")
    peer("slave-1").join("slave", workers=1, window=1)


def test_a_slave_that_sends_nonsense_is_told_so(peer: MakePeer) -> None:
    slave = peer("slave-odd")
    slave.join("slave", workers=1, window=0)
    for method, args in (
        ("done", ([1], [], [], 0.1)),
        ("done", (["1"], [0], [b""], 0.1)),
        ("done", ([1], [0], [None], 0.1)),
        ("done", ([1], [0], [b""], "long")),
        ("done", ([1], [0], [b""], True)),
        ("done", ([1], [0], [b""], float("inf"))),
        ("done", ([1], [0], ["text"], 0.1)),
        ("done", ([1, 2], [0], [b""], 0.1)),
        ("done", ([1], [0], [b""], -0.1)),
        ("done", ([1], [0], [b""], float("nan"))),
        ("done", ([1], [True], [b""], 0.1)),
        ("done", ([1], [77], [b""], 0.1)),
        ("running", ([1], [], [0.1], [""])),
        ("running", (["1"], [1], [0.1], [""])),
        ("running", ([1], [1], [float("inf")], [""])),
        ("running", ([1], [1], ["long"], [""])),
        ("running", ([1], [1], [0.1], [b""])),
        ("done", (1, 0, b"", 0.1)),
        ("done", ([1], [0], [b""])),
        ("returned", ("all",)),
        ("took", ([1.5],)),
        ("pull", ("more",)),
        ("pull", (-1,)),
        ("set_window", (-1,)),
        ("set_window", (None,)),
        ("set_window", (True,)),
    ):
        with pytest.raises(InvalidArguments):
            slave.call(method, *args)
    assert_works(peer)


def test_numbers_of_another_slave_or_of_nobody_change_nothing(peer: MakePeer) -> None:
    owner, slave, thief = peer("application-1"), peer("slave-1"), peer("slave-2")
    owner.join("application")
    slave.join("slave", workers=1, window=5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    _owner, _code_count, numbers, _payloads = slave.next("run")
    thief.join("slave", workers=1, window=0)
    for stolen in (numbers, [0, -1, 10**12]):
        thief.call("done", stolen, [FINISHED] * len(stolen), [b"wrong"] * len(stolen), 0.1)
        thief.call("returned", stolen)
        thief.call("took", stolen)
    slave.call("done", numbers, [FINISHED], [b"right"], 0.1)
    slave.call("done", numbers, [FINISHED], [b"twice"], 0.1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"right"])
    owner.call("push_tasks", 2, 0, 1, [b"more"])
    _owner, _code_count, numbers, _payloads = slave.next("run")
    slave.call("done", numbers, [FINISHED], [b"more"], 0.1)
    assert owner.next("finished")[:3] == ([2], [FINISHED], [b"more"])
