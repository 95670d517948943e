"""How a node stays registered with a master that answers late, wrongly, or comes back as another one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.apps import masterlink
from concurrent.apps.api import NodeType
from concurrent.apps.masterlink import Joined, MasterLink
from concurrent.core.errors import NodeError
from concurrent.core.items import Host
from concurrent.core.stats import Stats
from concurrent.transport.handler import TCPHandler
from concurrent.transport.http import JSONService
from concurrent.transport.limits import Limits
from concurrent.transport.loop import NodeLoop
from concurrent.transport.methods import jsonremote, tcpremote
from concurrent.transport.tcp import TCPServer
from tests.integration.transport.transport_nodes import CuttingProxy

TIMEOUT_S = 20.0
LIMITS = Limits(heartbeat_s=0.1, silence_s=0.5, resume_s=5.0)


class Master:
    """Both channels of a master that answers what a test wants; like a real one it binds a session once."""

    def __init__(self, loop: NodeLoop) -> None:
        self.registrations: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.sessions: queue.SimpleQueue[TCPHandler] = queue.SimpleQueue()
        self.wrong_answers: list[Any] = []
        self.late_joins: list[Future[int]] = []
        self.manager = "GenericTaskManager"
        self.answers = threading.Event()
        self.answers.set()
        self.server = TCPServer(loop, node_id="master-1", limits=LIMITS)
        self.server.start()
        self.port = self.server.port
        self.api = JSONService("master-1", port=0, title="master", stats=Stats())

        @jsonremote(self.api, name="register_slave")
        def register(request: Any, node_id: str, port: int, data: dict[str, Any]) -> Any:
            self.registrations.put(None)
            self.answers.wait(TIMEOUT_S)
            return self.wrong_answers.pop() if self.wrong_answers else self.answer()

        @tcpremote(self.server, name="register_slave")
        def join(handler: TCPHandler, request: Any, node_id: str) -> Any:
            if handler.context is not None:
                raise NodeError(f"this session is that of {node_id}")
            handler.context = node_id
            self.sessions.put(handler)
            return self.late_joins.pop() if self.late_joins else 7

        self.server.on_lost = lambda handler, _reason: setattr(handler, "context", None)
        self.api.start()

    def answer(self) -> dict[str, Any]:
        return {
            "master": "master-1", "channel": "tcp", "port": self.port, "manager": self.manager,
            "work": {"kind": "session"},
        }  # fmt: skip

    def stop(self) -> None:
        self.answers.set()
        self.api.stop()
        self.server.stop()


class Node:
    """A node with a link to that master; notes when it joins and leaves, and fails where it is told to."""

    def __init__(self, loop: NodeLoop, master: Master) -> None:
        self.joins: queue.SimpleQueue[Joined] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.fails_once: set[str] = set()
        self.clients: list[Any] = []
        self.link = MasterLink(
            loop,
            Host("127.0.0.1", master.api.port),
            node_id="slave-1",
            node_type=NodeType.slave,
            http_port=0,
            describe=self.hook("describe", lambda: {"workers": 1}),
            register_methods=self.hook("register_methods", self.clients.append),
            prepare=self.hook("prepare", lambda _answer: None),
            on_joined=self.hook("on_joined", self.joins.put),
            on_left=self.hook("on_left", self.ends.put),
            stats=Stats(),
            limits=LIMITS,
        )

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
def master() -> Iterator[Master]:
    loop = NodeLoop("master-loop")
    loop.start()
    made = Master(loop)
    yield made
    made.stop()
    loop.stop()


@pytest.fixture
def node(loop: NodeLoop, master: Master) -> Iterator[Node]:
    made = Node(loop, master)
    yield made
    made.link.stop()


def test_a_node_whose_join_is_answered_late_joins_with_a_new_session(
    node: Node, master: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masterlink, "CALL_TIMEOUT_S", 0.3)
    master.late_joins.append(Future())
    node.link.start()
    first = master.sessions.get(timeout=TIMEOUT_S)
    assert node.wait_joined().number == 7
    assert master.sessions.get(timeout=TIMEOUT_S) is not first
    assert node.link.state == "joined"


def test_a_node_whose_session_is_cut_when_the_answer_comes_joins_when_it_is_resumed(
    node: Node, master: Master, loop: NodeLoop
) -> None:
    proxy = CuttingProxy(loop, master.server.port)
    master.port = proxy.port
    node.link.start()
    node.wait_joined()
    while not master.registrations.empty():
        master.registrations.get()
    master.answers.clear()
    master.sessions.get(timeout=TIMEOUT_S).close("a test")
    node.ends.get(timeout=TIMEOUT_S)
    master.registrations.get(timeout=TIMEOUT_S)
    node.clients[0].wait_open(TIMEOUT_S)
    proxy.refuse(True)
    master.answers.set()
    while node.link.state != "registered":
        loop.call(bool, timeout_s=TIMEOUT_S)
    assert not node.clients[0].handler.is_open
    proxy.refuse(False)
    assert node.wait_joined().number == 7
    proxy.stop()


@pytest.mark.parametrize(
    "wrong",
    [None, [], "text", {}, {"port": "none"}, {"channel": "pigeon"}, {"work": None}, {"port": 0}],
)
def test_a_wrong_answer_is_asked_for_again(node: Node, master: Master, wrong: Any) -> None:
    master.wrong_answers.append({**master.answer(), **wrong} if isinstance(wrong, dict) and wrong else wrong)
    node.link.start()
    assert node.wait_joined().number == 7


@pytest.mark.parametrize("hook", ["describe", "prepare", "register_methods", "on_joined"])
def test_a_hook_that_fails_once_does_not_keep_the_node_away(node: Node, hook: str) -> None:
    node.fails_once.add(hook)
    node.link.start()
    assert node.wait_joined().number == 7
    assert not node.fails_once


def test_a_node_comes_back_though_it_failed_to_clean_up(node: Node, master: Master) -> None:
    node.link.start()
    node.wait_joined()
    node.fails_once.add("on_left")
    master.sessions.get(timeout=TIMEOUT_S).close("a test")
    assert node.wait_joined().number == 7
    assert not node.fails_once


def test_a_master_that_comes_back_with_another_scheduler_gets_another_client(
    node: Node, master: Master
) -> None:
    node.link.start()
    node.wait_joined()
    master.manager = "ZMQTaskManager"
    master.sessions.get(timeout=TIMEOUT_S).close("a test")
    node.wait_joined()
    assert len(node.clients) == 2
