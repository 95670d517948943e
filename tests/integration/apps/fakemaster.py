"""A master that answers what a test wants."""

from __future__ import annotations

import os
import queue
import threading
from concurrent.futures import Future
from typing import Any

from concurrent.apps.status import Ping
from concurrent.core.errors import NodeError
from concurrent.core.stats import Stats
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import jsonremote, tcpremote
from concurrent.transport.carriers.tcp import TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits
from concurrent.transport.web.service import JSONService
from tests.local import protected_by_place

TIMEOUT_S = 20.0
LIMITS = Limits(heartbeat_s=0.1, silence_s=0.5, resume_s=5.0)


class Master:
    """Both channels of a master that answers what a test wants; like a real one it binds a session once."""

    def __init__(self, loop: NodeLoop) -> None:
        self.registrations: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.sessions: queue.SimpleQueue[TCPHandler] = queue.SimpleQueue()
        self.node_id = "master-1"
        self.pings: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.wrong_answers: list[Any] = []
        self.late_joins: list[Future[int]] = []
        self.manager = "GenericTaskManager"
        self.job: dict[str, Any] | None = None
        """What it answers to ``attach_job``; None for a master that has no jobs."""
        self.wishes: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.job_refusal: Exception | None = None
        self.refusal: Exception | None = None
        self.answers = threading.Event()
        self.answers.set()
        self.api = JSONService("master-1", port=0, title="master", stats=Stats())
        self._protection = protected_by_place(self.api, is_open=True)
        self.server = TCPServer(loop, node_id="master-1", limits=LIMITS, protection=self._protection)
        self.server.start()
        self.port = self.server.port

        self.api.add_view("/ping", self._ping, "That the node lives.", Ping)

        @jsonremote(self.api, name="register_application")
        @jsonremote(self.api, name="register_slave")
        def register(request: Any, node_id: str, port: int, data: dict[str, Any]) -> Any:
            self.registrations.put(None)
            self.answers.wait(TIMEOUT_S)
            if self.refusal is not None:
                raise self.refusal
            return self.wrong_answers.pop() if self.wrong_answers else self.answer()

        @tcpremote(self.server, name="register_application")
        @tcpremote(self.server, name="register_slave")
        def join(handler: TCPHandler, request: Any, node_id: str) -> Any:
            if handler.context is not None:
                raise NodeError(f"this session is that of {node_id}")
            handler.context = node_id
            self.sessions.put(handler)
            return self.late_joins.pop() if self.late_joins else 7

        @tcpremote(self.server)
        def attach_job(handler: TCPHandler, request: Any, node_id: str, wish: dict[str, Any]) -> Any:
            self.wishes.put(wish)
            if self.job_refusal is not None:
                raise self.job_refusal
            handler.context = node_id
            self.sessions.put(handler)
            return self.job

        self.server.on_lost = lambda handler, _reason: setattr(handler, "context", None)
        self.api.start()

    def answer(self) -> dict[str, Any]:
        return {
            "master": self.node_id, "channel": "tcp", "port": self.port, "manager": self.manager,
            "work": {"kind": "session"},
            **({} if self.job is None else {"jobs": True, "epoch": self.job["epoch"], "cluster": "a cluster"}),
        }  # fmt: skip

    def _ping(self) -> dict[str, Any]:
        self.pings.put(None)
        return Ping(self.node_id, "master", "1", os.getpid()).to_json()

    def stop(self) -> None:
        self.answers.set()
        assert self._protection.place is not None
        self._protection.place.remove()
        self.api.stop()
        self.server.stop()
