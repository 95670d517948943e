"""What a byte channel owes its carrier; the other tests run over the plain one and over one that encrypts."""

from __future__ import annotations

import os
import socket
from typing import Any

from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import tcpremote
from concurrent.transport.carriers.bytechannel import SocketChannel
from concurrent.transport.carriers.tcp import TCPClient, TCPServer
from concurrent.transport.frames.frames import as_payload
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.protection import Protection
from tests.integration.transport.transport_nodes import WAIT_S

TLS_GREETING = b"\x16\x03"
LARGE_BYTES = 8 * 1024 * 1024


def test_a_client_with_a_key_sends_nothing_but_tls(
    loops: tuple[NodeLoop, NodeLoop], tls: tuple[Protection, Protection]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        port = listener.getsockname()[1]
        client = TCPClient(loops[1], "127.0.0.1", port, node_id="client", protection=tls[1])
        client.start()
        try:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(WAIT_S)
                assert peer.recv(len(TLS_GREETING), socket.MSG_WAITALL) == TLS_GREETING
        finally:
            client.stop()


def test_tls_lies_over_the_channel_of_a_plugin(
    loops: tuple[NodeLoop, NodeLoop], tls: tuple[Protection, Protection]
) -> None:
    received: list[bytes] = []

    class Watched(SocketChannel):
        """Keeps what comes."""

        def __init__(self, loop: NodeLoop, sock: socket.socket) -> None:
            super().__init__(loop, sock)
            self.receive_into = self._receive

        def _receive(self, space: memoryview) -> int:
            count = self._sock.recv_into(space)
            received.append(bytes(space[:count]))
            return count

    server = TCPServer(loops[0], node_id="server", protection=tls[0], make_channel=Watched)
    server.start()
    client = TCPClient(loops[1], "127.0.0.1", server.port, node_id="client-of-a-plugin", protection=tls[1])
    client.start()
    try:
        client.wait_open(WAIT_S)
        assert received[0].startswith(TLS_GREETING)
        assert b"client-of-a-plugin" not in b"".join(received)
    finally:
        client.stop()
        server.stop()


def test_large_messages_and_many_small_ones_cross_in_both_directions(
    loops: tuple[NodeLoop, NodeLoop], tls: tuple[Protection, Protection]
) -> None:
    server = TCPServer(loops[0], node_id="server", protection=tls[0])
    client = TCPClient(loops[1], "127.0.0.1", 0, node_id="client", protection=tls[1])

    @tcpremote(server)
    def echo(handler: TCPHandler, request: Any, value: Any) -> Any:
        return value

    server.start()
    client.port = server.port
    client.start()
    try:
        handler = client.wait_open(WAIT_S)
        large = os.urandom(LARGE_BYTES)
        small = [handler.call("echo", number) for number in range(1000)]
        answer = handler.call("echo", as_payload(large)).result(WAIT_S)
        assert bytes(answer.buffer) == large
        assert [future.result(WAIT_S) for future in small] == list(range(1000))
    finally:
        client.stop()
        server.stop()
