"""What these tests share: nodes of both carriers, and a proxy that cuts connections."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from concurrent.core.errors import CallTimeout
from concurrent.transport.carriers.client import SessionClient
from concurrent.transport.carriers.curve import new_curve_keys
from concurrent.transport.carriers.server import NO_PORT, SessionServer
from concurrent.transport.carriers.tcp import TCPServer
from concurrent.transport.carriers.zeromq import TCPServerZMQ, ZMQClient
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.place import Place, private_folder
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role

WAIT_S = 20.0


class Carriers:
    """Makes servers and clients of one carrier and stops them in reverse order."""

    def __init__(
        self,
        server_class: Callable[..., SessionServer],
        client_class: Callable[..., SessionClient],
        loops: tuple[NodeLoop, NodeLoop],
    ) -> None:
        self.server_class = server_class
        self.client_class = client_class
        self.server_loop, self.client_loop = loops
        self.started: list[SessionServer | SessionClient] = []

    def new_server(self, **options: Any) -> SessionServer:
        """Return a server that is not started."""
        server = self.server_class(self.server_loop, node_id="server", **options)
        self.started.append(server)
        return server

    def serve(self, **options: Any) -> SessionServer:
        """Return a server that listens."""
        server = self.new_server(**options)
        server.start()
        return server

    def new_client(self, port: int, node_id: str = "client", **options: Any) -> SessionClient:
        """Return a client that is not started."""
        client = self.client_class(self.client_loop, "127.0.0.1", port, node_id=node_id, **options)
        self.started.append(client)
        return client

    def connect(self, port: int, node_id: str = "client", **options: Any) -> SessionClient:
        """Return a client that is connected."""
        client = self.new_client(port, node_id, **options)
        client.start()
        client.wait_open(WAIT_S)
        return client

    def stop(self) -> None:
        """Stop everything that was made."""
        for endpoint in reversed(self.started):
            endpoint.stop(timeout_s=2.0)


def wait_for_problem(client: SessionClient, problem: str) -> None:
    """Wait until that is why a client has no connection; the pattern is searched in what it says."""
    end = time.monotonic() + WAIT_S
    said = ""
    while not re.search(problem, said):
        assert time.monotonic() < end, f"{problem!r} is not what it says: {said}"
        with pytest.raises(CallTimeout) as caught:
            client.wait_open(timeout_s=0.05)
        said = str(caught.value)


def wait_until_refused(client: SessionClient) -> None:
    """Wait for the next answer of the server; raises what it is."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        with suppress(CallTimeout):
            client.wait_open(0.05)


