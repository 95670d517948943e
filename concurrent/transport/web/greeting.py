"""How a connection begins: what it goes through, and who is at its other end.

Runs in the thread of the server's loop, before a byte of a request is read.
"""

from __future__ import annotations

import ssl
from typing import Final

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.certificate import identity_of_certificate
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.howtojoin import THERE, how_to_join
from concurrent.transport.security.identity import ANYBODY, THIS_USER
from concurrent.transport.security.place import check_peer
from concurrent.transport.security.protection import Protection
from concurrent.transport.web.httpstream import WebConnection

__all__ = ["HANDSHAKE_TIMEOUT_S", "Greeting", "handshake_problem"]

HANDSHAKE_TIMEOUT_S: Final = 3.0
"""So long a client may take from its first byte of TLS to the end of the handshake."""

TLS_RECORD: Final = b"\x16"
"""The first byte of TLS, which begins no request of HTTP."""


def handshake_problem(error: ssl.SSLError) -> str:
    """Return why a handshake of TLS has failed, for people."""
    reason = (error.reason or str(error)).replace("_", " ").lower()
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not of this cluster ({error.verify_message}). {how_to_join(where=THERE)}"
    if "unknown ca" in reason:
        old = "its key is of another cluster, or from before 'concurrent keys rotate'"
        return f"it does not trust this node: {old}. {how_to_join(where=THERE)}"
    return f"the TLS handshake failed: {reason}"


class Greeting:
    """What a server asks of each new connection.

    :param protection: that of the node; None lets everybody in as ``ANYBODY``.
    """

    def __init__(self, protection: Protection | None) -> None:
        self._tls = protection.tls if protection is not None else None
        self._trust = protection.trust if protection is not None else None
        self._is_open = protection is None or protection.is_open

    def of_place(self, connection: WebConnection) -> None:
        """Take note of a connection at the socket in the node's place.

        :raises NotAllowed: if another user is at its other end.
        """
        connection.is_greeted = True
        check_peer(connection.socket)
        connection.identity = THIS_USER

    def begins_tls(self, connection: WebConnection) -> bool:
        """Tell whether a handshake is to be made; if not, and nothing is raised, the connection is greeted.

        :raises NotAllowed: if it is plain and comes over a network.
        """
        if self._tls is not None and connection.begins_with(TLS_RECORD):
            connection.encrypt(self._tls.server)
            return True
        connection.is_greeted = True
        if self._is_open:
            connection.identity = ANYBODY
        elif not is_loopback(connection.own_ip):
            raise NotAllowed(
                "this port takes nothing without encryption: use https",
                thing="connection",
                remedy="Use https:// with a token, or join the cluster: concurrent join LINE",
            )
        return False

    def shake_hands(self, connection: WebConnection) -> None:
        """Go on with the handshake; when it is over the connection is greeted.

        :raises ssl.SSLWantReadError, ssl.SSLWantWriteError: if it has to be called again.
        :raises OSError: if it has failed.
        :raises NotAllowed: if the client has a certificate of somebody who is not let in.
        """
        connection.socket.do_handshake()
        connection.is_greeted = True
        certificate = connection.socket.getpeercert()
        if certificate and self._tls is not None and self._trust is not None:
            identity = identity_of_certificate(certificate, self._tls.cluster)
            self._trust.check(identity)
            connection.identity = identity
        elif self._is_open:
            connection.identity = ANYBODY
