"""Where sockets of ZeroMQ listen: in the place of a node for its user, and at a port, in CURVE or for all.

Each way has a socket of its own, for CURVE is a matter of the whole socket. Loop thread only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import ProtocolError
from concurrent.core.items import Host
from concurrent.transport.carriers.curve import ZapHandler, as_curve_client, as_curve_server, check_refusal
from concurrent.transport.carriers.endpoint import cannot_listen
from concurrent.transport.carriers.server import NO_PORT
from concurrent.transport.carriers.strangers import needs_key
from concurrent.transport.carriers.zmqnewcomers import Newcomers
from concurrent.transport.carriers.zmqsockets import LOCAL, Context, Socket, endpoint_of, make_socket
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.place import Place
from concurrent.transport.security.protection import CurveKeys, Protection
from concurrent.transport.security.roles import Role
from concurrent.transport.session.limits import Limits

with installed_first("zmq"):
    import zmq

__all__ = ["Door", "Doors", "Listening", "Route", "route_in_place", "route_to_port"]

CLOSE_TIMEOUT_MS: Final = 5000
"""How long the system may take to free an address."""

ROOT: Final = 0


class Listening(NamedTuple):
    """What kind of sockets listen, and where.

    :param kind: their type in ZeroMQ.
    :param name: what they are called in a place.
    :param port: 0 for any free one, ``NO_PORT`` for none.
    :param options: more options of the socket.
    """

    kind: int
    name: str
    host: str
    port: int
    limits: Limits
    options: Mapping[int, int]


class Door:
    """One address at which a socket listens, and after that another one.

    :param identity: who comes in here; None: whoever has the key.
    :param keys: those for CURVE; None for an address without.
    :param place: where it is a socket; None for a port.
    :param watch: makes who bounds those that are new at a socket; None if nobody does.
    :raises zmq.ZMQError: if the port cannot be had.
    :raises AddressError: if there is another socket in the place.
    """

    def __init__(
        self,
        context: Context,
        listening: Listening,
        endpoint: str,
        identity: Identity | None,
        *,
        keys: CurveKeys | None = None,
        place: Place | None = None,
        watch: Callable[[Socket], Newcomers] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.identity = identity
        self._context = context
        self._listening = listening
        self._keys = keys
        self._place = place
        self._watch = watch
        self._newcomers: Newcomers | None = None
        self.socket = self._open()

    def open_anew(self, linger_ms: int = 0) -> Socket:
        """Close all connections, and return a new socket for the address.

        :param linger_ms: how long what is under way may take.
        :raises zmq.ZMQError, AddressError: if somebody else has taken the address.
        """
        self.close(linger_ms)
        self.socket = self._open()
        return self.socket

    def close(self, linger_ms: int = 0) -> None:
        """Free the address; it is free when this returns."""
        socket = self.socket
        if socket.closed:
            return
        if self._place is not None:
            self._place.forget(self._listening.name)
        if self._newcomers is not None:
            self._newcomers.close()
        monitor = socket.get_monitor_socket(zmq.EVENT_CLOSED)
        with suppress(zmq.ZMQError):
            socket.unbind(self.endpoint)
            monitor.poll(CLOSE_TIMEOUT_MS)
        socket.disable_monitor()
        monitor.close(linger=0)
        socket.close(linger=linger_ms)

    def _open(self) -> Socket:
        kind, name, host, _, limits, options = self._listening
        socket = make_socket(self._context, kind, host, limits)
        try:
            for option, value in options.items():
                socket.setsockopt(option, value)
            if self._keys is not None:
                as_curve_server(socket, self._keys, limits.hello_timeout_s)
            if self._place is None:
                socket.bind(self.endpoint)
                self.endpoint = str(socket.last_endpoint.rstrip(b"\0"), "utf-8")
            else:
                for user in {os.getuid(), ROOT}:
                    socket.setsockopt(zmq.IPC_FILTER_UID, user)
                listener = self._place.listen(name)  # ZeroMQ would take over that of another one in silence
                with listener:
                    socket.setsockopt(zmq.USE_FD, listener.fileno())
                    socket.bind(self.endpoint)
                    listener.detach()
            if self._watch is not None:
                self._newcomers = self._watch(socket)
        except BaseException:  # boundary: whatever it is, what was opened is closed
            socket.close(linger=0)
            raise
        return socket


class Doors:
    """All addresses of one server, their context, and who answers for CURVE. It frees them.

    :param protection: who is let in; None: anybody.
    :param on_refused: called with the address of somebody who is not let in, and the reason.
    :raises AddressError: if an address cannot be had.
    :raises NotAllowed: if there is a port, and no key for it.
    :raises ConfigurationError: if a stranger would come in.
    """

    def __init__(
        self,
        loop: NodeLoop,
        listening: Listening,
        protection: Protection | None,
        on_refused: Callable[[str, ProtocolError], object],
    ) -> None:
        self._on_refused = on_refused
        self.port = NO_PORT
        self.zap: ZapHandler | None = None
        self.context: Context = zmq.Context()
        self._doors: list[Door] = []
        try:
            self._open_in_place(listening, protection)
            self._open_port(loop, listening, protection or Protection(is_open=True))
        except zmq.ZMQError as error:
            self.close()
            self.context.term()
            where = str(Host(listening.host, listening.port))
            raise cannot_listen(where, listening.port, error.errno) from error
        except BaseException:  # boundary: whatever it is, what was opened is closed
            self.close()
            self.context.term()
            raise

    def __iter__(self) -> Iterator[Door]:
        """Return the doors: that in the place first."""
        return iter(self._doors)

    def close(self, linger_ms: int = 0) -> None:
        """Listen no more; the context goes on until what is under way has been sent."""
        for door in self._doors:
            door.close(linger_ms)
        if self.zap is not None:
            self.zap.close()

    def _open_in_place(self, listening: Listening, protection: Protection | None) -> None:
        place = protection.place if protection is not None else None
        if place is not None:
            endpoint = f"{LOCAL}{place.path(listening.name)}"
            self._doors.append(Door(self.context, listening, endpoint, THIS_USER, place=place))

    def _open_port(self, loop: NodeLoop, listening: Listening, protection: Protection) -> None:
        keys = protection.curve
        if listening.port == NO_PORT or (protection.tls is None and keys is None and not protection.is_open):
            return
        if protection.is_open:
            keys = None
        elif keys is None:
            raise needs_key(f"the {listening.name} socket")
        else:
            self.zap = ZapHandler(loop, self.context, protection, self._on_refused)
        endpoint = endpoint_of(listening.host or "*", listening.port or "*")
        identity, watch = (ANYBODY, None) if keys is None else (None, self._watcher(loop, listening.limits))
        door = Door(self.context, listening, endpoint, identity, keys=keys, watch=watch)
        self._doors.append(door)
        self.port = int(door.endpoint.rpartition(":")[2])
        if self.zap is not None and keys is not None:
            reachable = _within_reach(door.endpoint)
            check_refusal(self.context, listening.kind, reachable, keys, self.zap)

    def _watcher(self, loop: NodeLoop, limits: Limits) -> Callable[[Socket], Newcomers] | None:
        """Return what bounds those who are new at a socket; None where the system does not help."""
        if sys.platform != "linux":
            return None
        return lambda socket: Newcomers(loop, self.context, socket, limits.greeting_max, self._on_refused)


class Route(NamedTuple):
    """How a client reaches a socket, and who is there then.

    :param keys: the pair for CURVE, and the key of the server; None without it.
    """

    endpoint: str
    identity: Identity
    keys: tuple[CurveKeys, bytes] | None = None

    def connect(self, socket: Socket) -> None:
        """Have a socket take this way."""
        if self.keys is not None:
            as_curve_client(socket, *self.keys)
        socket.connect(self.endpoint)


def route_in_place(protection: Protection | None, name: str) -> Route | None:
    """Return the way to a socket in the place of a server; None if there is none."""
    place = protection.place if protection is not None else None
    if place is None or not place.has(name):
        return None
    return Route(f"{LOCAL}{place.path(name)}", THIS_USER)


def route_to_port(host: str, port: int, protection: Protection | None) -> Route:
    """Return the way to a port.

    :raises ConnectionRefusedError: if only the place would do.
    :raises NotAllowed: if there is no key with which the server can be known, or it has been revoked.
    """
    if protection is None or protection.is_open:
        return Route(endpoint_of(host, port), ANYBODY)
    has_no_keys = protection.tls is None and protection.curve is None
    if port == NO_PORT or (has_no_keys and protection.place is not None):
        raise ConnectionRefusedError("no process of this user listens there")
    if protection.curve is None or not protection.master_curve:
        raise needs_key(f"whoever wants to connect to {Host(host, port)}")
    cluster = protection.tls.cluster if protection.tls is not None else ""
    identity = protection.master or Identity(Role.MASTER, "master", cluster)
    protection.trust.check(identity)
    return Route(endpoint_of(host, port), identity, (protection.curve, protection.master_curve))


def _within_reach(endpoint: str) -> str:
    """Return where a socket of this machine reaches one that listens."""
    for everywhere, loopback in (("//0.0.0.0:", "//127.0.0.1:"), ("//[::]:", "//[::1]:")):
        endpoint = endpoint.replace(everywhere, loopback)
    return endpoint