class PlacesByPort:
    """Places of servers that have no port, and are known by a number as if they had."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = 0

    def free_port(self) -> int:
        """Return a number that no place has."""
        self._last += 1
        return self._last

    def of(self, port: int) -> Place:
        """Return a place, which may have to be made."""
        return Place(self._folder / str(port))

    def address(self, port: int) -> str | tuple[str, int]:
        """Return where to connect to."""
        place = self.of(port)
        return place.path("compute") if place.has("compute") else ("127.0.0.1", port)

    def listen(self, target_port: int) -> tuple[int, socket.socket]:
        """Return a socket that listens as another one does, and its number."""
        if not self.of(target_port).folder.exists():
            listener = socket.create_server(("127.0.0.1", 0))
            return listener.getsockname()[1], listener
        port = self.free_port()
        private_folder(self.of(port).folder)
        return port, self.of(port).listen("compute")


class InPlace(SessionServer):
    """A server in such a place, of one of the two kinds below."""

    def __init__(self, places: PlacesByPort, loop: NodeLoop, *, port: int = 0, **options: Any) -> None:
        self.number = port or places.free_port()
        place = places.of(self.number)
        private_folder(place.folder)
        super().__init__(loop, port=NO_PORT, protection=Protection(place=place), **options)

    def start(self) -> None:
        """Listen."""
        super().start()
        self.port = self.number


class ServerInPlace(InPlace, TCPServer):
    """A server of TCP in such a place."""


class ZMQServerInPlace(InPlace, TCPServerZMQ):
    """A server of ZeroMQ in such a place."""


def client_of_place(
    places: PlacesByPort,
    client_class: type[SessionClient],
    loop: NodeLoop,
    host: str,
    port: int,
    **options: Any,
) -> SessionClient:
    """Return a client of such a server."""
    return client_class(loop, host, port, protection=Protection(place=places.of(port)), **options)


class CurveCluster:
    """A server of CURVE and clients that have registered with it, each with a key of its own."""

    def __init__(self) -> None:
        self.server = Protection(curve=new_curve_keys())

    def member(self, name: str, role: Role = Role.ADMIN) -> Protection:
        """Return the protection of somebody who has registered; the name is the serial number too."""
        protection = self.stranger()
        assert protection.curve is not None
        self.server.allowed.admit(protection.curve.public, self.identity(name, role))
        return protection

    def identity(self, name: str, role: Role = Role.ADMIN) -> Identity:
        """Return who somebody is."""
        return Identity(role, name, "office", name)

    def stranger(self) -> Protection:
        """Return the protection of somebody who has not."""
        assert self.server.curve is not None
        return Protection(curve=new_curve_keys(), master_curve=self.server.curve.public)

    def make_server(self, loop: NodeLoop, **options: Any) -> TCPServerZMQ:
        """Return the server."""
        return TCPServerZMQ(loop, protection=self.server, **options)

    def make_client(self, loop: NodeLoop, host: str, port: int, *, node_id: str, **options: Any) -> ZMQClient:
        """Return the client of a node that has registered."""
        return ZMQClient(loop, host, port, node_id=node_id, protection=self.member(node_id), **options)


class CuttingProxy:
    """Forwards a port or place, and breaks the connections through it when told to or after some bytes."""

    def __init__(self, loop: NodeLoop, target_port: int, places: PlacesByPort | None = None) -> None:
        self.cut_after_bytes: list[int] = []
        self.cut_count = 0
        self.is_refusing = False
        self._loop = loop
        self._target_port = target_port
        self._places = places or PlacesByPort(Path(os.devnull))
        self._tasks: set[asyncio.Task[None]] = set()
        self.port, self._listener = self._places.listen(target_port)
        self._listener.setblocking(False)
        self._sockets: set[socket.socket] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        loop.call(self._spawn, self._accept, timeout_s=WAIT_S)

    def cut(self) -> None:
        """Break all connections."""
        self._loop.call(self._cut, timeout_s=WAIT_S)

    def refuse(self, is_refusing: bool) -> None:
        """Break all connections, and each new one at once, until told otherwise."""
        self.is_refusing = is_refusing
        self.cut()

    def hold(self, is_holding: bool) -> None:
        """Let nothing arrive, not even that a connection is closed, until told otherwise."""
        change = self._flowing.clear if is_holding else self._flowing.set
        self._loop.call(change, timeout_s=WAIT_S)

    def stop(self) -> None:
        """Close everything."""
        self._loop.call(self._stop, timeout_s=WAIT_S)

    def _spawn(self, work: Callable[..., Any], *args: Any) -> None:
        task = self._loop.aio.create_task(work(*args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _cut(self) -> None:
        reset = struct.pack("ii", 1, 0)
        for sock in tuple(self._sockets):
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            self._close(sock)
        self.cut_count += 1

    def _close(self, sock: socket.socket) -> None:
        if sock in self._sockets:
            self._sockets.remove(sock)
            self._loop.aio.remove_reader(sock)
            self._loop.aio.remove_writer(sock)
            sock.close()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._cut()
        self._loop.aio.remove_reader(self._listener)
        self._listener.close()

    async def _accept(self) -> None:
        aio = self._loop.aio
        while True:
            client, _ = await aio.sock_accept(self._listener)
            if self.is_refusing:
                client.close()
                continue
            server = socket.socket(self._listener.family)
            for sock in (client, server):
                sock.setblocking(False)
                self._sockets.add(sock)
            self._spawn(self._connect, client, server)  # a cut meanwhile must not end this loop

    async def _connect(self, client: socket.socket, server: socket.socket) -> None:
        await self._flowing.wait()
        await self._loop.aio.sock_connect(server, self._places.address(self._target_port))
        self._spawn(self._forward, client, server)
        self._spawn(self._forward, server, client)

    async def pass_on(self, sink: socket.socket, data: bytes) -> None:
        """Send on what has come from the other end. Loop thread."""
        await self._loop.aio.sock_sendall(sink, data)

    async def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := await self._loop.aio.sock_recv(source, 65536):
                await self._flowing.wait()
                if self.cut_after_bytes:
                    left = self.cut_after_bytes[0]
                    if len(data) >= left:
                        del self.cut_after_bytes[0]
                        await self.pass_on(sink, data[:left])
                        self._cut()
                        return
                    self.cut_after_bytes[0] = left - len(data)
                await self.pass_on(sink, data)
        await self._flowing.wait()
        for sock in (source, sink):
            self._close(sock)
