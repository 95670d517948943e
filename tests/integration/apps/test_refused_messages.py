"""A message about tasks that cannot be taken strands nothing: its sender is told, and the tasks go on."""

from __future__ import annotations

import pickle
import queue
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from concurrent.apps import MasterNode
from concurrent.apps.access import Way
from concurrent.apps.client import ClusterClient
from concurrent.core.builtin import BUILT_IN
from concurrent.core.component import ComponentManager
from concurrent.core.items import Host
from concurrent.core.stats import Stats
from concurrent.scheduling.owner.results import Outcome
from concurrent.scheduling.slave.pullingmanager import ZMQTaskManager
from concurrent.scheduling.slave.taskmanager import GenericTaskManager
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import MethodRegistry, tcpremote
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.protection import Protection
from concurrent.transport.session.limits import Limits
from tests.integration.apps.fakemaster import Master
from tests.integration.apps.peers import TIMEOUT_S, MakePeer

UNUSED: Any = None

HINTS = {
    "bars", "fits", "held", "lacks", "notice", "preparing", "printed", "progress", "running", "system_log",
    "system_notice", "system_progress", "tasksystem_progress", "uses", "workers",
}  # fmt: skip
"""What is only shown to people: such a cast is refused with a line in the log."""

FROM_SLAVE: dict[str, list[tuple[Any, ...]]] = {
    "done": [
        ([1], [0], [b""]),
        ([1], [], [], 0.1),
        ([1], [0], ["text"], 0.1),
        (["1"], [0], [b""], 0.1),
        ([1], [77], [b""], 0.1),
        ([1], [0], [b""], float("nan")),
        ([1], [0], [b""], -1),
        ([1], [0], [b""], 0.1, "one more"),
    ],
    "returned": [("all",), ([1.5],), ()],
    "took": [(["1"],), (1,)],
    "holding": [(["1"], []), ([1], 7)],
    "pull": [("more",), (-1,)],
    "set_window": [(None,), (-1,)],
    "push_tasks": [(1, 0, 1, [b"x"])],
}
FROM_APPLICATION: dict[str, list[tuple[Any, ...]]] = {
    "define_code": [(3, b"x"), (0, "text")],
    "push_tasks": [(1, 0, 1, b"x"), (1, 0, 1, ["x"]), (1, 5, 1, [b"x"]), (1, 0, 0, [b"x"]), (1, 0, 1, [])],
    "cancel": [(7,), (["1"],)],
    "consumed": [("much",), (-1,)],
    "consumed_to": [("much",), (-1,), (99,)],
    "name_tasks": [(1, []), (-1, ["a"]), (1, [7]), (1, ["a" * 1025])],
    "job_begun": [("1",), (-1,)],
    "detach_job": [(1,)],
    "push_tasksystem": [(1, 5, b"x"), (1, 0, 9)],
    "cancel_tasksystem": [("1",)],
    "tasksystem_heard": [("1",)],
    "system_finished": [(77, b"x")],
    "system_stepped": [(-1, 1, b"x"), (0, 0, b"x"), (0, 1, "text")],
    "done": [([1], [0], [b""], 0.1)],
}
TO_SLAVE: dict[str, list[tuple[Any, ...]]] = {
    "code": [(1, 0, "text"), (1,)],
    "run": [(1, 0, [1], []), (1, 0, [1], ["text"]), (1, 0, ["1"], [b"x"]), (1, 0, [1], b"x")],
    "cancel": [(["1"],), (1,)],
    "give_back": [("all",), ()],
    "drained": [(1,), ()],
    "forget": [("1",)],
    "spared": [("1", ""), (1, 2)],
    "stored": [("1",)],
}
TO_APPLICATION: dict[str, list[tuple[Any, ...]]] = {
    "accepted": [("1",)],
    "finished": [([1], [], [], 1), ([1], [0], ["text"], 1), ([1], [77], [b""], 1), ([1], [0], [b""])],
    "recalled": [([1], []), (["1"], [b""])],
    "recalled_code": [("1", b""), (0, "text")],
    "tasksystem_accepted": [("1",)],
    "tasksystem_finished": [(1, 77, b""), (1, 0, "text")],
}


