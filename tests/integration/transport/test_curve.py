"""Who is let in over ZeroMQ: in CURVE those who have registered, in the place processes of the same user."""

from __future__ import annotations

import os
import queue
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zmq

from concurrent.core.component import ComponentManager
from concurrent.core.errors import AddressError, ConfigurationError, NotAllowed
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers import curve as curve_module
from concurrent.transport.carriers.channels import IPushSocket, SocketPlace, ZMQCarrierFactory, with_keys
from concurrent.transport.carriers.curve import as_curve_client, new_curve_keys
from concurrent.transport.carriers.server import NO_PORT
from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.envelope import control_message
from concurrent.transport.session.limits import MIB, Limits
from concurrent.transport.session.messages import Hello, Kind
from tests.integration.transport.transport_nodes import (
    WAIT_S,
    Carriers,
    CurveCluster,
    CuttingProxy,
    wait_for_problem,
    wait_until_refused,
)

Loops = tuple[NodeLoop, NodeLoop]


@pytest.fixture
def ends(loops: Loops, proxy_to: Callable[[int], CuttingProxy]) -> Iterator[Carriers]:
    made = Carriers(TCPServerZMQ, ZMQClient, loops)
    yield made
    made.stop()


def serve(ends: Carriers, protection: Protection, **options: Any) -> Any:
    """Return a server that tells callers who they are."""
    server = ends.new_server(protection=protection, **options)

    @tcpremote(server, roles=tuple(Role))
    def who(handler: TCPHandler, request: Any) -> list[str]:
        return [str(handler.identity), handler.identity.role, handler.identity.serial]

    server.start()
    return server


def who(ends: Carriers, port: int, protection: Protection, node_id: str = "client") -> list[str]:
    answer: list[str] = ends.connect(port, node_id, protection=protection).handler.call("who").result(WAIT_S)
    return answer


def refusal(ends: Carriers, port: int, protection: Protection | None, node_id: str = "stranger") -> str:
    client = ends.new_client(port, node_id, protection=protection)
    client.start()
    with pytest.raises(NotAllowed) as caught:
        client.wait_open(WAIT_S)
    return str(caught.value)


def test_each_way_has_its_identity(ends: Carriers, curve: CurveCluster, place: Place) -> None:
    server = serve(ends, replace(curve.server, place=place))
    slave = curve.member("arm", Role.SLAVE)
    assert who(ends, server.port, slave) == ["slave arm", "slave", "arm"]
    assert who(ends, server.port, Protection(place=place), "near") == ["this user", "admin", ""]
    assert os.stat(place.path("compute")).st_mode & 0o777 == 0o600


