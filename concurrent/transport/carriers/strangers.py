"""Why TLS lets somebody not in, in words for both ends. A pure module.

A server says it in a BYE wherever the peer can read one, and in its log; a client shows it to whoever waits for
the connection.
"""

from __future__ import annotations

import ssl
from typing import Final

from concurrent.core.errors import MalformedMessage, NotAllowed, ProtocolError
from concurrent.transport.security.howtojoin import THERE, how_to_join
from concurrent.transport.session.foreign import MAGIC, foreign_protocol

__all__ = [
    "broken_greeting",
    "is_alert",
    "is_tls",
    "needs_key",
    "no_certificate",
    "not_encrypted",
    "unencrypted_server",
    "unknown_here",
    "unknown_key",
    "wrong_server",
]

JOIN: Final = how_to_join(where=THERE)
_RECORDS: Final = (b"\x16", b"\x15")
"""How TLS begins: with a handshake, or with an alert."""


def is_tls(first: bytes) -> bool:
    """Tell whether what a peer sent first, a byte or more, is a record of TLS."""
    return first.startswith(_RECORDS)


def is_alert(error: ssl.SSLError) -> bool:
    """Tell whether the other end has ended TLS, and not this one."""
    return "ALERT" in (error.reason or "")


def needs_key(what: str) -> NotAllowed:
    """A server or client has nothing by which its peers could be known."""
    return NotAllowed(
        f"{what} has no key, so it can trust no peer",
        thing="protection",
        remedy=how_to_join(),
    )


def no_certificate(cluster: str) -> NotAllowed:
    """A client came without a certificate."""
    return NotAllowed(
        f"only members of the cluster {cluster} may connect, and no key was shown",
        thing=cluster,
        remedy=JOIN,
    )


def not_encrypted(first: bytes, cluster: str) -> ProtocolError:
    """A client did not begin with TLS.

    :param first: the first two bytes that came, or more.
    """
    if first.startswith(MAGIC):
        return NotAllowed(
            f"only members of the cluster {cluster} may connect, and this connection is not encrypted",
            thing=cluster,
            value=first,
            remedy=JOIN,
        )
    name = foreign_protocol(first)
    what = f"speaks {name}" if name else f"began with {first.hex()}"
    return MalformedMessage(f"this port speaks TLS only, and the client {what}", thing="TLS", value=first)


def broken_greeting(error: ssl.SSLError, cluster: str) -> ProtocolError:
    """TLS could not begin, at a server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotAllowed(
            f"only members of the cluster {cluster} may connect, and the certificate that was shown is not of "
            f"its authority ({error.verify_message})",
            thing=cluster,
            remedy=JOIN,
        )
    if is_alert(error):
        return NotAllowed(
            f"the client does not trust this master of the cluster {cluster} ({_reason(error)})",
            thing=cluster,
            remedy="Have its machine join this cluster, or give it the address of its own master",
        )
    return _failed_handshake(error)


def unencrypted_server(first: bytes, cluster: str) -> NotAllowed:
    """A server did not answer with TLS.

    :param first: the first two bytes that it sent, or more.
    """
    name = foreign_protocol(first)
    what = (
        "lets everybody in and encrypts nothing"
        if name == "the compute channel"
        else f"speaks {name or 'no TLS'}"
    )
    return NotAllowed(
        f"the server is no master of the cluster {cluster}: it {what}",
        thing=cluster,
        remedy="Check the address; if that server is meant to be open, set transport.allow_insecure here too",
    )


def unknown_here(error: ssl.SSLError, cluster: str) -> NotAllowed:
    """A server has ended TLS because of the certificate of this client."""
    return NotAllowed(
        f"the master does not accept this node's key of the cluster {cluster} ({_reason(error)})",
        thing=cluster,
        remedy=how_to_join(),
    )


def unknown_key(address: str) -> NotAllowed:
    """A server does not let in the CURVE key of this node."""
    return NotAllowed(
        f"the master at {address} does not know the key of this node, which has not registered there, or not "
        "with this key, or has been revoked",
        thing=address,
        remedy="Register again over the JSON API. If the master refuses that too, run 'concurrent keys invite "
        "ROLE' on its machine, and the 'concurrent join LINE' that it prints here",
    )


def wrong_server(error: ssl.SSLError, cluster: str) -> ProtocolError:
    """A server could not prove that it is a master of the cluster, or TLS could not begin, at a client."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotAllowed(
            f"the server cannot prove that it is a master of the cluster {cluster} ({error.verify_message})",
            thing=cluster,
            remedy="Check the address; if it is right, join the cluster of that master",
        )
    if is_alert(error):
        return unknown_here(error, cluster)
    return _failed_handshake(error)


def _failed_handshake(error: ssl.SSLError) -> MalformedMessage:
    return MalformedMessage(f"the TLS handshake failed: {_reason(error)}", thing="TLS")


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