def cases(table: dict[str, list[tuple[Any, ...]]]) -> list[Any]:
    rows = [(method, args) for method, wrong in table.items() for args in wrong]
    return [pytest.param(*row, id=f"{row[0]}{row[1]}"[:60]) for row in rows]


def vital(methods: MethodRegistry) -> set[str]:
    """Return what ends the session if it is refused; as calls all of it answers nothing."""
    found = [method for method in methods if method.is_vital]
    assert all(method.signature.return_annotation in ("None", None) for method in found)
    return {method.name for method in found}


def test_what_is_lost_without_notice_are_hints_only(master: MasterNode) -> None:
    methods = master.compute_server.methods
    assert vital(methods) == {*FROM_SLAVE, *FROM_APPLICATION}
    calls = {
        "attach_job", "count_workers", "explain", "job_keys", "join_system", "output", "project_part",
        "register_application", "register_slave",
    }  # fmt: skip
    assert {method.name for method in methods} - vital(methods) - calls == HINTS & {
        method.name for method in methods
    }


@pytest.mark.parametrize(("method", "args"), cases(FROM_SLAVE))
def test_a_slave_whose_message_is_refused_is_told_and_its_tasks_go_elsewhere(
    peer: MakePeer, method: str, args: tuple[Any, ...]
) -> None:
    owner, odd, fine = peer("application-1"), peer("slave-odd"), peer("slave-fine")
    owner.join("application")
    odd.join("slave", workers=1, window=5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    odd.next("run")
    fine.join("slave", workers=1, window=5)
    odd.handler.cast(method, *args)
    reason = odd.ends.get(timeout=TIMEOUT_S)
    assert method in reason
    numbers = fine.next("run")[2]
    fine.call("done", numbers, [FINISHED], [b"result"], 1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"result"])


@pytest.mark.parametrize(("method", "args"), cases(FROM_APPLICATION))
def test_an_application_whose_message_is_refused_is_told_and_may_come_again(
    peer: MakePeer, method: str, args: tuple[Any, ...]
) -> None:
    owner = peer("application-1")
    owner.join("application")
    owner.handler.cast(method, *args)
    assert method in owner.ends.get(timeout=TIMEOUT_S)
    owner.client.wait_open(TIMEOUT_S)
    owner.join("application")
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    assert owner.next("accepted") == (1,)


@pytest.mark.parametrize(
    ("kind", "method", "args"),
    [
        ("application", "define_code", (0, b"blob")),
        ("application", "push_tasks", (1, 0, 1, [b"task"])),
        ("application", "cancel", ([1],)),
        ("application", "consumed", (1,)),
        ("application", "consumed_to", (0,)),
        ("application", "push_tasksystem", (1, 0, b"system")),
        ("application", "cancel_tasksystem", (1,)),
        ("application", "system_progress", (1, 2)),
        ("application", "system_log", (20, "text")),
        ("application", "system_finished", (0, b"result")),
        ("slave", "done", ([1], [0], [b"result"], 0)),
        ("slave", "returned", ([1],)),
        ("slave", "took", ([1],)),
        ("slave", "pull", (1,)),
        ("slave", "set_window", (1,)),
        ("slave", "running", ([1], [7], [0.5], [""])),
    ],
)
def test_what_is_cast_may_be_called_and_answers_nothing(
    master: MasterNode, peer: MakePeer, kind: str, method: str, args: tuple[Any, ...]
) -> None:
    one = peer("peer-1")
    one.join(kind, workers=1, window=1)
    assert one.call(method, *args) is None
    assert method in {*FROM_APPLICATION, *FROM_SLAVE, *HINTS}


