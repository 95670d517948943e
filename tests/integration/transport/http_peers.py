"""What the tests of the JSON API share: a service with a few methods, and raw clients of it."""

from __future__ import annotations

import json
import socket
from concurrent.futures import Future
from http.client import HTTPConnection
from typing import Any, NamedTuple

import web

from concurrent.core.errors import WorkerDied
from concurrent.core.stats import Stats
from concurrent.transport import HTTPLimits, JSONService, jsonremote

TIMEOUT_S = 20.0


class Reply(NamedTuple):
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Peer:
    """A service on a free port, with methods that the tests call."""

    def __init__(self, limits: HTTPLimits | None = None, **options: Any) -> None:
        self.stats = Stats()
        self.service = JSONService("node", stats=self.stats, limits=limits, **options)
        self.never: Future[Any] = Future()
        self.notified: Future[Any] = Future()
        self.service.add_view("/ping", lambda: {"is_alive": True}, "That the node lives.")
        self.service.add_view("/large", lambda: "x" * 5000, "More than is sent uncompressed.")
        self.service.add_view("/broken", lambda: 1 / 0, "Fails.")
        self.service.add_view("/ill", lambda: {"ok": False}, "Is not well.", is_ok=lambda value: value["ok"])
        self.service.add_view("/set", lambda: {1, 2}, "Has no JSON form.")
        register_methods(self)

    def start(self) -> JSONService:
        self.service.start()
        return self.service

    def ask(
        self, verb: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.service.port, timeout=TIMEOUT_S)
        try:
            connection.request(verb, path, body, headers or {})
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def post(self, body: bytes | str, **headers: str) -> Reply:
        data = body.encode() if isinstance(body, str) else body
        return self.ask("POST", "/api/1", data, {"Content-Type": "application/json", **headers})

    def call(self, method: str, params: Any = (), **others: Any) -> Any:
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **others}
        return self.post(json.dumps(call)).json

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.service.port), TIMEOUT_S)


def register_methods(peer: Peer) -> None:
    service = peer.service

    @jsonremote(service)
    def add(request: Any, a: int, b: int = 0) -> int:
        """Return the sum of two numbers."""
        return a + b

    @jsonremote(service, name="who")
    def who_calls(request: Any) -> list[Any]:
        return [web.ctx["ip"], request.peer_ip, request.method]

    @jsonremote(service)
    def echo(request: Any, value: Any) -> Any:
        return value

    @jsonremote(service)
    def fail(request: Any) -> None:
        secret = "a local variable"  # noqa: F841
        raise KeyError("absent")

    @jsonremote(service)
    def fail_ours(request: Any) -> None:
        raise WorkerDied("the worker died", remedy="Look at its output.")

    @jsonremote(service)
    def leave(request: Any) -> None:
        raise SystemExit(3)

    @jsonremote(service)
    def give_set(request: Any) -> set[int]:
        return {1}

    @jsonremote(service)
    def give_nan(request: Any) -> float:
        return float("nan")

    @jsonremote(service)
    def give_nest(request: Any) -> list[Any]:
        nest: list[Any] = []
        for _ in range(100_000):
            nest = [nest]
        return nest

    @jsonremote(service)
    def soon(request: Any, value: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(value)
        return future

    @jsonremote(service)
    def wait(request: Any) -> Future[Any]:
        return peer.never

    @jsonremote(service)
    def note(request: Any, value: Any) -> None:
        peer.notified.set_result([value, request.call_id])
