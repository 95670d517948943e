"""A connection to the JSON API of a node, by the first way that leads there and is safe.

That is the socket in the node's place, for a process of the same user; else TLS with the key of this node;
else, if nothing protects the node, plain HTTP. It belongs to the thread that uses it.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from http.client import HTTPConnection
from typing import Final

from concurrent.core.errors import ConcurrentError, NotAllowed
from concurrent.core.items import Host
from concurrent.transport.security.certificate import identity_of_certificate
from concurrent.transport.security.howtojoin import how_to_join
from concurrent.transport.security.identity import ANYBODY, THIS_USER
from concurrent.transport.security.place import check_peer
from concurrent.transport.security.protection import Protection, TLSKeys

__all__ = ["NodeConnection", "tls_problem"]

PLACE_SOCKET: Final = "http"
LOCAL_NAME: Final = "localhost"

PLAIN_REASONS: Final = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "HTTP_REQUEST",
)
"""What OpenSSL says of an answer that is no TLS."""


class NodeConnection(HTTPConnection):
    """See the module. ``name`` is what a request has to call the node in its Host, ``identity`` who it is.

    :param host: the address of the node.
    :param port: the port of its JSON API.
    :param protection: the keys of this node and the place of that one; None: plain HTTP.
    :param server_name: the name in the certificate of that node; that of a master by default.
    :param timeout_s: how long the connection may take, in seconds.
    """

    def __init__(
        self, host: str, port: int, protection: Protection | None, server_name: str | None, *, timeout_s: float
    ) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self.name = str(Host(host, port))
        self.identity = ANYBODY
        self._protection = protection
        self._server_name = server_name

    def connect(self) -> None:
        """Connect.

        :raises NotAllowed: if the node is not of the cluster, or there is no key for it.
        :raises OSError: if nobody is there, or the connection breaks off.
        """
        protection = self._protection
        if protection is not None and self._connect_in_place(protection):
            return
        super().connect()
        if protection is None:
            return
        try:
            if protection.tls is not None:
                self._encrypt(protection.tls)
            elif not protection.is_open:
                raise NotAllowed(
                    f"the node at {self.name} is not this user's, and this user has no key for it",
                    thing=self.name,
                    remedy=how_to_join(),
                )
        except (OSError, ConcurrentError):
            self.close()
            raise

    def has_ended(self) -> bool:
        """Tell whether the server has closed a connection that waits for its next request."""
        self.sock.setblocking(False)
        try:
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.recv(1)  # nothing is due, so nothing is taken
            else:
                self.sock.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:  # reset
            return True
        return True

    def has_better_way(self) -> bool:
        """Tell whether there is a socket in the node's place, which this connection does not lead to.

        In the place this node may be somebody else than at the port, so all that it does has to go one way.
        """
        place = self._protection.place if self._protection is not None else None
        return place is not None and self.sock.family != socket.AF_UNIX and place.has(PLACE_SOCKET)

    def break_off(self) -> None:
        """End the connection, from any thread; the one that uses it notices."""
        sock = self.sock
        if sock is not None:
            with suppress(OSError):  # closed by its own thread just now
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _connect_in_place(self, protection: Protection) -> bool:
        place = protection.place
        if place is None or not place.has(PLACE_SOCKET):
            return False
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(self.timeout)
            sock.connect(place.path(PLACE_SOCKET))
            check_peer(sock)
        except (ConnectionRefusedError, FileNotFoundError):  # a node that has ended left it
            sock.close()
            return False
        except (OSError, ConcurrentError):
            sock.close()
            raise
        self.sock = sock
        self.name, self.identity = LOCAL_NAME, THIS_USER
        return True

    def _encrypt(self, keys: TLSKeys) -> None:
        server_name = self._server_name or keys.master_name
        try:
            sock = self.sock = keys.client.wrap_socket(self.sock, server_hostname=server_name)
        except ssl.SSLError as error:
            raise tls_problem(self.name, server_name, error) from error
        self.identity = identity_of_certificate(sock.getpeercert() or {}, keys.cluster)
        self.name = server_name


def tls_problem(address: str, server_name: str, error: ssl.SSLError) -> ConcurrentError:
    """Return what an error of TLS means: who is not whom it should be."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotAllowed(
            f"what listens at {address} is not {server_name}: {error.verify_message}",
            thing=address,
            value=server_name,
            remedy="Check the address; if it is right, join the cluster of that node (concurrent join LINE), "
            "and start this again",
        )
    if error.reason in PLAIN_REASONS:
        return NotAllowed(
            f"what listens at {address} does not encrypt, so nothing is sent there",
            thing=address,
            remedy="Check the address and that its master has keys; in a network that you trust, "
            "set transport.allow_insecure here and there",
        )
    return NotAllowed(
        f"{address} does not accept this node's key: {error.reason or error}",
        thing=address,
        remedy=how_to_join(),
    )