def test_hints_that_are_refused_harm_nothing(peer: MakePeer) -> None:
    owner = peer("application-1")
    owner.join("application")
    owner.handler.cast("system_progress", "1", 2)
    owner.handler.cast("system_log", 20, b"bytes")
    assert owner.call("count_workers") == 0


class Far:
    """The far end of a session with an endpoint of ours: says wrong things, and learns why it was refused."""

    def __init__(self, loop: NodeLoop) -> None:
        self.sessions: queue.SimpleQueue[TCPHandler] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.server = TCPServer(loop, node_id="master")
        self.server.on_open = lambda handler, _is_new: self.sessions.put(handler)
        self.server.on_lost = lambda _handler, reason: self.ends.put(reason)
        self.server.start()
        self.client = TCPClient(loop, "127.0.0.1", self.server.port, node_id="node")

    def says(self, method: str, *args: Any) -> str:
        self.client.start()
        self.sessions.get(timeout=TIMEOUT_S).cast(method, *args)
        return self.ends.get(timeout=TIMEOUT_S)


@pytest.fixture
def far(loop: NodeLoop) -> Iterator[Far]:
    made = Far(loop)
    yield made
    made.client.stop()
    made.server.stop()


@pytest.mark.parametrize(("method", "args"), cases(TO_SLAVE))
def test_a_slave_ends_the_session_of_a_master_that_it_cannot_understand(
    far: Far, method: str, args: tuple[Any, ...]
) -> None:
    for manager in (GenericTaskManager, ZMQTaskManager):
        endpoint = SimpleNamespace(methods=MethodRegistry(), receive_into=lambda _new_block: None)
        manager.__new__(manager).register_methods(endpoint)  # type: ignore[arg-type]
        assert (
            vital(endpoint.methods)
            == {one.name for one in endpoint.methods} - {"output", "uses"}
            == set(TO_SLAVE)
        )
    manager.__new__(manager).register_methods(far.client)
    assert method in far.says(method, *args)


@pytest.mark.parametrize(("method", "args"), cases(TO_APPLICATION))
def test_an_application_ends_the_session_of_a_master_that_it_cannot_understand(
    far: Far, loop: NodeLoop, method: str, args: tuple[Any, ...]
) -> None:
    ClusterClient(loop, "application", on_outcomes=UNUSED)._register_methods(far.client)
    names = {one.name for one in far.client.methods}
    assert vital(far.client.methods) == names - HINTS == set(TO_APPLICATION)
    assert method in far.says(method, *args)


def test_an_application_pushes_again_what_a_refused_message_was_about(
    loop: NodeLoop, fake_master: Master
) -> None:
    pushed: queue.SimpleQueue[tuple[TCPHandler, int]] = queue.SimpleQueue()

    @tcpremote(fake_master.server)
    def push_tasks(
        handler: TCPHandler, _request: Any, first_id: int, _code_count: int, _terms: Any, _payloads: Any
    ) -> None:
        pushed.put((handler, first_id))

    outcomes: queue.SimpleQueue[list[Outcome]] = queue.SimpleQueue()
    client = ClusterClient(loop, "application-1", on_outcomes=outcomes.put)
    components = ComponentManager(built_in=BUILT_IN)
    way = Way(Host("127.0.0.1", fake_master.api.port), Protection(is_open=True))
    client.start(way, 0, Stats(), Limits(), components=components)
    try:
        client.tasks.push("item", (abs, (-1,), {}))
        handler, first_id = pushed.get(timeout=TIMEOUT_S)
        handler.cast("finished", [first_id], [FINISHED], ["no payload"], first_id)
        handler, again = pushed.get(timeout=TIMEOUT_S)
        assert again == first_id
        handler.cast("finished", [again], [FINISHED], [pickle.dumps(1)], again)
        assert outcomes.get(timeout=TIMEOUT_S) == [Outcome("item", FINISHED, pickle.dumps(1))]
    finally:
        client.stop()
