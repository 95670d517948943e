"""Who is let in, by which way, and what those hear who are not."""

from __future__ import annotations

import os
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.carriers.framing import FrameReader
from concurrent.transport.carriers.server import NO_PORT
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.newkeys import make_cluster
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.envelope import control_message, make_prefix
from concurrent.transport.session.limits import Limits
from concurrent.transport.session.messages import Kind
from tests.integration.transport.protected_ends import Ends
from tests.integration.transport.raw_peer import HELLO, RawPeer
from tests.integration.transport.transport_nodes import (
    WAIT_S,
    CuttingProxy,
    PlacesByPort,
    wait_for_problem,
    wait_until_refused,
)

Protections = tuple[Protection, Protection]

HELLO_FRAMES = control_message(Kind.HELLO, [HELLO.to_wire()])
HELLO_BYTES = make_prefix(HELLO_FRAMES) + b"".join(map(bytes, HELLO_FRAMES))


def test_a_member_is_who_its_certificate_says(ends: Ends, tls: Protections) -> None:
    server = ends.serve(tls[0])
    handler = ends.client(server.port, tls[1]).wait_open(WAIT_S)
    arm, head = tls[1].tls, tls[0].tls
    assert arm is not None
    assert head is not None
    assert handler.call("who").result(WAIT_S) == ["admin arm", "admin", arm.identity.serial]
    assert handler.identity == head.identity
    assert [each.identity for each in server.handlers] == [arm.identity]


def test_a_process_of_the_same_user_comes_through_the_place_and_needs_no_key(ends: Ends, place: Place) -> None:
    server = ends.serve(Protection(place=place), port=NO_PORT)
    assert server.address == str(place.folder)
    handler = ends.client(server.port, Protection(place=place)).wait_open(WAIT_S)
    assert handler.call("who").result(WAIT_S) == ["this user", "admin", ""]
    assert handler.identity is THIS_USER


def test_a_socket_in_the_place_is_for_its_user_alone(ends: Ends, place: Place) -> None:
    server = ends.serve(Protection(place=place))
    assert server.port == NO_PORT
    assert (place.folder / "compute").stat().st_mode & 0o777 == 0o600
    server.stop()
    assert not place.has("compute")


@pytest.mark.parametrize("who_looks", [0, 1])
def test_either_end_looks_who_the_other_one_is_in_a_place(
    ends: Ends, place: Place, monkeypatch: pytest.MonkeyPatch, who_looks: int
) -> None:
    def look(sock: socket.socket) -> None:
        assert sock.family == socket.AF_UNIX
        if ends.loops[who_looks].is_current():
            raise NotAllowed("user 99 is at the other end")

    monkeypatch.setattr("concurrent.transport.carriers.tcp.check_peer", look)
    server = ends.serve(Protection(place=place))
    assert "user 99 is at the other end" in ends.refusal(server.port, Protection(place=place))
    assert server.handlers == []


def test_the_place_comes_before_the_port_and_the_port_where_nobody_is_in_the_place(
    ends: Ends, place: Place, tls: Protections
) -> None:
    near, far = (Protection(tls=each.tls, place=place) for each in tls)
    with_place = ends.serve(near)
    assert ends.client(with_place.port, far).wait_open(WAIT_S).identity is THIS_USER
    with_place.stop()
    without = ends.serve(tls[0])
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(place.path("compute"))
    stale.close()
    handler = ends.client(without.port, far, "other").wait_open(WAIT_S)
    assert handler.call("who").result(WAIT_S)[0] == "admin arm"


def test_an_open_server_takes_anybody(ends: Ends) -> None:
    server = ends.serve(Protection(is_open=True), host="0.0.0.0")
    handler = ends.client(server.port, Protection(is_open=True)).wait_open(WAIT_S)
    assert handler.identity is ANYBODY
    assert handler.call("who").result(WAIT_S)[0] == "anybody"


