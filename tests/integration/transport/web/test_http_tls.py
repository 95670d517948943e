"""HTTP and TLS at one port: handshakes that take their time, records cut anywhere, and clients of our own."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random

import psutil
import pytest

from concurrent.core.errors import ConnectionLost, NotAllowed
from concurrent.core.items import Host
from concurrent.transport import HTTPLimits, JSONClient
from concurrent.transport.security.authority import key_of_authority
from concurrent.transport.security.joinline import JoinLine
from concurrent.transport.security.members import Members
from concurrent.transport.security.newmember import make_join
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from tests.integration.transport.http_peers import TIMEOUT_S, Peer
from tests.integration.transport.protected_peers import Cluster, ProtectedPeer
from tests.system.cluster import wait_until

CALL = b'{"jsonrpc":"2.0","id":1,"method":"whoami"}'
GET_PING = b"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /api/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LIMITS = HTTPLimits(threads=4, connections_max=64, request_timeout_s=5.0, body_bytes_max=2_000_000)


@pytest.fixture
def peer(folder: Path, cluster: Cluster) -> Iterator[ProtectedPeer]:
    place = Place(folder / "place")
    place.make()
    made = ProtectedPeer(cluster, place, LIMITS)
    made.start()
    yield made
    made.service.stop()


@pytest.fixture
def admin(cluster: Cluster) -> ssl.SSLContext:
    return cluster.tls_by_role[Role.ADMIN].client


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def hello(cluster: Cluster) -> bytes:
    """Return the first message of a client of TLS."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = cluster.client_without_key().wrap_bio(incoming, outgoing, server_hostname="master.office-4kd2")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_both_are_spoken_at_one_port(peer: ProtectedPeer, admin: ssl.SSLContext) -> None:
    assert peer.ask("GET", "/ping").json == {}
    assert peer.ask_tls(admin, "GET", "/ping").json == {"is_alive": True}


