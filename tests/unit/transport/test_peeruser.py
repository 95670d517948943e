"""Which user has opened a connection of TCP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from concurrent.transport.security import peeruser
from concurrent.transport.security.peeruser import ESTABLISHED, _Told, is_of_other_user

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it")

TIMEOUT_S = 10.0
NOBODY = 65534
HOLD = "import socket, sys; made = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"


@pytest.fixture(params=["127.0.0.1", "::1", "::"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    is_any = request.param == "::"
    with socket.create_server((request.param, 0), family=family, dualstack_ipv6=is_any) as made:
        made.settimeout(TIMEOUT_S)
        yield made


def connected(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    host, port = listener.getsockname()[:2]
    client = socket.create_connection(("127.0.0.1" if host == "::" else host, port), TIMEOUT_S)
    return client, listener.accept()[0]


def test_a_process_of_this_user_is_none_of_another(listener: socket.socket) -> None:
    client, accepted = connected(listener)
    with client, accepted:
        assert not is_of_other_user(accepted)


def test_a_process_of_somebody_else_is(listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    client, accepted = connected(listener)
    with client, accepted:
        monkeypatch.setattr(peeruser, "_told_of", lambda _near, _far: _Told(ESTABLISHED, os.getuid() + 1))
        assert is_of_other_user(accepted)
        monkeypatch.setattr(peeruser, "_told_of", lambda _near, _far: _Told(ESTABLISHED, 0))
        assert not is_of_other_user(accepted)  # root may all


def test_a_client_that_has_closed_counts_as_another_user(listener: socket.socket) -> None:
    client, accepted = connected(listener)
    with accepted:
        client.close()
        assert is_of_other_user(accepted)
    assert is_of_other_user(accepted)


def test_where_the_system_tells_nothing_nobody_is_another_user(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, accepted = connected(listener)
    with client, accepted:
        monkeypatch.setattr(peeruser, "_told_of", lambda _near, _far: None)
        assert not is_of_other_user(accepted)


def test_a_socket_in_the_file_system_says_itself_who_is_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not is_of_other_user(ours)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_the_system_says_who_it_is() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_S)
        command = [os.path.realpath("/usr/bin/python3"), "-c", HOLD, str(listener.getsockname()[1])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, user=NOBODY, group=NOBODY) as other:
            with listener.accept()[0] as accepted:
                assert is_of_other_user(accepted)
            assert other.stdin is not None
            other.stdin.close()
