"""The JSON API of a node that is protected, for processes of the same user and for strangers."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from concurrent.core.errors import AddressError, ConfigurationError, ConnectionLost, NotAllowed
from concurrent.transport import JSONClient, jsonremote
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import Protection
from concurrent.transport.web import greeting, nodeconnection
from tests.integration.transport.http_peers import TIMEOUT_S, Peer


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        made = Place(Path(folder, "place"))
        made.make()
        yield made
        made.remove()


@pytest.fixture
def peer(place: Place) -> Iterator[Peer]:
    made = Peer(protection=Protection(place=place))
    made.start()
    yield made
    made.service.stop()


def test_a_process_of_this_user_is_known_at_the_socket_in_the_place(place: Place, peer: Peer) -> None:
    met: list[Identity] = []
    jsonremote(peer.service, name="meet")(
        lambda request: met.extend([request.identity, peer.service.client_identity])
    )
    with pytest.raises(NotAllowed, match="nobody's request"):
        _ = peer.service.client_identity
    with closing(JSONClient("127.0.0.1", peer.service.port, protection=Protection(place=place))) as client:
        assert client.call("add", 1, 2).result(TIMEOUT_S) == 3
        client.call("meet").result(TIMEOUT_S)
    assert met == [THIS_USER, THIS_USER]


def test_the_socket_is_this_users_alone(place: Place, peer: Peer) -> None:
    assert os.stat(place.path("http")).st_mode & 0o777 == 0o600


def nobody_is_this_user(_sock: socket.socket) -> None:
    raise NotAllowed("user 7 is at the other end")


def test_another_user_at_the_socket_is_told_so(
    place: Place, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(greeting, "check_peer", nobody_is_this_user)
    client = JSONClient("127.0.0.1", peer.service.port, protection=Protection(place=place))
    with closing(client), pytest.raises(NotAllowed, match="user 7"):
        client.call("add", 1, 2).result(TIMEOUT_S)


def test_a_client_says_nothing_to_another_user(
    place: Place, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodeconnection, "check_peer", nobody_is_this_user)
    client = JSONClient("127.0.0.1", peer.service.port, protection=Protection(place=place))
    with closing(client), pytest.raises(NotAllowed, match="user 7"):
        client.call("add", 1, 2).result(TIMEOUT_S)
    assert "transport.http_requests" not in peer.stats.snapshot()["counts"]


def test_it_is_gone_when_the_service_has_stopped(place: Place, peer: Peer) -> None:
    assert place.has("http")
    peer.service.stop()
    assert not os.path.lexists(place.path("http"))


def test_strangers_at_the_port_learn_that_the_node_lives_and_nothing_else(peer: Peer) -> None:
    assert peer.ask("GET", "/ping").json == {}
    for path in ("/", "/large", "/api/1", "/openapi.json", "/none"):
        assert peer.ask("GET", path).status == 401
    assert peer.post('{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}').status == 401


def test_a_client_goes_the_other_way_when_nobody_listens_in_the_place(place: Place) -> None:
    with socket.socket(socket.AF_UNIX) as former:
        former.bind(place.path("http"))  # what a node that was killed leaves behind
    peer = Peer()
    peer.start()
    is_open = Protection(place=place, is_open=True)
    with closing(JSONClient("127.0.0.1", peer.service.port, protection=is_open)) as client:
        assert client.call("add", 1, 2).result(TIMEOUT_S) == 3
    peer.service.stop()


def test_a_client_without_a_way_that_is_safe_says_what_to_do(place: Place) -> None:
    peer = Peer()
    port = peer.start().port
    with closing(JSONClient("127.0.0.1", port, protection=Protection(place=place))) as client:
        with pytest.raises(NotAllowed, match="concurrent join"):
            client.get("/ping").result(TIMEOUT_S)
        peer.service.stop()
        with pytest.raises(ConnectionLost):  # there is nobody whom it could have a key for
            client.get("/ping").result(TIMEOUT_S)


def test_the_port_is_taken_before_the_service_starts_and_clients_wait(place: Place) -> None:
    peer = Peer()
    port = peer.service.bind()
    with peer.connect() as early:
        early.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        peer.service.protect(Protection(place=place))
        assert peer.start().port == port
        assert early.recv(100).startswith(b"HTTP/1.1 200")
    peer.service.stop()


def test_the_place_is_there_as_soon_as_it_is_known_and_clients_wait(place: Place) -> None:
    """Else they would come to the port while a node starts, as somebody else."""
    peer = Peer()
    protection = Protection(place=place)
    port = peer.service.bind()
    peer.service.protect(protection)
    with closing(JSONClient("127.0.0.1", port, protection=protection)) as client:
        early = client.call("add", 1, 2)
        peer.start()
        assert early.result(TIMEOUT_S) == 3
    peer.service.stop()
    assert not place.has("http")


def test_a_place_of_a_service_that_has_not_started_is_free_after_stop(place: Place) -> None:
    peer = Peer()
    peer.service.bind()
    peer.service.protect(Protection(place=place))
    peer.service.stop()
    assert not place.has("http")


def test_a_client_comes_to_the_place_as_soon_as_somebody_listens_there(tmp_path: Path) -> None:
    """For the node knows it there as the user, and at the port as somebody else."""
    place = Place(tmp_path / "place")
    peer = Peer(protection=Protection(is_open=True))
    peer.start()
    met: list[Identity] = []
    jsonremote(peer.service, name="meet")(lambda request: met.append(request.identity))
    is_open = Protection(place=place, is_open=True)
    with closing(JSONClient("127.0.0.1", peer.service.port, protection=is_open)) as client:
        client.call("meet").result(TIMEOUT_S)
        place.make()
        second = Peer(protection=Protection(place=place))
        jsonremote(second.service, name="meet")(lambda request: met.append(request.identity))
        second.start()
        client.call("meet").result(TIMEOUT_S)
        second.service.stop()
    peer.service.stop()
    assert met == [ANYBODY, THIS_USER]


def test_a_port_that_was_taken_and_not_used_is_free_after_stop() -> None:
    peer = Peer()
    port = peer.service.bind()
    peer.service.stop()
    second = Peer(port=port)
    second.start()
    second.service.stop()


def test_a_place_that_cannot_be_used_ends_the_start_and_frees_the_port(tmp_path: Path) -> None:
    peer = Peer(protection=Protection(place=Place(tmp_path / "absent")))
    port = peer.service.bind()
    with pytest.raises(AddressError, match="cannot listen at"):
        peer.start()
    second = Peer(port=port)
    second.start()
    second.service.stop()


class DamagedTokens:
    """Tokens whose key folder cannot be read."""

    def identity_of(self, _text: str) -> Identity:
        raise ConfigurationError("/home/anna/keys/ca.crt cannot be used: it is missing")


def test_a_stranger_is_not_told_what_is_wrong_with_the_node(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer(protection=Protection(), tokens=DamagedTokens())
    peer.start()
    try:
        reply = peer.ask("GET", "/large", headers={"Authorization": "Bearer x"})
    finally:
        peer.service.stop()
    assert reply.status == 500
    assert b"anna" not in reply.body
    assert "ca.crt cannot be used" in caplog.text