def test_nobody_is_let_in_who_has_not_registered(
    ends: Carriers, curve: CurveCluster, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(ends, curve.server)
    said = refusal(ends, server.port, curve.stranger())
    assert "does not know the key of this node" in said
    assert "concurrent join" in said
    gone = curve.member("gone")
    assert gone.curve is not None
    assert who(ends, server.port, gone)[0] == "admin gone"
    curve.server.allowed.expel(gone.curve.public)
    assert "does not know" in refusal(ends, server.port, gone, "again")
    assert server.handlers[0].node_id == "client"
    lines = [one.getMessage() for one in caplog.records if "refused 127.0.0.1" in one.getMessage()]
    assert len(lines) == 1  # and not one for each time
    assert "nobody has registered with this key" in lines[0]
    warnings = [one.getMessage() for one in caplog.records if "does not know" in one.getMessage()]
    assert len(warnings) == 2  # one for each of the two clients


def test_who_has_the_wrong_key_of_the_server_tells_it_nothing(ends: Carriers, curve: CurveCluster) -> None:
    server = serve(ends, curve.server)
    deceived = replace(curve.member("arm"), master_curve=new_curve_keys().public)
    client = ends.new_client(server.port, protection=deceived)
    opened: queue.Queue[Any] = queue.Queue()
    client.on_open = lambda handler, is_new: opened.put(handler)
    client.start()
    assert who(ends, server.port, curve.member("other"), "other")[0] == "admin other"
    assert [handler.node_id for handler in server.handlers] == ["other"]
    assert opened.empty()


def test_a_server_or_client_without_keys_says_so(ends: Carriers, curve: CurveCluster) -> None:
    with pytest.raises(NotAllowed, match="has no key"):
        ends.new_server(protection=Protection()).start()
    port = serve(ends, curve.server).port
    no_master = replace(curve.stranger(), master_curve=b"")
    assert "has no key" in refusal(ends, port, no_master)


def test_plain_peers_are_not_let_in(ends: Carriers, curve: CurveCluster) -> None:
    server = serve(ends, curve.server)
    context: zmq.Context[Any] = zmq.Context()
    hello = Hello(version=1, session_id="", node_id="raw", last_received=0, max_bytes=10**6)
    socket = context.socket(zmq.DEALER)
    socket.connect(f"tcp://127.0.0.1:{server.port}")
    socket.send_multipart(control_message(Kind.HELLO, [hello.to_wire()]))
    assert who(ends, server.port, curve.member("arm"))[0] == "admin arm"
    assert not socket.poll(100)
    assert len(server.handlers) == 1
    socket.close(linger=0)
    context.term()


@pytest.mark.parametrize("defect", ["lets all in", "fails", "does not answer"])
def test_a_server_does_not_start_that_cannot_prove_to_refuse_strangers(
    ends: Carriers, curve: CurveCluster, defect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = curve_module.ZapHandler
    if defect == "lets all in":
        monkeypatch.setattr(handler, "_decide", lambda self, what: (b"200", b"", b"anybody"))
    elif defect == "fails":
        monkeypatch.setattr(curve_module, "identity_of_key", lambda *_: 1 // 0)
    else:
        monkeypatch.setattr(handler, "answer", lambda self: None)
        monkeypatch.setattr(curve_module, "CANARY_TIMEOUT_S", 0.5)
    what = "lets in" if defect == "lets all in" else "cannot be proved to refuse"
    with pytest.raises(ConfigurationError, match=f"{what} somebody whose key nobody knows"):
        serve(ends, curve.server)


def test_without_somebody_who_answers_nobody_comes_in(curve: CurveCluster) -> None:
    """This is what ZeroMQ does by itself, on which all else rests."""
    context: zmq.Context[Any] = zmq.Context()
    assert curve.server.curve is not None
    server = context.socket(zmq.ROUTER)
    curve_module.as_curve_server(server, curve.server.curve, 1.0)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    peer = context.socket(zmq.DEALER)
    as_curve_client(peer, new_curve_keys(), curve.server.curve.public)
    monitor = peer.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    peer.connect(f"tcp://127.0.0.1:{port}")
    assert monitor.poll(int(WAIT_S * 1000))
    event = int.from_bytes(monitor.recv_multipart()[0][:2], sys.byteorder)
    assert event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    peer.disable_monitor()
    context.destroy(0)


def test_the_connections_of_somebody_revoked_end_and_others_go_on(
    ends: Carriers, loops: Loops, curve: CurveCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ends, curve.server)
    revoked = ends.connect(server.port, "revoked", protection=curve.member("arm"))
    other = ends.connect(server.port, "other", protection=curve.member("leg"))
    session_id = other.handler.session_id
    ended: queue.Queue[str] = queue.Queue()
    resumed: queue.Queue[bool] = queue.Queue()
    other.on_open = lambda handler, is_new: resumed.put(is_new)
    revoked.on_lost = lambda handler, reason: ended.put(reason)
    silent = raw_dealer(curve, server.port)  # it was let in, and then says nothing
    loops[0].post(curve.server.trust.revoke, ["arm"])
    assert "arm has been revoked" in ended.get(timeout=WAIT_S)
    assert silent.wait_for_end()
    assert resumed.get(timeout=WAIT_S) is False
    assert other.handler.session_id == session_id
    assert other.handler.call("who").result(WAIT_S)[0] == "admin leg"
    with pytest.raises(NotAllowed, match="does not know the key"):
        wait_until_refused(revoked)
    assert [handler.node_id for handler in server.handlers] == ["other"]
    silent.close()


def test_a_client_leaves_a_server_that_is_revoked(ends: Carriers, loops: Loops, curve: CurveCluster) -> None:
    server = serve(ends, curve.server)
    head = curve.identity("head", Role.MASTER)
    client = ends.connect(server.port, protection=(arm := replace(curve.member("arm"), master=head)))
    ended: queue.Queue[str] = queue.Queue()
    client.on_lost = lambda handler, reason: ended.put(reason)
    assert client.handler.identity == head
    loops[1].post(arm.trust.revoke, ["head"])
    assert ended.get(timeout=WAIT_S) == "master head has been revoked"
    with pytest.raises(NotAllowed, match="master head has been revoked"):
        wait_until_refused(client)


def test_the_session_of_a_node_is_not_for_another_identity(
    ends: Carriers, curve: CurveCluster, proxy_to: Callable[[int], CuttingProxy]
) -> None:
    server = serve(ends, curve.server, limits=Limits(heartbeat_s=0.2))
    proxy = proxy_to(server.port)
    victim = ends.connect(proxy.port, "victim", protection=curve.member("victim"))
    session_id = victim.handler.session_id
    cut = threading.Event()
    server.on_cut = lambda handler, is_silent: cut.set()
    proxy.refuse(True)
    assert cut.wait(WAIT_S)
    thief = ends.new_client(server.port, "victim", protection=curve.member("thief", Role.SLAVE))
    thief.start()
    wait_for_problem(thief, "session of admin victim, and slave thief cannot have it")
    proxy.refuse(False)
    assert victim.wait_open(WAIT_S).session_id == session_id


def test_a_node_whose_key_was_taken_back_learns_that_its_session_is_gone(
    ends: Carriers, loops: Loops, curve: CurveCluster, proxy_to: Callable[[int], CuttingProxy]
) -> None:
    server = serve(ends, curve.server, limits=Limits(heartbeat_s=0.1, silence_s=0.5, resume_s=0.2))
    proxy = proxy_to(server.port)
    member = curve.member("arm")
    assert member.curve is not None
    key = member.curve.public
    client = ends.connect(proxy.port, protection=member)
    lost: queue.Queue[str] = queue.Queue()
    client.on_lost = lambda handler, reason: lost.put(reason)
    ended = threading.Event()
    server.on_lost = lambda handler, reason: (curve.server.allowed.expel(key), ended.set())  # as a master does
    proxy.refuse(True)
    assert ended.wait(WAIT_S)
    proxy.refuse(False)
    assert "does not know the key of this node" in lost.get(timeout=WAIT_S)
    opened: queue.Queue[bool] = queue.Queue()
    client.on_open = lambda handler, is_new: opened.put(is_new)
    curve.server.allowed.admit(key, curve.identity("arm"))  # it registers again
    assert opened.get(timeout=WAIT_S) is True
    assert client.wait_open(WAIT_S).call("who").result(WAIT_S)[0] == "admin arm"


def test_a_second_server_cannot_take_the_place_of_one(ends: Carriers, place: Place) -> None:
    serve(ends, Protection(place=place), port=NO_PORT)
    with pytest.raises(AddressError, match="cannot listen at"):
        serve(ends, Protection(place=place), port=NO_PORT)
    assert who(ends, 1, Protection(place=place))[0] == "this user"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_let_in_even_if_the_folder_is_open(ends: Carriers, place: Place) -> None:
    server = serve(ends, Protection(place=place), port=NO_PORT)
    path = Path(place.path("compute"))
    for one in (path.parent, path.parent.parent):
        one.chmod(0o711)
    path.chmod(0o666)
    program = (
        "import os, sys, zmq; os.setuid(65534); s = zmq.Context().socket(zmq.DEALER); s.linger = 0\n"
        "m = s.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED"
        " | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL)\n"
        f"s.connect('ipc://{path}'); assert m.poll(20000)\n"
        "print(int.from_bytes(m.recv_multipart()[0][:2], sys.byteorder)); os._exit(0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) != zmq.EVENT_HANDSHAKE_SUCCEEDED
    assert server.handlers == []


# The work queue.


class Queue:
    """A push socket, and what pulls from it."""

    def __init__(self, loop: NodeLoop, protection: Protection) -> None:
        self.loop = loop
        self.manager = ComponentManager()
        self.manager.register(ZMQCarrierFactory)
        self.carriers: ZMQCarrierFactory = self.manager[ZMQCarrierFactory]
        self.place = SocketPlace(loop, "127.0.0.1", 0, Limits(), protection)
        self.push: IPushSocket = self.call(self.carriers.open_push, self.place)
        self.taken: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.sockets: list[Any] = [self.push]

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.loop.call(fn, *args, timeout_s=WAIT_S)

    def pull(self, protection: Protection, take: Callable[[list[Buffer]], object] | None = None) -> None:
        take = take or (lambda frames: self.taken.put(bytes(frames[0])))
        place = self.place._replace(port=self.push.port, protection=protection)
        self.sockets.append(self.call(self.carriers.open_pull, place, take, lambda: True))

    def put(self, *texts: bytes) -> None:
        for text in texts:
            self.call(self.push.put, [text])

    def close(self) -> None:
        for one in reversed(self.sockets):
            self.call(one.close)
        self.manager.close()


@pytest.fixture
def make_queue(loops: Loops) -> Iterator[Callable[[Protection], Queue]]:
    made: list[Queue] = []

    def make(protection: Protection) -> Queue:
        made.append(Queue(loops[0], protection))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_only_who_is_allowed_pulls(
    curve: CurveCluster, make_queue: Callable[[Protection], Queue], caplog: pytest.LogCaptureFixture
) -> None:
    work = make_queue(curve.server)
    stolen: queue.SimpleQueue[Any] = queue.SimpleQueue()
    work.pull(curve.stranger(), stolen.put)
    work.put(b"one", b"two")
    slave = curve.member("arm", Role.SLAVE)
    work.pull(slave)
    assert [work.taken.get(timeout=WAIT_S) for _ in range(2)] == [b"one", b"two"]
    assert slave.curve is not None
    curve.server.allowed.expel(slave.curve.public)
    work.call(work.push.reopen)  # as when the slave is lost
    work.put(b"three")
    work.pull(curve.member("leg", Role.SLAVE), lambda frames: work.taken.put(b"leg " + bytes(frames[0])))
    assert work.taken.get(timeout=WAIT_S) == b"leg three"
    assert stolen.empty()
    assert "127.0.0.1 may not pull tasks: nobody has registered with this key" in caplog.text


def test_those_in_the_place_and_those_at_the_port_both_get_work(
    curve: CurveCluster, place: Place, make_queue: Callable[[Protection], Queue]
) -> None:
    work = make_queue(replace(curve.server, place=place))
    ways: queue.SimpleQueue[str] = queue.SimpleQueue()
    work.pull(Protection(place=place), lambda frames: ways.put("near"))
    work.pull(curve.member("arm", Role.SLAVE), lambda frames: ways.put("far"))
    seen: set[str] = set()
    while seen != {"near", "far"}:
        work.put(b"task")
        seen.add(ways.get(timeout=WAIT_S))


# Contexts.


def test_keys_are_made_where_tls_protects_the_rest_and_not_twice(tls: tuple[Protection, Protection]) -> None:
    carriers = ComponentManager()
    carriers.register(ZMQCarrierFactory)
    factory = carriers[ZMQCarrierFactory]
    protected = with_keys(factory, tls[0])
    assert protected.curve is not None
    assert repr(protected.curve.secret) not in repr(protected)
    assert with_keys(factory, protected) is protected
    assert with_keys(factory, Protection(is_open=True)).curve is None


def test_five_hundred_contexts_are_opened_and_closed_while_others_encrypt(
    ends: Carriers, loops: Loops, curve: CurveCluster
) -> None:
    server = serve(ends, curve.server)
    tcpremote(server, name="echo")(lambda handler, request, value: value)
    handler = ends.connect(server.port, protection=curve.member("arm")).handler
    is_over = threading.Event()
    echoed = 0

    def talk() -> None:
        nonlocal echoed
        while not is_over.is_set():
            handler.call("echo", b"x" * 10_000).result(WAIT_S)
            echoed += 1

    talker = threading.Thread(target=talk)
    talker.start()
    for number in range(500):
        peer = raw_dealer(curve, server.port, name=f"peer-{number % 5}")
        peer.socket.send(b"garbage")
        peer.close()
    is_over.set()
    talker.join(WAIT_S)
    assert echoed > 10
    assert handler.call("echo", 1).result(WAIT_S) == 1


def test_newcomers_that_say_nothing_are_bounded_and_members_come_in(
    ends: Carriers, curve: CurveCluster
) -> None:
    server = serve(ends, curve.server, limits=Limits(greeting_max=3, hello_timeout_s=60.0))
    member = ends.connect(server.port, "arm", protection=curve.member("arm")).handler
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(12)]
    wait_for_ends(silent, len(silent) - 3)
    assert who(ends, server.port, curve.member("leg"), "leg")
    assert member.call("who").result(WAIT_S)
    for one in silent:
        one.close()


def test_a_newcomer_that_sends_much_is_ended(ends: Carriers, curve: CurveCluster) -> None:
    server = serve(ends, curve.server, limits=Limits(hello_timeout_s=60.0))
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as stranger:
        stranger.sendall(b"\xff" + bytes(8) + b"\x7f\3\0" + b"CURVE".ljust(52, b"\0"))
        stranger.sendall(b"\6" + (200 * MIB).to_bytes(8, "big"))  # a part of its greeting that is so large
        stranger.sendall(bytes(MIB))
        wait_for_ends([stranger], 1)


def test_a_member_that_says_nothing_is_no_newcomer(ends: Carriers, curve: CurveCluster) -> None:
    server = serve(ends, curve.server, limits=Limits(greeting_max=1, hello_timeout_s=60.0))
    members = [raw_dealer(curve, server.port, name) for name in ("arm", "leg", "toe")]
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    wait_for_ends(silent, len(silent) - 1)  # so all have been looked at
    assert not any(member.monitor.poll(0) for member in members)
    for one in (*members, *silent):
        one.close()


def wait_for_ends(connections: list[socket.socket], count: int) -> None:
    """Wait until the other end has closed so many of them."""
    end = time.monotonic() + WAIT_S
    with selectors.DefaultSelector() as selector:
        for one in connections:
            selector.register(one, selectors.EVENT_READ)
        while len(selector.get_map()) > len(connections) - count:
            assert time.monotonic() < end, f"{len(selector.get_map())} of {len(connections)} are open"
            for key, _events in selector.select(WAIT_S):
                if not received(key.fd):
                    selector.unregister(key.fd)


def received(fd: int) -> bytes:
    """Return what a connection has received; nothing if it has ended."""
    try:
        return os.read(fd, 4096)
    except ConnectionError:
        return b""


class raw_dealer:
    """A peer that the server has let in, and that speaks no protocol of ours."""

    def __init__(self, curve: CurveCluster, port: int, name: str = "arm") -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        protection = curve.member(name)
        assert protection.curve is not None
        as_curve_client(self.socket, protection.curve, protection.master_curve)
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self.socket.connect(f"tcp://127.0.0.1:{port}")
        assert self.monitor.poll(int(WAIT_S * 1000))
        assert self.event() == zmq.EVENT_HANDSHAKE_SUCCEEDED

    def event(self) -> int:
        return int.from_bytes(self.monitor.recv_multipart()[0][:2], sys.byteorder)

    def wait_for_end(self) -> bool:
        """Tell whether the connection ends."""
        return bool(self.monitor.poll(int(WAIT_S * 1000))) and self.event() == zmq.EVENT_DISCONNECTED

    def close(self) -> None:
        self.socket.disable_monitor()
        self.monitor.close(linger=0)
        self.socket.close(linger=0)
        self.context.term()
