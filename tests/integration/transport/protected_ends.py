"""Both ends of TCP with what protects them, for tests."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.protection import Protection
from tests.integration.transport.transport_nodes import WAIT_S


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


def serial_of(protection: Protection) -> str:
    assert protection.tls is not None
    return protection.tls.identity.serial
