"""Who is let in, by which way, and what those hear who are not."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.server import NO_PORT
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import ANYBODY, THIS_USER
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role
from tests.integration.transport.cluster_keys import TestCluster
from tests.integration.transport.raw_peer import RawPeer
from tests.integration.transport.transport_nodes import WAIT_S

Protections = tuple[Protection, Protection]


class Ends:
    """Makes servers and clients with what protects them, and stops them."""

    def __init__(self, loops: tuple[NodeLoop, NodeLoop]) -> None:
        self.loops = loops
        self.made: list[TCPServer | TCPClient] = []

    def serve(self, protection: Protection | None, **options: Any) -> TCPServer:
        """Return a server that tells callers who they are."""
        server = TCPServer(self.loops[0], node_id="server", protection=protection, **options)
        self.made.append(server)

        @tcpremote(server)
        def who(handler: TCPHandler, request: Any) -> list[str]:
            return [str(handler.identity), handler.identity.role, handler.identity.serial]

        server.start()
        return server

    def client(self, port: int, protection: Protection | None, node_id: str = "client") -> TCPClient:
        """Return a client that has begun to connect."""
        client = TCPClient(self.loops[1], "127.0.0.1", port, node_id=node_id, protection=protection)
        self.made.append(client)
        client.start()
        return client

    def refusal(self, port: int, protection: Protection | None) -> str:
        """Return why a client is not let in."""
        with pytest.raises(NotAllowed) as caught:
            self.client(port, protection).wait_open(WAIT_S)
        return str(caught.value)


@pytest.fixture
def ends(loops: tuple[NodeLoop, NodeLoop]) -> Iterator[Ends]:
    made = Ends(loops)
    yield made
    for one in reversed(made.made):
        one.stop(2.0)


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


def test_who_has_no_key_is_told_what_to_type(ends: Ends, tls: Protections, cluster: TestCluster) -> None:
    server = ends.serve(tls[0])
    assert "concurrent join" in ends.refusal(server.port, None)
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as sock:
        context = cluster.trusting_context()
        with context.wrap_socket(sock, server_hostname=f"master.{cluster.name}") as stranger:
            code, text = RawPeer(stranger, "stranger").end()
    assert code == "not-allowed"
    assert "keys invite" in text


def test_a_member_of_another_cluster_is_refused_by_either_end(ends: Ends, tls: Protections) -> None:
    other = TestCluster("other")
    server = ends.serve(tls[0])
    assert "cannot prove to be a master of the cluster other" in ends.refusal(
        server.port, Protection(tls=other.keys(Role.SLAVE, "arm"))
    )


@pytest.mark.parametrize("is_revoked_at", ["server", "client"])
def test_who_was_revoked_is_refused(
    ends: Ends, tls: Protections, fresh: Callable[[Protection], Protection], is_revoked_at: str
) -> None:
    head, arm = map(fresh, tls)
    assert head.tls is not None
    assert arm.tls is not None
    if is_revoked_at == "server":
        head.trust.revoke([arm.tls.identity.serial])
    else:
        arm.trust.revoke([head.tls.identity.serial])
    server = ends.serve(head)
    assert "has been revoked" in ends.refusal(server.port, arm)


@pytest.fixture
def fresh() -> Callable[[Protection], Protection]:
    return lambda protection: Protection(tls=protection.tls)