def test_without_a_key_or_a_place_nothing_starts(ends: Ends) -> None:
    with pytest.raises(NotAllowed, match="keys invite"):
        ends.serve(Protection())
    with pytest.raises(NotAllowed, match="keys invite"):
        ends.client(1, Protection())


def test_who_has_no_key_is_told_what_to_type(ends: Ends, tls: Protections, cluster: KeyFolder) -> None:
    server = ends.serve(tls[0])
    assert re.search("is not encrypted.*keys invite ROLE.*concurrent join", ends.refusal(server.port, None))
    with without_certificate(server.port, cluster) as stranger:
        code, text = RawPeer(stranger, "stranger").end()
    assert code == "not-allowed"
    assert re.search("no key was shown.*keys invite ROLE.*concurrent join", text)


def test_nothing_that_a_stranger_sends_is_read(
    ends: Ends, tls: Protections, cluster: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FrameReader, "advance", lambda *_: pytest.fail("it was read"))
    server = ends.serve(tls[0])
    with without_certificate(server.port, cluster) as stranger:
        stranger.sendall(HELLO_BYTES)
        assert b"not-allowed" in read_all(stranger)
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as plain:
        plain.sendall(HELLO_BYTES)
        assert b"not-allowed" in read_all(plain)
    assert server.handlers == []


