"""How a node stays registered with a master that answers late, wrongly, or comes back as another one."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from concurrent.apps import masterlink, search
from concurrent.apps.access import Way
from concurrent.apps.api import NodeType
from concurrent.apps.jobseat import JobSeat
from concurrent.apps.jobwish import JobWish
from concurrent.apps.masterlink import Joined, MasterLink
from concurrent.core.builtin import BUILT_IN
from concurrent.core.component import ComponentManager
from concurrent.core.errors import ConcurrentError, JobTaken, JobUnknown, VersionMismatch
from concurrent.core.items import Host
from concurrent.core.stats import Stats
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.protection import Protection
from tests.integration.apps.fakemaster import LIMITS, Master
from tests.integration.transport.transport_nodes import CuttingProxy
from tests.system.cluster import wait_until

TIMEOUT_S = 20.0


class Node:
    """A node with a link to that master; notes when it joins and leaves, and fails where it is told to."""

    def __init__(self, loop: NodeLoop, master: Master, wish: JobWish | None = None) -> None:
        self.joins: queue.SimpleQueue[Joined] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.refusals: queue.SimpleQueue[ConcurrentError] = queue.SimpleQueue()
        self.fails_once: set[str] = set()
        self.clients: list[Any] = []
        self.way_by_now: Way | None = None
        self.link = MasterLink(
            loop,
            Way(Host("127.0.0.1", master.api.port), Protection(is_open=True)),
            node_id="slave-1",
            node_type=NodeType.slave if wish is None else NodeType.application,
            http_port=0,
            describe=self.hook("describe", lambda: {"workers": 1}),
            register_methods=self.hook("register_methods", self.clients.append),
            prepare=self.hook("prepare", lambda _answer: None),
            on_joined=self.hook("on_joined", self.joins.put),
            on_left=self.hook("on_left", self.ends.put),
            on_refused=self.refusals.put,
            stats=Stats(),
            limits=LIMITS,
            components=ComponentManager(built_in=BUILT_IN),
            seat=None if wish is None else JobSeat(wish),
            find_way=self.find_way,
        )

    def find_way(self, address: Host) -> Way | None:
        way = self.way_by_now
        return way if way is not None and way.address != address else None

    def hook(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            if name in self.fails_once:
                self.fails_once.remove(name)
                raise RuntimeError(f"{name} of a plug-in")
            return work(*args)

        return run

    def wait_joined(self) -> Joined:
        return self.joins.get(timeout=TIMEOUT_S)


@pytest.fixture
def node(loop: NodeLoop, fake_master: Master) -> Iterator[Node]:
    made = Node(loop, fake_master)
    yield made
    made.link.stop()


def test_a_node_goes_where_its_master_is_said_to_be_now(loop: NodeLoop, fake_master: Master) -> None:
    node = Node(loop, fake_master)
    other = Master(loop)
    try:
        node.link.start()
        node.wait_joined()
        node.way_by_now = Way(Host("127.0.0.1", other.api.port), Protection(is_open=True))
        fake_master.stop()
        node.wait_joined()
        assert node.link.address == node.way_by_now.address
    finally:
        node.link.stop()
        other.stop()


def test_a_node_whose_join_is_answered_late_joins_with_a_new_session(
    node: Node, fake_master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masterlink, "CALL_TIMEOUT_S", 0.3)
    fake_master.late_joins.append(Future())
    node.link.start()
    first = fake_master.sessions.get(timeout=TIMEOUT_S)
    assert node.wait_joined().number == 7
    assert fake_master.sessions.get(timeout=TIMEOUT_S) is not first
    assert node.link.state == "joined"


@contextmanager
def closing_proxy(loop: NodeLoop, port: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(loop, port)
    try:
        yield proxy
    finally:
        proxy.stop()


def test_a_node_whose_session_is_cut_when_the_answer_comes_joins_when_it_is_resumed(
    node: Node, fake_master: Master, loop: NodeLoop
) -> None:
    with closing_proxy(loop, fake_master.server.port) as proxy:
        fake_master.port = proxy.port
        node.link.start()
        node.wait_joined()
        while not fake_master.registrations.empty():
            fake_master.registrations.get()
        fake_master.answers.clear()
        fake_master.sessions.get(timeout=TIMEOUT_S).close("a test")
        node.ends.get(timeout=TIMEOUT_S)
        fake_master.registrations.get(timeout=TIMEOUT_S)
        node.clients[0].wait_open(TIMEOUT_S)
        proxy.refuse(True)
        while node.clients[0].handler.is_open:  # until the client has noticed
            loop.call(bool, timeout_s=TIMEOUT_S)
        fake_master.answers.set()
        while node.link.state != "registered":
            loop.call(bool, timeout_s=TIMEOUT_S)
        proxy.refuse(False)
        assert node.wait_joined().number == 7


def test_a_node_waits_for_its_session_while_the_master_is_the_same_and_no_longer(
    node: Node, fake_master: Master, loop: NodeLoop
) -> None:
    with closing_proxy(loop, fake_master.server.port) as proxy:
        fake_master.port = proxy.port
        node.link.start()
        node.wait_joined()
        proxy.refuse(True)
        for _ in range(3):
            fake_master.pings.get(timeout=TIMEOUT_S)
        assert node.link.state == "joined"
        fake_master.port, fake_master.node_id = fake_master.server.port, "master-2"
        assert node.ends.get(timeout=TIMEOUT_S) == "another master has taken its place"
        assert node.wait_joined().answer["master"] == "master-2"


@pytest.mark.parametrize(
    ("answer", "fields"),
    [
        (None, {}),
        ([], {}),
        ("text", {}),
        ({}, {}),
        (dict, {"port": "none"}),
        (dict, {"port": 0}),
        (dict, {"channel": "pigeon"}),
        (dict, {"work": None}),
    ],
)
def test_a_wrong_answer_is_asked_for_again(
    node: Node, fake_master: Master, answer: Any, fields: dict[str, Any]
) -> None:
    """``dict`` is the right answer, but for these fields."""
    fake_master.wrong_answers.append({**fake_master.answer(), **fields} if answer is dict else answer)
    node.link.start()
    assert node.wait_joined().number == 7


def test_a_node_that_has_registered_with_a_master_that_ended_registers_with_the_next_one(
    node: Node, fake_master: Master, loop: NodeLoop
) -> None:
    with closing_proxy(loop, fake_master.server.port) as proxy:
        proxy.refuse(True)
        fake_master.port = proxy.port
        node.link.start()
        fake_master.pings.get(timeout=TIMEOUT_S)
        fake_master.port, fake_master.node_id = fake_master.server.port, "master-2"
        assert node.wait_joined().answer["master"] == "master-2"


@pytest.mark.parametrize("hook", ["describe", "prepare", "register_methods", "on_joined"])
def test_a_hook_that_fails_once_does_not_keep_the_node_away(node: Node, hook: str) -> None:
    node.fails_once.add(hook)
    node.link.start()
    assert node.wait_joined().number == 7
    assert not node.fails_once


def test_a_node_comes_back_though_it_failed_to_clean_up(node: Node, fake_master: Master) -> None:
    node.link.start()
    node.wait_joined()
    node.fails_once.add("on_left")
    fake_master.sessions.get(timeout=TIMEOUT_S).close("a test")
    assert node.wait_joined().number == 7
    assert not node.fails_once


def test_a_master_that_comes_back_with_another_scheduler_gets_another_client(
    node: Node, fake_master: Master
) -> None:
    node.link.start()
    node.wait_joined()
    fake_master.manager = "ZMQTaskManager"
    fake_master.sessions.get(timeout=TIMEOUT_S).close("a test")
    node.wait_joined()
    assert len(node.clients) == 2


def test_a_node_that_runs_another_python_is_refused_once_and_for_all(node: Node, fake_master: Master) -> None:
    fake_master.refusal = VersionMismatch("runs Python 3.99.0", thing="slave-1")
    node.link.start()
    error = node.refusals.get(timeout=TIMEOUT_S)
    assert isinstance(error, VersionMismatch)
    assert "3.99.0" in str(error)
    assert node.link.state == "refused"
    node.link.stop()
    assert fake_master.registrations.qsize() == 1


def test_a_node_gives_up_where_something_else_than_a_master_answers(
    node: Node, fake_master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WRONG_S", 0.2)
    fake_master.wrong_answers = [{"not": "a master"}] * 1000
    node.link.start()
    error = node.refusals.get(timeout=TIMEOUT_S)
    assert "its answer is not that of a master" in str(error)
    assert node.link.state == "refused"
    assert "its answer is not that of a master" in node.link.waits_for


JOB: dict[str, Any] = {
    "number": 7, "job": "abc", "attachment": 1, "is_new": True, "next_id": 1, "epoch": 4,
    "cluster": "a cluster", "durability": "host",
}  # fmt: skip


@pytest.fixture
def program(loop: NodeLoop, fake_master: Master) -> Iterator[Node]:
    made = Node(loop, fake_master, JobWish(name="hunt"))
    yield made
    made.link.stop()


def test_a_program_comes_back_to_the_job_that_it_had(program: Node, fake_master: Master) -> None:
    fake_master.job = JOB
    program.link.start()
    joined = program.wait_joined()
    assert (joined.number, joined.job.job, joined.job.is_new) == (7, "abc", True)
    wish = fake_master.wishes.get(timeout=TIMEOUT_S)
    assert (wish["job"], wish["name"], wish["attachment"]) == ("", "hunt", 0)
    fake_master.job = {**JOB, "is_new": False, "attachment": 2, "next_id": 5}
    fake_master.sessions.get(timeout=TIMEOUT_S).close("a test")
    assert program.wait_joined().job.next_id == 5
    wish = fake_master.wishes.get(timeout=TIMEOUT_S)
    assert (wish["job"], wish["attachment"]) == ("abc", 1)


@pytest.mark.parametrize("kind", [JobTaken, JobUnknown])
def test_a_program_that_cannot_have_its_job_is_refused_once_and_for_all(
    program: Node, fake_master: Master, kind: type[ConcurrentError]
) -> None:
    fake_master.job, fake_master.job_refusal = JOB, kind("somebody else has it", thing="hunt")
    program.link.start()
    error = program.refusals.get(timeout=TIMEOUT_S)
    assert type(error) is kind
    assert program.link.state == "refused"


def test_a_program_that_wants_a_certain_job_is_refused_by_a_master_without_jobs(
    program: Node, fake_master: Master
) -> None:
    program.link.start()
    assert "keeps no journal" in str(program.refusals.get(timeout=TIMEOUT_S))


def test_a_program_waits_while_an_earlier_state_of_its_cluster_answers(
    program: Node, fake_master: Master
) -> None:
    fake_master.job = JOB
    program.link.start()
    program.wait_joined()
    fake_master.job = {**JOB, "epoch": 3}
    fake_master.sessions.get(timeout=TIMEOUT_S).close("a test")
    wait_until(lambda: "its run 3" in program.link.waits_for, "the master is refused")
    fake_master.job = {**JOB, "epoch": 5}
    assert program.wait_joined().job.epoch == 5


def test_a_program_that_wants_no_certain_job_joins_a_master_without_jobs(
    loop: NodeLoop, fake_master: Master
) -> None:
    node = Node(loop, fake_master, JobWish())
    node.link.start()
    joined = node.wait_joined()
    assert (joined.number, joined.job.is_new) == (7, True)
    node.link.stop()
