"""Calls and casts work the same on both carriers, in both directions."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from concurrent.core.errors import (
    CallTimeout,
    ConfigurationError,
    ConnectionLost,
    InvalidArguments,
    MessageTooLarge,
    QueueFull,
    RemoteError,
    UnknownMethod,
)
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.server import SessionServer
from concurrent.transport.carriers.tcp import TCPServer
from concurrent.transport.carriers.zeromq import TCPServerZMQ
from concurrent.transport.frames.frames import Frame, as_payload
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.session.limits import Limits
from tests.integration.transport.transport_nodes import WAIT_S, Carriers, CuttingProxy, wait_for_problem


def echo(handler: TCPHandler, request: Any, value: Any = None) -> Any:
    return value


def test_a_call_returns_what_the_method_returned(carriers: Carriers) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    handler = carriers.connect(server.port).handler
    value = [None, True, -1, 2.5, "text", b"bytes", {"key": [1]}]
    assert handler.call("echo", value).result(WAIT_S) == value
    assert handler.call("echo", value=value).result(WAIT_S) == value
    assert handler.proxy(timeout_s=WAIT_S).echo("by proxy").result(WAIT_S) == "by proxy"


def test_a_method_learns_who_calls(carriers: Carriers) -> None:
    server = carriers.serve()

    @tcpremote(server, name="who")
    def who(handler: TCPHandler, request: Any) -> list[Any]:
        return [handler.node_id, request.method, request.peer_ip, request.call_id > 0]

    handler = carriers.connect(server.port, "alice").handler
    assert handler.call("who").result(WAIT_S) == ["alice", "who", "127.0.0.1", True]
    assert handler.node_id == "server"


def test_the_server_calls_its_clients(carriers: Carriers) -> None:
    server = carriers.serve()
    opened: queue.Queue[tuple[TCPHandler, bool]] = queue.Queue()
    server.on_open = lambda handler, is_new: opened.put((handler, is_new))
    client = carriers.new_client(server.port)
    tcpremote(client)(echo)
    client.start()
    handler, is_new = opened.get(timeout=WAIT_S)
    assert is_new
    assert handler.call("echo", "hello").result(WAIT_S) == "hello"
    assert server.handlers == [handler]


def test_casts_arrive_in_order_before_a_later_call(carriers: Carriers) -> None:
    server = carriers.serve()
    got: list[int] = []
    server.methods.register(lambda handler, request, value: got.append(value), "put", None)
    server.methods.register(lambda handler, request: len(got), "count", None)
    handler = carriers.connect(server.port).handler
    for number in range(3000):
        handler.cast("put", number)
    assert handler.call("count").result(WAIT_S) == 3000
    assert got == list(range(3000))


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 3_000_000])
def test_payloads_of_any_size_arrive_whole_and_can_be_forwarded(carriers: Carriers, size: int) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    handler = carriers.connect(server.port).handler
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    result = handler.call("echo", [1, as_payload(data), as_payload(data)]).result(WAIT_S)
    assert [bytes(part) for part in result[1:]] == [data, data]
    assert isinstance(result[1], Frame) is (size >= 65536)


def test_a_payload_in_many_pieces_arrives_as_one(carriers: Carriers) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    handler = carriers.connect(server.port).handler
    pieces = [bytes([n % 256]) * (70_000 if n % 100 == 0 else n) for n in range(1500)]
    result = handler.call("echo", [Frame(*pieces), Frame(b"", b"end")]).result(WAIT_S)
    assert [bytes(part) for part in result] == [b"".join(pieces), b"end"]


def test_a_method_may_answer_later_with_a_future(carriers: Carriers) -> None:
    server = carriers.serve()
    futures: queue.Queue[Future[Any]] = queue.Queue()

    @tcpremote(server, name="later")
    def later(handler: TCPHandler, request: Any) -> Future[Any]:
        future: Future[Any] = Future()
        futures.put(future)
        return future

    handler = carriers.connect(server.port).handler
    waiting = [handler.call("later") for _ in range(3)]
    first, second, third = (futures.get(timeout=WAIT_S) for _ in range(3))
    second.set_result("second")
    assert waiting[1].result(WAIT_S) == "second"
    first.set_exception(InvalidArguments("no good"))
    with pytest.raises(InvalidArguments, match="no good"):
        waiting[0].result(WAIT_S)
    third.cancel()
    with pytest.raises(ConnectionLost, match="cancelled"):
        waiting[2].result(WAIT_S)


def test_failures_of_a_method_reach_its_caller(carriers: Carriers) -> None:
    server = carriers.serve()

    @tcpremote(server, name="fail")
    def fail(handler: TCPHandler, request: Any) -> None:
        raise ZeroDivisionError("by nothing")

    server.methods.register(lambda handler, request: object(), "unsendable", None)
    handler = carriers.connect(server.port).handler
    with pytest.raises(RemoteError, match="by nothing") as caught:
        handler.call("fail").result(WAIT_S)
    assert caught.value.type_name == "ZeroDivisionError"
    assert "in fail" in caught.value.traceback
    with pytest.raises(UnknownMethod, match="nowhere"):
        handler.call("nowhere").result(WAIT_S)
    with pytest.raises(InvalidArguments):
        handler.call("fail", "too", "many").result(WAIT_S)
    with pytest.raises(InvalidArguments, match="result of unsendable"):
        handler.call("unsendable").result(WAIT_S)
    with pytest.raises(InvalidArguments, match="Send None"):
        handler.call("fail", object()).result(WAIT_S)
    with pytest.raises(InvalidArguments, match="Send None"):
        handler.cast("fail", object())


def test_a_cast_that_fails_harms_nothing(carriers: Carriers) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    handler = carriers.connect(server.port).handler
    handler.cast("nowhere")
    handler.cast("echo", 1, 2, 3)
    assert handler.call("echo", "still here").result(WAIT_S) == "still here"


def test_casts_that_fail_for_ever_are_logged_a_few_times_and_end_the_session(
    carriers: Carriers, caplog: pytest.LogCaptureFixture
) -> None:
    server = carriers.serve()
    lost: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: lost.put(reason)
    handler = carriers.connect(server.port).handler
    tcpremote(server)(echo)
    with caplog.at_level(logging.WARNING, logger="concurrent.transport"):
        for _ in range(999):
            handler.cast("echo", 1, 2, 3)
        with pytest.raises(UnknownMethod):
            handler.call("nowhere").result(WAIT_S)
        lines = [one.getMessage() for one in caplog.records if "cast" in one.getMessage()]
        handler.cast("echo", 1, 2, 3)
        assert "1000 casts could not be accepted" in lost.get(timeout=WAIT_S)
    assert len(lines) == 11
    assert "further failures are not logged" in lines[-1]


def test_a_peer_that_does_not_take_its_answers_gets_no_more(carriers: Carriers) -> None:
    server = carriers.serve(limits=Limits(answers_bytes_max=100_000, window_bytes=1_000))
    server.methods.register(lambda handler, request: b"x" * 10_000, "give")
    handler = carriers.connect(server.port).handler

    def ask_for_much() -> list[Future[Any]]:
        return [handler.call("give", timeout_s=WAIT_S) for _ in range(50)]

    errors = [future.exception(WAIT_S) for future in carriers.client_loop.call(ask_for_much, timeout_s=WAIT_S)]
    assert errors[:10] == [None] * 10
    assert {type(error) for error in errors} == {type(None), QueueFull}
    assert handler.call("give").result(WAIT_S) == b"x" * 10_000


def test_a_call_without_an_answer_times_out_and_a_late_answer_is_dropped(
    carriers: Carriers,
) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    late: Future[Any] = Future()
    server.methods.register(lambda handler, request: late, "late", None)
    handler = carriers.connect(server.port).handler
    with pytest.raises(CallTimeout, match=r"late in 0\.05 s"):
        handler.call("late", timeout_s=0.05).result(WAIT_S)
    late.set_result("too late")
    assert handler.call("echo", "next").result(WAIT_S) == "next"


def test_a_message_over_the_limit_of_the_peer_is_refused_at_home(carriers: Carriers) -> None:
    server = carriers.serve(limits=Limits(message_bytes_max=200_000))
    tcpremote(server)(echo)
    server.methods.register(lambda handler, request: b"x" * 300_000, "big", None)
    handler = carriers.connect(server.port, limits=Limits(message_bytes_max=250_000)).handler
    with pytest.raises(MessageTooLarge, match="but the peer accepts 200000"):
        handler.call("echo", as_payload(b"x" * 200_000)).result(WAIT_S)
    with pytest.raises(MessageTooLarge, match=r"result of big.*the peer accepts 250000"):
        handler.call("big").result(WAIT_S)
    assert handler.call("echo", "still here").result(WAIT_S) == "still here"


def test_the_end_of_a_client_reaches_the_server_after_all_it_sent(carriers: Carriers) -> None:
    server = carriers.serve()
    events: queue.Queue[Any] = queue.Queue()
    server.methods.register(lambda handler, request, value: events.put(value), "put", None)
    server.on_lost = lambda handler, reason: events.put((handler.node_id, reason))
    client = carriers.connect(server.port)
    for number in range(100):
        client.handler.cast("put", [number, as_payload(b"x" * 100_000)])
    client.stop()
    got = [events.get(timeout=WAIT_S) for _ in range(101)]
    assert [value[0] for value in got[:100]] == list(range(100))
    assert got[100] == ("client", "client stops")
    assert server.handlers == []


def test_the_end_of_a_server_fails_open_calls_at_its_clients(carriers: Carriers) -> None:
    server = carriers.serve()
    begun = threading.Event()

    @tcpremote(server, name="never")
    def never(handler: TCPHandler, request: Any) -> Future[Any]:
        begun.set()
        return Future()

    client = carriers.connect(server.port)
    lost: queue.Queue[str] = queue.Queue()
    client.on_lost = lambda handler, reason: lost.put(reason)
    waiting = client.handler.call("never")
    assert begun.wait(WAIT_S)
    server.stop()
    with pytest.raises(ConnectionLost, match="server stops"):
        waiting.result(WAIT_S)
    assert lost.get(timeout=WAIT_S) == "server stops"
    assert not client.handler.is_open
    with pytest.raises(ConnectionLost):
        client.handler.cast("anything")
    with pytest.raises(ConnectionLost):
        client.handler.call("anything").result(WAIT_S)


def test_before_the_first_connection_nothing_can_be_sent(carriers: Carriers) -> None:
    client = carriers.new_client(1)
    with pytest.raises(ConnectionLost, match="wait_open"):
        client.handler.cast("anything")


def test_a_client_that_finds_no_server_says_what_is_wrong(carriers: Carriers) -> None:
    server = carriers.serve()
    server.stop()
    client = carriers.new_client(server.port)
    client.start()
    with pytest.raises(CallTimeout, match=f"127.0.0.1:{server.port} within"):
        client.wait_open(timeout_s=0.2)


def test_a_client_waits_for_a_server_that_starts_later(carriers: Carriers) -> None:
    first = carriers.serve()
    first.stop()
    client = carriers.new_client(first.port)
    client.start()
    second = carriers.serve(port=first.port)
    tcpremote(second)(echo)
    assert client.wait_open(WAIT_S).call("echo", 1).result(WAIT_S) == 1


def test_a_client_opens_a_new_session_with_a_server_that_was_restarted(
    carriers: Carriers,
) -> None:
    first = carriers.serve()
    events: queue.Queue[str] = queue.Queue()
    client = carriers.new_client(first.port)
    client.on_open = lambda handler, is_new: events.put("new" if is_new else "resumed")
    client.on_lost = lambda handler, reason: events.put("lost")
    client.start()
    assert events.get(timeout=WAIT_S) == "new"
    first.stop()
    assert events.get(timeout=WAIT_S) == "lost"
    second = carriers.serve(port=first.port)
    tcpremote(second)(echo)
    assert events.get(timeout=WAIT_S) == "new"
    assert client.handler.call("echo", 1).result(WAIT_S) == 1


def test_a_second_client_with_the_same_node_id_waits_until_the_first_has_left(
    carriers: Carriers,
) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    first = carriers.connect(server.port, "twin")
    session_id = first.handler.session_id
    second = carriers.new_client(server.port, "twin")
    second.start()
    wait_for_problem(second, "twin has a session and was heard of just now")
    assert first.handler.call("echo", 1).result(WAIT_S) == 1
    assert first.handler.session_id == session_id
    first.stop()
    assert second.wait_open(WAIT_S).call("echo", 2).result(WAIT_S) == 2


def test_a_node_that_died_without_a_word_is_replaced_when_it_is_started_again(
    carriers: Carriers, quick_limits: Limits, proxy_to: Callable[[int], CuttingProxy]
) -> None:
    server = carriers.serve(limits=quick_limits)
    lost: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: lost.put(reason)
    proxy = proxy_to(server.port)
    carriers.connect(proxy.port, "phoenix")
    proxy.refuse(True)
    carriers.connect(server.port, "phoenix")
    assert lost.get(timeout=WAIT_S)
    assert [handler.node_id for handler in server.handlers] == ["phoenix"]


def test_a_session_that_nobody_registers_is_ended(carriers: Carriers, quick_limits: Limits) -> None:
    server = carriers.serve(limits=quick_limits, bind_timeout_s=0.2)
    tcpremote(server)(echo)
    lost: queue.Queue[str] = queue.Queue()
    server.on_lost = lambda handler, reason: lost.put(handler.node_id)

    @tcpremote(server)
    def register(handler: TCPHandler, request: Any) -> None:
        handler.context = "registered"

    registered = carriers.connect(server.port, "registered").handler
    registered.call("register").result(WAIT_S)
    session_id = registered.session_id
    carriers.connect(server.port, "idle")
    assert lost.get(timeout=WAIT_S) == "idle"
    assert registered.call("echo", 1).result(WAIT_S) == 1
    assert registered.session_id == session_id


def test_a_handler_can_be_closed_by_either_side(carriers: Carriers) -> None:
    server = carriers.serve()
    told: queue.Queue[str] = queue.Queue()
    client = carriers.connect(server.port)
    client.on_lost = lambda handler, reason: told.put(reason)
    server.handlers[0].close("not wanted")
    assert told.get(timeout=WAIT_S) == "not wanted"


def test_a_thread_that_sends_faster_than_the_peer_takes_is_held_back(
    carriers: Carriers,
) -> None:
    server = carriers.serve()
    release = threading.Event()
    sizes: list[int] = []
    server.methods.register(lambda handler, request: release.wait(WAIT_S) and None, "stall", None)
    server.methods.register(lambda handler, request, data: sizes.append(len(data)), "put", None)
    server.methods.register(lambda handler, request: len(sizes), "count", None)
    bound = 1_000_000
    handler = carriers.connect(server.port, limits=Limits(outbox_bytes_max=bound, room_timeout_s=0.2)).handler
    handler.cast("stall")
    sent = 0

    def send_for_ever() -> None:
        nonlocal sent
        while sent < 1000:
            handler.cast("put", b"x" * 10_000)
            sent += 1

    with pytest.raises(QueueFull, match="had no room"):
        send_for_ever()
    assert bound * 0.9 < handler.queued_bytes < bound * 1.1
    assert not handler.has_room
    release.set()
    count = carriers.client_loop.call(lambda: handler.call("count"), timeout_s=WAIT_S)
    assert count.result(WAIT_S) == sent


def test_the_loop_thread_is_told_when_there_is_room_again(carriers: Carriers) -> None:
    server = carriers.serve()
    server.methods.register(lambda handler, request, data: None, "put", None)
    client = carriers.connect(server.port, limits=Limits(outbox_bytes_max=500_000))
    handler = client.handler
    room = threading.Event()
    handler.on_room = room.set

    def fill() -> bool:
        while handler.has_room:
            handler.cast("put", b"x" * 50_000)
        return handler.has_room

    assert not carriers.client_loop.call(fill, timeout_s=WAIT_S)
    assert room.wait(WAIT_S)
    assert handler.has_room


def test_many_threads_cast_at_once_and_nothing_is_lost(carriers: Carriers) -> None:
    server = carriers.serve()
    got: list[list[int]] = []
    server.methods.register(lambda handler, request, *value: got.append(list(value)), "put", None)
    server.methods.register(lambda handler, request: len(got), "count", None)
    handler = carriers.connect(server.port, limits=Limits(outbox_bytes_max=20_000)).handler

    def send(name: int) -> None:
        for number in range(500):
            handler.cast("put", name, number)

    threads = [threading.Thread(target=send, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert handler.call("count").result(WAIT_S) == 2000
    for name in range(4):
        assert [number for who, number in got if who == name] == list(range(500))


def test_an_address_in_use_is_refused_by_its_name(carriers: Carriers) -> None:
    server = carriers.serve()
    second = carriers.new_server(port=server.port)
    with pytest.raises(ConfigurationError, match=f"cannot listen .*[:/]{server.port}\\b.*another port"):
        second.start()


@pytest.mark.parametrize("server_class", [TCPServer, TCPServerZMQ])
def test_listening_beyond_loopback_needs_consent(
    loops: tuple[NodeLoop, NodeLoop], server_class: type[SessionServer]
) -> None:
    with pytest.raises(ConfigurationError, match="allow_insecure=True"):
        server_class(loops[0], "0.0.0.0", node_id="server").start()


def test_a_server_listens_on_all_addresses(carriers: Carriers) -> None:
    server = carriers.serve(host="0.0.0.0", allow_insecure=True)
    tcpremote(server)(echo)
    assert carriers.connect(server.port).handler.call("echo", 1).result(WAIT_S) == 1


def test_a_callback_of_the_node_that_raises_costs_nothing(carriers: Carriers) -> None:
    server = carriers.serve()
    tcpremote(server)(echo)
    server.on_open = lambda handler, is_new: 1 // 0
    assert carriers.connect(server.port).handler.call("echo", 1).result(WAIT_S) == 1


def test_events_are_counted_in_the_statistics(carriers: Carriers) -> None:
    class Counter:
        def __init__(self) -> None:
            self.names: list[str] = []

        def add_count(self, name: str) -> None:
            self.names.append(name)

    stats = Counter()
    server = carriers.serve(stats=stats)
    tcpremote(server)(echo)
    handler = carriers.connect(server.port).handler
    handler.cast("nowhere")
    handler.call("echo").result(WAIT_S)
    assert stats.names == [
        "transport.connections_accepted",
        "transport.sessions_opened",
        "transport.casts_failed",
    ]


def test_ten_clients_share_a_server(carriers: Carriers) -> None:
    server = carriers.serve()
    server.methods.register(lambda handler, request: handler.node_id, "who", None)
    names = [f"client-{number}" for number in range(10)]
    clients = [carriers.connect(server.port, name) for name in names]
    futures = [client.handler.call("who") for client in clients]
    assert [future.result(WAIT_S) for future in futures] == names
    assert sorted(handler.node_id for handler in server.handlers) == names
