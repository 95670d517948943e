"""Peers of a real master that say what a test has them say."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from concurrent.apps import MasterNode
from concurrent.scheduling.tasks.outcome import FINISHED
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.tcp import TCPClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.web.jsonclient import JSONClient

TIMEOUT_S = 20.0


class Peer:
    """A peer of the master that says what a test has it say, and keeps what it is told.

    :param more: further methods that it has, with the features that they are part of.
    """

    def __init__(
        self,
        loop: NodeLoop,
        master: MasterNode,
        node_id: str,
        *,
        more: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.node_id = node_id
        self.said: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.ends: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._master = master
        self.client: SessionClient = TCPClient(
            loop,
            "127.0.0.1",
            master.compute_server.port,
            node_id=node_id,
            protection=master.protection,
            **options,
        )
        for method in (
            "accepted", "finished", "code", "run", "cancel", "forget", "give_back", "tasksystem_accepted",
            "tasksystem_finished", "notice",
        ):  # fmt: skip
            self._keep(method, method if method == "notice" else None)
        for method, feature in (more or {}).items():
            self._keep(method, feature)
        self.client.on_lost = lambda _handler, reason: self.ends.put(reason)
        self.client.start()
        self.handler = self.client.wait_open(TIMEOUT_S)

    def call(self, method: str, *args: Any) -> Any:
        return self.handler.call(method, *args, timeout_s=TIMEOUT_S).result(TIMEOUT_S)

    def register(self, kind: str, **data: Any) -> Any:
        """Register with the JSON API."""
        with closing(self._master_api()) as api:
            call = api.call(f"register_{kind}", node_id=self.node_id, port=0, data=data, timeout_s=TIMEOUT_S)
            return call.result(TIMEOUT_S)

    def _master_api(self) -> JSONClient:
        port = self._master.api_service_v1.port
        return JSONClient("127.0.0.1", port, protection=self._master.protection)

    def join(self, kind: str, **data: Any) -> Any:
        """Register and bind the session to that; return the number."""
        self.register(kind, **data)
        return self.call(f"register_{kind}", self.node_id)

    def next(self, method: str) -> tuple[Any, ...]:
        """Wait for the master to call a method; return the arguments."""
        while True:
            name, *args = self.said.get(timeout=TIMEOUT_S)
            if name == method:
                return tuple(args)

    def heard(self) -> list[tuple[Any, ...]]:
        """Return what the master has called up to now: the methods with their arguments."""
        self.call("count_workers")  # what it sent before has come then
        calls: list[tuple[Any, ...]] = []
        while not self.said.empty():
            calls.append(self.said.get_nowait())
        return calls

    def _keep(self, method: str, feature: str | None) -> None:
        @tcpremote(self.client, name=method, feature=feature)
        def keep(_handler: Any, _request: Any, *args: Any) -> None:
            self.said.put((method, *args))


MakePeer = Callable[..., Peer]


def assert_works(make: MakePeer) -> None:
    """Have one task take its way from an application to a slave and back."""
    owner, slave = make("application-fine"), make("slave-fine")
    owner.join("application")
    slave.join("slave", workers=1, window=5)
    owner.call("push_tasks", 1, 0, 1, [b"task"])
    _owner, _code_count, numbers, payloads = slave.next("run")
    assert payloads == [b"task"]
    slave.call("done", numbers, [FINISHED], [b"result"], 0.1)
    assert owner.next("finished")[:3] == ([1], [FINISHED], [b"result"])