@pytest.mark.parametrize(
    ("first", "answer"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 400"),
        (b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f", b"speaks ZeroMQ"),
        (b"\x00\x01\x02", b"began with 000102"),
        (b"\x16\x03\x01" + b"\xff\xff" + bytes(70000), b"\x15\x03"),
    ],
)
def test_what_is_no_tls_is_refused(ends: Ends, tls: Protections, first: bytes, answer: bytes) -> None:
    server = ends.serve(tls[0])
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as sock:
        sock.sendall(first)
        assert answer in read_all(sock)
    assert ends.client(server.port, tls[1]).wait_open(WAIT_S).is_open


def test_a_byte_that_is_no_tls_waits_for_the_next_one(ends: Ends, tls: Protections) -> None:
    server = ends.serve(tls[0])
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as sock:
        sock.sendall(b"C")
        sock.sendall(b"ONNECT x HTTP/1.1\r\n")
        assert read_all(sock).startswith((b"HTTP/1.1 400", b"Cc"))


def test_a_member_of_another_cluster_is_refused_by_either_end(
    ends: Ends, tls: Protections, tmp_path: Path
) -> None:
    other = make_cluster(tmp_path / "keys", "other")
    server = ends.serve(tls[0])
    stranger = Protection(tls=other.tls(Role.MASTER))
    assert "cannot prove that it is a master of the cluster other" in ends.refusal(server.port, stranger)


def test_a_client_whose_key_the_master_does_not_know_is_told_so(
    ends: Ends, tls: Protections, cluster: KeyFolder, tmp_path: Path
) -> None:
    """The authority of the cluster has another key by now, and the client is of the old one."""
    older = make_cluster(tmp_path / "keys", "office").tls(Role.MASTER)
    older.client.load_verify_locations(cadata=cluster.certificate.decode())
    server = ends.serve(tls[0])
    refusal = ends.refusal(server.port, Protection(tls=older))
    assert re.search("does not accept this node's key of the cluster office.*keys invite", refusal)


def test_a_client_with_a_key_does_not_talk_to_an_open_server(ends: Ends, tls: Protections) -> None:
    server = ends.serve(Protection(is_open=True))
    refusal = ends.refusal(server.port, tls[1])
    assert re.search("no master of the cluster office.*encrypts nothing.*allow_insecure", refusal)


def test_a_client_does_not_take_another_member_for_the_master(
    ends: Ends, tls: Protections, member: Callable[[Role, str], Protection]
) -> None:
    server = ends.serve(member(Role.SLAVE, "impostor"))
    assert "cannot prove that it is a master" in ends.refusal(server.port, tls[1])


def test_a_refusal_is_logged_once_at_either_end_though_the_client_tries_again(
    ends: Ends, tls: Protections, caplog: pytest.LogCaptureFixture
) -> None:
    server = ends.serve(tls[0])
    refused = threading.Semaphore(0)
    told: list[tuple[str, NotAllowed]] = []
    server.on_refused = lambda who, error: told.append((who, error))
    server.count = lambda name: refused.release() if name == "connections_refused" else None
    client = ends.client(server.port, None)
    for _ in range(3):
        assert refused.acquire(timeout=WAIT_S)
    client.stop()
    assert len([line for line in caplog.messages if "TCPClient" in line and "is not encrypted" in line]) == 1
    assert len([line for line in caplog.messages if "TCPServer" in line and "is not encrypted" in line]) == 1
    assert [who for who, _ in told] == ["127.0.0.1"]


def test_the_session_of_a_node_is_not_for_another_identity(
    ends: Ends,
    tls: Protections,
    member: Callable[[Role, str], Protection],
    proxy_to: Callable[[int], CuttingProxy],
) -> None:
    server = ends.serve(tls[0])
    proxy = proxy_to(server.port)
    victim = ends.client(proxy.port, tls[1], "victim")
    session_id = victim.wait_open(WAIT_S).session_id
    cut = threading.Event()
    server.on_cut = lambda handler, is_silent: cut.set()
    proxy.refuse(True)
    assert cut.wait(WAIT_S)
    thief = member(Role.SLAVE, "thief").tls
    assert thief is not None
    for stolen in (session_id, ""):
        with (
            socket.create_connection(("127.0.0.1", server.port), WAIT_S) as sock,
            thief.client.wrap_socket(sock, server_hostname=thief.master_name) as wrapped,
        ):
            peer = RawPeer(wrapped, "victim")
            peer.hello["session_id"] = stolen
            peer.send(control_message(Kind.HELLO, [peer.hello]))
            code, text = peer.end()
        assert code == "in-use"
        assert "session of admin arm, and slave thief cannot have it" in text
    proxy.refuse(False)
    assert victim.wait_open(WAIT_S).session_id == session_id


def test_who_owns_the_id_of_a_node_ends_the_unbound_session_of_whoever_has_it(
    ends: Ends, tls: Protections, member: Callable[[Role, str], Protection]
) -> None:
    server = ends.serve(tls[0])
    owners = {"node": "slave squatter"}

    def check_node(node_id: str, identity: Identity) -> None:
        if owners[node_id] != str(identity):
            raise NotAllowed(f"{identity} may not be {node_id}")

    server.check_node = check_node
    squatter = ends.client(server.port, member(Role.SLAVE, "squatter"), "node")
    ended: queue.Queue[str] = queue.Queue()
    squatter.on_lost = lambda _handler, reason: ended.put(reason)
    squatter.wait_open(WAIT_S)
    owner = ends.client(server.port, tls[1], "node")
    with pytest.raises(NotAllowed, match="admin arm may not be node"):
        wait_until_refused(owner)
    owners["node"] = "admin arm"
    ends.client(server.port, tls[1], "node").wait_open(WAIT_S)
    assert "slave squatter may not be node" in ended.get(timeout=WAIT_S)
    assert [str(one.identity) for one in server.handlers] == ["admin arm"]


def test_a_session_is_resumed_by_the_way_that_it_was_opened(
    ends: Ends, place: Place, tls: Protections, proxy_to: Callable[[int], CuttingProxy]
) -> None:
    near, far = (Protection(tls=each.tls, place=place) for each in tls)
    server = ends.serve(Protection(tls=near.tls))
    proxy = proxy_to(server.port)
    client = ends.client(proxy.port, far)
    session_id = client.wait_open(WAIT_S).session_id
    in_place = ends.serve(Protection(place=place))
    resumed: queue.Queue[bool] = queue.Queue()
    client.on_open = lambda handler, is_new: resumed.put(is_new)
    proxy.cut()
    assert resumed.get(timeout=WAIT_S) is False
    assert client.handler.session_id == session_id
    assert in_place.handlers == []


def test_a_session_of_a_place_is_not_resumed_by_an_open_port(
    ends: Ends, places: PlacesByPort, proxy_to: Callable[[int], CuttingProxy]
) -> None:
    number = places.free_port()
    places.of(number).make()
    server = ends.serve(Protection(place=places.of(number), is_open=True))
    proxy = proxy_to(number)
    place = places.of(proxy.port)
    client = ends.client(server.port, Protection(place=place, is_open=True))
    assert client.wait_open(WAIT_S).identity is THIS_USER
    Path(place.path("compute")).unlink()
    cut = threading.Event()
    client.on_cut = lambda handler, is_silent: cut.set()
    proxy.cut()
    assert cut.wait(WAIT_S)
    wait_for_problem(client, "no process of this user listens")


def test_many_who_say_nothing_or_drip_keep_nobody_out(ends: Ends, tls: Protections) -> None:
    server = ends.serve(tls[0], limits=Limits(greeting_max=64))
    handler = ends.client(server.port, tls[1]).wait_open(WAIT_S)
    hello = client_hello()
    strangers = [socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(100)]
    for number, one in enumerate(strangers):
        with suppress(OSError):  # the oldest are closed for those that come later
            one.sendall(hello[: number % 40])
    assert handler.call("who").result(WAIT_S)[0] == "admin arm"
    assert ends.client(server.port, tls[1], "late").wait_open(WAIT_S).is_open
    for one in strangers:
        one.close()


def test_a_stranger_that_never_finishes_its_greeting_is_closed(
    ends: Ends, tls: Protections, quick_limits: Limits
) -> None:
    server = ends.serve(tls[0], limits=quick_limits)
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as sock:
        sock.sendall(client_hello())
        read_all(sock)  # raises if that takes too long


def test_a_thousand_greetings_at_once_cost_no_socket_and_no_memory(
    ends: Ends, tls: Protections, cluster: KeyFolder
) -> None:
    server = ends.serve(tls[0])
    handler = ends.client(server.port, tls[1]).wait_open(WAIT_S)
    hello = client_hello()

    def storm(count: int) -> None:
        strangers = [socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(count)]
        for one in strangers:
            one.sendall(hello)
        assert handler.call("who").result(WAIT_S)[0] == "admin arm"
        for one in strangers:
            one.close()

    def wait_for(files: int) -> None:
        end = time.monotonic() + WAIT_S
        while len(os.listdir("/proc/self/fd")) > files:
            assert time.monotonic() < end, "sockets are left open"
            handler.call("who").result(WAIT_S)

    files = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        storm(250)
    wait_for(files)
    before = rss_bytes()
    for _ in range(4):
        storm(250)
    wait_for(files)
    assert rss_bytes() - before < 16 << 20


@contextmanager
def without_certificate(port: int, cluster: KeyFolder) -> Iterator[ssl.SSLSocket]:
    """Connect as somebody who knows the cluster, but has no key of it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=cluster.certificate.decode())
    with (
        socket.create_connection(("127.0.0.1", port), WAIT_S) as sock,
        context.wrap_socket(sock, server_hostname=f"master.{cluster.cluster}") as wrapped,
    ):
        yield wrapped


def client_hello() -> bytes:
    """Return how a client of TLS begins."""
    outgoing = ssl.MemoryBIO()
    engine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="x")
    with suppress(ssl.SSLWantReadError):
        engine.do_handshake()
    return outgoing.read()


def read_all(sock: socket.socket) -> bytes:
    """Return what comes before the end."""
    data = b""
    with suppress(ConnectionResetError):  # part of what was sent had not been read
        while part := sock.recv(65536):
            data += part
    return data


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