def test_a_client_that_is_gone_before_its_handshake_can_begin_harms_nobody_else(
    peer: ProtectedPeer, cluster: Cluster, admin: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library takes the socket away before it finds that nobody is there."""
    met = threading.Semaphore(0)

    def gone(_context: ssl.SSLContext, sock: socket.socket, **_options: object) -> ssl.SSLSocket:
        socket.socket(fileno=sock.detach()).close()
        met.release()
        raise ConnectionResetError

    with monkeypatch.context() as patch, socket.create_connection(("127.0.0.1", peer.service.port)) as client:
        patch.setattr(ssl.SSLContext, "wrap_socket", gone)
        client.sendall(hello(cluster))
        assert met.acquire(timeout=TIMEOUT_S)
    assert peer.ask("GET", "/ping").json == {}
    assert peer.ask_tls(admin, "GET", "/ping").json == {"is_alive": True}


def test_clients_that_are_silent_or_dripping_in_the_handshake_hold_up_nobody(
    peer: ProtectedPeer, cluster: Cluster, admin: ssl.SSLContext
) -> None:
    start = hello(cluster)
    with ExitStack() as stack:
        dripping = []
        for number in range(200):
            client = stack.enter_context(peer.connect())
            if number % 2:
                client.sendall(start[:1])
                dripping.append(client)
        for position in range(1, 6):
            for client in dripping:
                with contextlib.suppress(OSError):  # cut off, because others need the place
                    client.sendall(start[position : position + 1])
            assert peer.ask("GET", "/ping").status == 200
            assert (
                peer.ask_tls(admin, "POST", "/api/1", CALL, {"Content-Type": "application/json"}).status == 200
            )


def test_a_handshake_that_does_not_end_is_cut_off(peer: ProtectedPeer, cluster: Cluster) -> None:
    start = hello(cluster)
    with peer.connect() as unfinished, peer.connect() as silent:
        unfinished.sendall(start[:100])
        silent.sendall(start)
        assert read_all(unfinished) == b""
        assert read_all(silent) != b""  # the answer of the server, and then the end


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02", b"\x16" * 4000, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x03\xff\xff"]
)
def test_garbage_that_begins_as_tls_does_is_the_end_of_that_connection_only(
    peer: ProtectedPeer, garbage: bytes
) -> None:
    with peer.connect() as client:
        client.sendall(garbage)
        read_all(client)
    assert peer.ask("GET", "/ping").status == 200


def test_garbage_after_the_handshake_is_too(peer: ProtectedPeer, admin: ssl.SSLContext) -> None:
    with peer.connect_tls(admin) as client:
        plain = socket.socket(fileno=client.detach())
        with plain:
            plain.settimeout(TIMEOUT_S)
            plain.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
            read_all(plain)
    assert peer.ask("GET", "/ping").status == 200


def test_tls_before_1_3_is_not_spoken(peer: ProtectedPeer, cluster: Cluster) -> None:
    old = cluster.client_without_key()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        peer.connect_tls(old)


def post(body: bytes) -> bytes:
    return POST + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("seed", range(4))
def test_requests_arrive_whole_however_the_records_are_cut(
    peer: ProtectedPeer, admin: ssl.SSLContext, seed: int
) -> None:
    random = Random(seed)
    value = "x" * random.choice([0, 1, 16_000, 200_000])
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "echo", "params": [value]}).encode()
    request = post(body)
    with peer.connect_tls(admin) as client:
        while request:
            size = random.choice([1, 7, 100, 16_383, 16_384, 16_385, 70_000])
            client.sendall(request[:size])
            request = request[size:]
        answer = b""
        while value.encode() + b'"}' not in answer:
            answer += client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_request_that_comes_with_the_end_of_the_handshake_waits_for_nothing_more(
    peer: ProtectedPeer, admin: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = admin.wrap_bio(incoming, outgoing, server_hostname="master.office-4kd2")
    with peer.connect() as client:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65536))
        tls.write(GET_PING)
        client.sendall(outgoing.read())  # the last words of the handshake and the request in one piece
        while True:
            incoming.write(client.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                assert tls.read().startswith(b"HTTP/1.1 200")
                break


def test_requests_may_follow_one_another_at_once(peer: ProtectedPeer, admin: ssl.SSLContext) -> None:
    last = GET_PING.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with peer.connect_tls(admin) as client:
        client.sendall(GET_PING * 40 + last)
        assert read_all(client).count(b'{"is_alive":true}') == 41


def test_a_stranger_gets_one_answer_and_no_more(peer: ProtectedPeer) -> None:
    for request in (GET_PING, GET_PING.replace(b"/ping", b"/status")):
        with peer.connect() as client:
            client.sendall(request * 5)
            assert read_all(client).count(b"HTTP/1.1 ") == 1


def test_an_answer_that_is_larger_than_all_buffers_arrives(peer: ProtectedPeer, admin: ssl.SSLContext) -> None:
    value = "y" * 1_500_000
    with peer.connect_tls(admin) as client:
        client.sendall(
            post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "echo", "params": [value]}).encode())
        )
        answer = b""
        while not answer.endswith(b'"}'):
            answer += client.recv(65536)
    assert answer.count(b"y") > len(value) - 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET http://evil.example/ping HTTP/1.1\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /ping HTTP/1.0\r\nHost: evil.example\r\n\r\n", b"403"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
            b"400",
        ),
        (b"POST /api/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (
            POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            b"411",
        ),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", b"401"),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"401"),
        (b"GET /login?code=%0d%0aSet-Cookie:a=b HTTP/1.1\r\nHost: localhost\r\n\r\n", b"401"),
        (b"GET /a%0aWARNING%1b[31m HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n", b"401"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"505"),
    ],
)
def test_what_is_odd_is_refused_with_and_without_tls(
    peer: ProtectedPeer, cluster: Cluster, caplog: pytest.LogCaptureFixture, request_bytes: bytes, status: bytes
) -> None:
    clients = (peer.connect(), peer.connect_tls(cluster.client_without_key()))
    for client in clients:
        with client:
            client.sendall(request_bytes)
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 " + status), answer
            assert b"office" not in answer
    assert not any(set(map(ord, record.getMessage())) & set(range(32)) for record in caplog.records)


def test_the_body_of_a_stranger_is_not_awaited(peer: ProtectedPeer) -> None:
    head = POST + b"Content-Length: 1000000\r\n"
    for body in (b" " * 70_000, b""):
        with peer.connect() as client:
            client.sendall(head + (b"" if body else b"Expect: 100-continue\r\n") + b"\r\n" + body)
            assert read_all(client).startswith(b"HTTP/1.1 401")


@pytest.fixture
def network(folder: Path, cluster: Cluster) -> Iterator[tuple[ProtectedPeer, str]]:
    place = Place(folder / "network")
    place.make()
    made = ProtectedPeer(cluster, place, LIMITS, host="0.0.0.0")
    made.start()
    yield made, own_address()
    made.service.stop()


def own_address() -> str:
    """Return an address of this machine that is none of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        return str(sock.getsockname()[0])


def test_over_a_network_nothing_is_taken_without_encryption(
    network: tuple[ProtectedPeer, str], admin: ssl.SSLContext
) -> None:
    peer, address = network
    for first in (GET_PING, b"nonsense\r\n\r\n", b"Cc\x00\x00"):
        with socket.create_connection((address, peer.service.port), TIMEOUT_S) as client:
            client.sendall(first)
            answer = read_all(client)
            assert answer.startswith(b"HTTP/1.1 400")
            assert b"use https" in answer
    with socket.create_connection((address, peer.service.port), TIMEOUT_S) as client:
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""  # who only looks whether somebody listens is not refused
    assert peer.ask("GET", "/ping").status == 200  # by way of loopback
    plain = socket.create_connection((address, peer.service.port), TIMEOUT_S)
    with admin.wrap_socket(plain, server_hostname="master.office-4kd2") as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: " + address.encode() + b"\r\nConnection: close\r\n\r\n")
        assert b'{"is_alive":true}' in read_all(client)


def client_of(peer: Peer, protection: Protection | None, **options: str) -> JSONClient:
    return JSONClient("127.0.0.1", peer.service.port, protection=protection, timeout_s=TIMEOUT_S, **options)


def test_a_client_with_a_key_calls_over_tls_and_keeps_its_connection(
    peer: ProtectedPeer, cluster: Cluster
) -> None:
    with closing(client_of(peer, Protection(tls=cluster.tls_by_role[Role.SUBMIT]))) as client:
        for _ in range(3):
            assert client.call("whoami").result() == "submit the-submit"
        assert client.get("/large").result() == "x" * 5000
        with pytest.raises(NotAllowed, match="submit the-submit may not see /secret"):
            client.get("/secret").result()
        with pytest.raises(NotAllowed, match="may not call add"):
            client.call("add", 1).result()


def test_a_connection_with_tls_that_the_server_closed_is_opened_again(folder: Path, cluster: Cluster) -> None:
    place = Place(folder / "idle")
    place.make()
    peer = ProtectedPeer(cluster, place, HTTPLimits(idle_timeout_s=0.1))
    peer.start()

    def has_closed() -> bool:
        """Tell whether the server has no connection any more; its ends are in this process too."""
        ends = psutil.Process().net_connections("tcp")
        return not any(end.laddr[1] == peer.service.port and end.raddr for end in ends)

    with closing(client_of(peer, Protection(tls=cluster.tls_by_role[Role.ADMIN]))) as client:
        for _ in range(3):
            assert client.call("add", 1).result() == 1
            wait_until(has_closed, "the server has closed the connection")
    peer.service.stop()


def test_a_server_of_another_cluster_is_told_nothing(peer: ProtectedPeer, other: Cluster) -> None:
    with (
        closing(client_of(peer, Protection(tls=other.tls_by_role[Role.ADMIN]))) as client,
        pytest.raises(NotAllowed, match=r"is not master\.other-7xy2"),
    ):
        client.call("add", 1).result()
    assert "transport.http_requests" not in peer.stats.snapshot()["counts"]


def test_a_node_that_is_no_master_is_not_taken_for_one(folder: Path, cluster: Cluster) -> None:
    slave = Peer(protection=Protection(tls=cluster.tls_by_role[Role.SLAVE]))
    slave.start()
    keys = cluster.tls_by_role[Role.ADMIN]
    with (
        closing(client_of(slave, Protection(tls=keys))) as client,
        pytest.raises(NotAllowed, match=r"is not master\.office-4kd2"),
    ):
        client.get("/ping").result()
    with closing(client_of(slave, Protection(tls=keys), server_name=keys.node_name)) as client:
        assert client.get("/ping").result() == {"is_alive": True}
    slave.service.stop()


def test_a_server_that_does_not_know_the_authority_of_a_client_is_named(
    peer: ProtectedPeer, cluster: Cluster, other: Cluster
) -> None:
    key, certificate = other.keys.read("master.key"), other.keys.read("master.crt")
    mixed = cluster.client_with(key, certificate)
    keys = cluster.tls_by_role[Role.ADMIN]
    wrong = Protection(tls=type(keys)(keys.cluster, keys.identity, keys.server, mixed))
    with closing(client_of(peer, wrong)) as client, pytest.raises((NotAllowed, ConnectionLost)) as caught:
        client.get("/ping").result()
    assert isinstance(caught.value, ConnectionLost) or "concurrent join" in str(caught.value)


def test_a_client_with_a_key_says_nothing_to_a_server_without_encryption(cluster: Cluster) -> None:
    plain = Peer()
    plain.start()
    with (
        closing(client_of(plain, Protection(tls=cluster.tls_by_role[Role.ADMIN]))) as client,
        pytest.raises(NotAllowed, match="does not encrypt"),
    ):
        client.get("/ping").result()
    plain.service.stop()


def test_a_client_without_encryption_is_told_what_is_missing(peer: ProtectedPeer) -> None:
    with closing(client_of(peer, None)) as client:
        with pytest.raises(NotAllowed, match="this node answers only those whom it knows"):
            client.get("/secret").result()
        with pytest.raises(NotAllowed):
            client.call("add", 1).result()


def test_a_client_without_encryption_over_a_network_is_told_to_use_it(
    network: tuple[ProtectedPeer, str],
) -> None:
    peer, address = network
    with (
        closing(JSONClient(address, peer.service.port)) as client,
        pytest.raises(NotAllowed, match="use https"),
    ):
        client.get("/ping").result(TIMEOUT_S)


def test_a_revoked_client_is_told_so(folder: Path, peer: ProtectedPeer, cluster: Cluster) -> None:
    identity = cluster.tls_by_role[Role.OBSERVE].identity
    peer.trust.revoke([identity.serial])
    with (
        closing(client_of(peer, Protection(tls=cluster.tls_by_role[Role.OBSERVE]))) as client,
        pytest.raises(NotAllowed, match="observe the-observe has been revoked"),
    ):
        client.call("whoami").result()


def test_a_client_leaves_a_server_that_is_revoked(peer: ProtectedPeer, cluster: Cluster) -> None:
    head, arm = cluster.master.identity, Protection(tls=cluster.tls_by_role[Role.ADMIN])
    with closing(client_of(peer, arm)) as client:
        client.call("add", 1).result()
        assert client.server == head
        waits = client.call("wait_until_told")
        assert peer.asked.wait(TIMEOUT_S)
        arm.trust.revoke([head.serial])
        with pytest.raises(NotAllowed, match=f"{head} has been revoked"):
            waits.result(TIMEOUT_S)
        with pytest.raises(NotAllowed, match=f"{head} has been revoked"):
            client.call("add", 1).result()
    peer.never.set_result(None)


def test_a_client_is_closed_while_the_server_does_not_answer(peer: ProtectedPeer, cluster: Cluster) -> None:
    client = client_of(peer, Protection(tls=cluster.tls_by_role[Role.ADMIN]))
    future = client.call("wait")
    client.close()
    assert future.cancelled() or future.exception() is not None


def line_for(cluster: Cluster, peer: Peer, secret: str) -> str:
    master = Host("127.0.0.1", peer.service.port)
    return JoinLine(cluster.keys.cluster, key_of_authority(cluster.keys.certificate), secret, master).text


def test_who_has_an_invitation_joins_and_is_let_in(folder: Path, peer: ProtectedPeer, cluster: Cluster) -> None:
    line = line_for(cluster, peer, Members(cluster.keys).invite(Role.SUBMIT))
    keys = make_join(line, folder / "joined", name="laptop").keys.tls(Role.SUBMIT)
    with closing(client_of(peer, Protection(tls=keys))) as client:
        assert client.call("whoami").result() == "submit laptop"
    with pytest.raises(NotAllowed, match=r"does not take the invitation: invitation \w+ was used up"):
        make_join(line, folder / "again")
    with pytest.raises(NotAllowed):
        make_join(line_for(cluster, peer, "c" * 22), folder / "guessed")


def test_nobody_joins_a_node_that_is_no_master(folder: Path, cluster: Cluster) -> None:
    slave = Peer(protection=Protection(tls=cluster.tls_by_role[Role.SLAVE]))
    slave.start()
    line = line_for(cluster, slave, Members(cluster.keys).invite(Role.SUBMIT))
    with pytest.raises((NotAllowed, ConnectionLost)):
        make_join(line, folder / "nowhere")
    slave.service.stop()


def test_an_open_node_says_so_on_its_page() -> None:
    peer = Peer(protection=Protection(is_open=True))
    peer.start()
    assert b"Nothing protects this node" in peer.ask("GET", "/").body
    assert peer.ask("GET", "/large").status == 200
    peer.service.stop()
