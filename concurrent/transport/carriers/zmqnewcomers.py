"""Bounds those who connect to a port of ZeroMQ and have not been let in by CURVE. Loop thread only.

libzmq closes a connection whose greeting takes too long, but bounds neither how many there are until then nor
what they send: a part of their greeting may be as large as a message, and is kept until it is whole. So the
system is asked what has gone over each new connection. One that was let in is told from others by what was sent
to it: the last word of the server's greeting, which only comes then, is more than all that a stranger gets.
Linux tells that; elsewhere nobody is bounded.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import MessageTooLarge, ProtocolError
from concurrent.transport.carriers.zmqsockets import MONITOR_EVENT, Context, Socket
from concurrent.transport.loop.loop import NodeLoop

with installed_first("zmq"):
    import zmq

__all__ = ["Newcomers", "Traffic", "copy_of", "is_let_in", "traffic_of"]

LOOK_S: Final = 0.1
"""How often they are looked at, as long as there are any."""

GIVEN_TO_STRANGERS_MAX: Final = 256
"""The greeting of ZMTP has 64 bytes, WELCOME 170, an error a dozen. READY, for members only, fifty or more."""

TAKEN_FROM_STRANGERS_MAX: Final = 16_384
"""All that a client of ZeroMQ says until it is let in has less than 1000 bytes."""

_TCP_INFO: Final = struct.Struct("=120xQQ")
"""What the peer has acknowledged, and what it has sent, in bytes; see ``linux/tcp.h``."""


class Traffic(NamedTuple):
    """How many bytes have gone over a connection: to the peer and from it."""

    given: int
    taken: int


def is_let_in(traffic: Traffic) -> bool:
    """Tell whether the greeting was finished."""
    return traffic.given > GIVEN_TO_STRANGERS_MAX


def traffic_of(connection: socket.socket) -> Traffic:
    """Return what has gone over a connection of TCP; raises OSError."""
    assert sys.platform == "linux"
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(told) < _TCP_INFO.size:
        raise OSError("this system does not tell what goes over connections")
    return Traffic(*_TCP_INFO.unpack(told))


def copy_of(fd: int, port: int) -> socket.socket:
    """Return a copy of a connection that was at a port. What has its number now may be anything.

    :param fd: the descriptor of the connection; it is not closed with the copy.
    :raises OSError: if it is not at the port any more.
    """
    number = os.dup(fd)
    try:
        copy = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, number)
    except OSError:  # it is no socket
        os.close(number)
        raise
    try:
        name = copy.getsockname()
        if not isinstance(name, tuple) or name[1] != port:
            raise OSError("another one has the number now")
    except OSError:
        copy.close()
        raise
    return copy


class Newcomers:
    """Those at one port; see the module. It owns a socket, and looks only while somebody is new.

    :param listening: the socket of ZeroMQ that listens at the port.
    :param count_max: how many there may be; one more closes the connection that has waited longest.
    :param on_refused: called with the address of somebody who sends too much, and the reason.
    """

    def __init__(
        self,
        loop: NodeLoop,
        context: Context,
        listening: Socket,
        count_max: int,
        on_refused: Callable[[str, ProtocolError], object],
    ) -> None:
        self._loop = loop
        self._listening = listening
        self._count_max = count_max
        self._on_refused = on_refused
        self._port = int(bytes(listening.last_endpoint).rstrip(b"\0").rpartition(b":")[2])
        self._waiting: dict[int, None] = {}
        """The descriptors of their connections: those that have waited longest come first."""

        self._timer: asyncio.TimerHandle | None = None
        endpoint = f"inproc://newcomers-{listening.fileno()}"
        listening.monitor(endpoint, zmq.EVENT_ACCEPTED)
        self._events: Socket = context.socket(zmq.PAIR)
        self._events.setsockopt(zmq.LINGER, 0)
        self._events.setsockopt(zmq.RCVHWM, 0)  # else the thread of ZeroMQ would wait for this one
        self._events.connect(endpoint)
        self._fd = self._events.fileno()
        loop.add_reader(self._fd, self._look_soon)
        loop.call_soon(self._look_soon)

    def close(self) -> None:
        """Bound nobody any more."""
        if self._events.closed:
            return
        self._loop.remove_reader(self._fd)
        if self._timer is not None:
            self._timer.cancel()
        self._listening.disable_monitor()
        self._events.close(linger=0)

    def _look_soon(self) -> None:
        """The descriptor signals changes only: asking re-arms it. What came is taken later, all together."""
        if self._events.closed or not int(self._events.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            return
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        self._take_in()
        for fd in tuple(self._waiting):
            if not self._is_waiting(fd):
                del self._waiting[fd]
        while len(self._waiting) > self._count_max:
            fd = next(iter(self._waiting))
            del self._waiting[fd]
            self._end(fd)
        if self._waiting:
            self._timer = self._loop.call_later(LOOK_S, self._look)
        else:
            self._look_soon()

    def _take_in(self) -> None:
        waiting = self._waiting
        with suppress(zmq.Again):
            while True:
                _event, fd = MONITOR_EVENT.unpack(self._events.recv_multipart(zmq.NOBLOCK)[0])
                waiting.pop(fd, None)
                waiting[fd] = None

    def _is_waiting(self, fd: int) -> bool:
        """Tell whether a connection is a newcomer's still; one that sends too much is ended."""
        try:
            with copy_of(fd, self._port) as connection:
                traffic = traffic_of(connection)
        except OSError:  # it is closed, and what has its number now may be anything
            return False
        if is_let_in(traffic):
            return False
        if traffic.taken <= TAKEN_FROM_STRANGERS_MAX:
            return True
        self._end(fd, MessageTooLarge("it sends too much before it is let in", value=traffic.taken))
        return False

    def _end(self, fd: int, reason: ProtocolError | None = None) -> None:
        """End a connection; ZeroMQ closes it then."""
        with suppress(OSError), copy_of(fd, self._port) as connection:
            address = connection.getpeername()[0]
            connection.shutdown(socket.SHUT_RDWR)
            if reason is not None:
                self._on_refused(address, reason)
