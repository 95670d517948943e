"""Sockets that listen: at a port, or in the place of a node. Loop thread only."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import AddressError
from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.transport.carriers.endpoint import cannot_listen
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import hang_up

__all__ = ["BACKLOG", "Listener", "describe", "listen_at"]

BACKLOG: Final = 512
"""So many may wait to be accepted; who comes when there is no room tries again after a second."""

ACCEPTS_PER_TURN: Final = 64
ACCEPT_PAUSE_S: Final = 0.2

log = get_log(__name__)


class Listener:
    """One socket that listens, and what is done with each connection that comes in.

    :param loop: the node's loop.
    :param sock: listens, and does not block; owned by this.
    :param take: is given each connection, and owns it.
    :param on_close: called before the socket is closed.
    """

    def __init__(
        self,
        loop: NodeLoop,
        sock: socket.socket,
        take: Callable[[socket.socket], object],
        on_close: Callable[[], object] = lambda: None,
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._take = take
        self._on_close = on_close
        self._is_closed = False
        self._is_short_of_files = False
        loop.add_reader(sock, self._accept)

    def close(self) -> None:
        """Listen no more."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._sock)
        self._on_close()
        hang_up(self._sock)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            if self._is_closed:
                return
            try:
                sock, _address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # out of file descriptors, most likely
                if not self._is_short_of_files:
                    log.error("cannot accept connections for now: %s", error)
                self._is_short_of_files = True
                self._loop.remove_reader(self._sock)
                self._loop.call_later(ACCEPT_PAUSE_S, self._accept_again)
                return
            self._is_short_of_files = False
            self._take(sock)

    def _accept_again(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._sock, self._accept)


def listen_at(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a port.

    :param host: the address of this machine; empty for all.
    :raises AddressError: if it cannot.
    """
    address = str(Host(host, port))
    try:
        infos = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _name, where = infos[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # a ValueError if the name cannot be one
        raise AddressError(
            f"cannot listen on {address}: {describe(error)}",
            thing="host",
            value=host,
            remedy="Use an address of this machine.",
        ) from error
    try:
        if os.name == "posix":  # elsewhere it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise cannot_listen(address, port, error.errno) from error
    return listener


def describe(error: BaseException) -> str:
    """Return what has failed, as a part of a sentence."""
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
