"""Sessions survive cuts of their carriers without loss and without doubles."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from concurrent.core.errors import ConnectionLost
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.session.limits import Limits
from tests.integration.transport.transport_nodes import WAIT_S, Carriers, CuttingProxy

ProxyTo = Callable[[int], CuttingProxy]


def test_nothing_is_lost_or_doubled_when_carriers_are_cut_in_the_middle(
    carriers: Carriers, proxy_to: ProxyTo
) -> None:
    server = carriers.serve()
    got: list[int] = []
    back: list[int] = []

    @tcpremote(server, name="put")
    def put(handler: TCPHandler, request: Any, number: int, data: Any) -> None:
        got.append(number)
        handler.cast("back", number, data)

    proxy = proxy_to(server.port)
    proxy.cut_after_bytes = [3_000, 120_000, 7, 777_777, 500_000, 33, 1_500_000]
    client = carriers.new_client(proxy.port)
    done = threading.Event()
    is_new: list[bool] = []
    client.on_open = lambda handler, new: is_new.append(new)

    @tcpremote(client, name="back")
    def received_back(handler: TCPHandler, request: Any, number: int, data: Any) -> None:
        back.append(number)
        if number == 299:
            done.set()

    client.start()
    client.wait_open(WAIT_S)
    for number in range(300):
        client.handler.cast("put", number, as_payload(b"x" * (70_000 if number % 3 else 100)))
    assert done.wait(WAIT_S)
    assert proxy.cut_count >= 5
    assert got == list(range(300))
    assert back == list(range(300))
    assert is_new[0] is True
    assert is_new.count(True) == 1


def test_a_call_survives_a_cut(carriers: Carriers, proxy_to: ProxyTo) -> None:
    server = carriers.serve()
    begun: queue.Queue[Future[Any]] = queue.Queue()

    @tcpremote(server, name="slow")
    def slow(handler: TCPHandler, request: Any) -> Future[Any]:
        future: Future[Any] = Future()
        begun.put(future)
        return future

    proxy = proxy_to(server.port)
    client = carriers.connect(proxy.port)
    waiting = client.handler.call("slow")
    future = begun.get(timeout=WAIT_S)
    proxy.cut()
    future.set_result("worth it")
    assert waiting.result(WAIT_S) == "worth it"
    assert begun.empty()


def test_what_is_cast_during_a_cut_arrives_afterwards(carriers: Carriers, proxy_to: ProxyTo) -> None:
    server = carriers.serve()
    got: queue.Queue[int] = queue.Queue()
    server.methods.register(lambda handler, request, value: got.put(value), "put", None)
    resumed = threading.Event()
    proxy = proxy_to(server.port)
    client = carriers.connect(proxy.port)
    server.on_open = lambda handler, is_new: None if is_new else resumed.set()
    handler = client.handler
    session_id = handler.session_id
    proxy.refuse(True)
    for number in range(10):
        handler.cast("put", number)
    proxy.refuse(False)
    assert [got.get(timeout=WAIT_S) for _ in range(10)] == list(range(10))
    assert resumed.is_set()
    assert handler.session_id == session_id


def test_a_session_that_is_not_resumed_in_time_is_lost_at_both_ends(
    carriers: Carriers, proxy_to: ProxyTo, quick_limits: Limits
) -> None:
    server = carriers.serve(limits=quick_limits)
    events: queue.Queue[tuple[str, str]] = queue.Queue()
    server.methods.register(lambda handler, request: Future(), "never", None)
    server.on_lost = lambda handler, reason: events.put(("server", reason))
    proxy = proxy_to(server.port)
    client = carriers.new_client(proxy.port, limits=quick_limits)
    opened: queue.Queue[bool] = queue.Queue()
    client.on_open = lambda handler, is_new: opened.put(is_new)
    client.on_lost = lambda handler, reason: events.put(("client", reason))
    client.start()
    assert opened.get(timeout=WAIT_S) is True
    waiting = client.handler.call("never")
    proxy.refuse(True)
    lost = dict(events.get(timeout=WAIT_S) for _ in range(2))
    assert "not resumed within 0.5 s" in lost["server"]
    assert "not resumed within 0.5 s" in lost["client"]
    with pytest.raises(ConnectionLost, match="not resumed"):
        waiting.result(WAIT_S)
    proxy.refuse(False)
    while opened.get(timeout=WAIT_S) is not True:
        pass
    assert client.wait_open(WAIT_S).is_open


def test_a_server_that_forgot_the_session_makes_a_new_one(carriers: Carriers, proxy_to: ProxyTo) -> None:
    server = carriers.serve()
    proxy = proxy_to(server.port)
    client = carriers.new_client(proxy.port)
    events: queue.Queue[str] = queue.Queue()
    client.on_open = lambda handler, is_new: events.put("new" if is_new else "resumed")
    client.on_lost = lambda handler, reason: events.put(reason)
    client.start()
    assert events.get(timeout=WAIT_S) == "new"
    old = client.handler.session_id
    proxy.refuse(True)
    server.handlers[0].close("forgotten")
    proxy.refuse(False)
    assert "does not know the session" in events.get(timeout=WAIT_S)
    assert events.get(timeout=WAIT_S) == "new"
    assert client.handler.session_id != old


def test_heartbeats_keep_an_idle_session_open(carriers: Carriers, quick_limits: Limits) -> None:
    server = carriers.serve(limits=quick_limits)
    lost = threading.Event()
    server.on_lost = lambda handler, reason: lost.set()
    client = carriers.connect(server.port)  # it learns how often from the server
    session_id = client.handler.session_id
    assert not lost.wait(3 * quick_limits.silence_s)
    assert client.handler.session_id == session_id


def test_a_session_outlives_a_silence_that_is_longer_than_a_cut(
    carriers: Carriers, proxy_to: ProxyTo, quick_limits: Limits
) -> None:
    server = carriers.serve(limits=quick_limits)
    got: queue.Queue[int] = queue.Queue()
    server.methods.register(lambda handler, request, value: got.put(value), "put", None)
    proxy = proxy_to(server.port)
    client = carriers.new_client(proxy.port, limits=quick_limits)
    events: queue.Queue[object] = queue.Queue()
    for endpoint in (server, client):
        endpoint.on_cut = lambda handler, is_silent: events.put(is_silent)
        endpoint.on_lost = lambda handler, reason: events.put(reason)
    client.start()
    client.wait_open(WAIT_S)
    proxy.hold(True)
    client.handler.cast("put", 1)
    assert [events.get(timeout=WAIT_S) for _ in range(2)] == [True, True]
    client.handler.cast("put", 2)
    with pytest.raises(queue.Empty):
        events.get(timeout=3 * quick_limits.resume_s)
    proxy.hold(False)
    assert [got.get(timeout=WAIT_S) for _ in range(2)] == [1, 2]
    ends = [events.get_nowait() for _ in range(events.qsize())]
    assert not any(isinstance(end, str) for end in ends), ends


def test_a_silence_ends_a_session_in_the_end(
    carriers: Carriers, proxy_to: ProxyTo, quick_limits: Limits
) -> None:
    limits = replace(quick_limits, return_s=1.5)
    server = carriers.serve(limits=limits)
    reasons: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: reasons.put(reason)
    proxy = proxy_to(server.port)
    client = carriers.new_client(proxy.port, limits=limits)
    client.start()
    client.wait_open(WAIT_S)
    proxy.hold(True)
    assert reasons.get(timeout=WAIT_S) == "nothing was heard for 1.5 s"
    proxy.hold(False)
