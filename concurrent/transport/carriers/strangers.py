"""Why TLS lets somebody not in, in words for both ends. A pure module.

A server says it in a BYE wherever the peer can read one, and in its log; a client shows it to whoever waits for
the connection.
"""

from __future__ import annotations

import ssl
from typing import Final

from concurrent.core.errors import MalformedMessage, NotAllowed, ProtocolError
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

JOIN: Final = (
    "Run 'concurrent keys invite ROLE' on the machine of the master, and the 'concurrent join LINE' that it "
    "prints on the machine that was refused"
)
_RECORDS: Final = (b"\x16", b"\x15")
"""How TLS begins: with a greeting, or with an alert."""


def is_tls(first: bytes) -> bool:
    """Tell whether what a peer sent first, a byte or more, is a record of TLS."""
    return first.startswith(_RECORDS)


def is_alert(error: ssl.SSLError) -> bool:
    """Tell whether the other end has ended TLS, and not this one."""
    return "ALERT" in (error.reason or "")


def needs_key(what: str) -> NotAllowed:
    """A server or client has nothing by which its peers could be known."""
    return NotAllowed(
        f"{what} has no key, so that there is no peer which it can trust",
        thing="protection",
        remedy="Join the cluster: run 'concurrent keys invite ROLE' on the machine of the master, and the "
        "'concurrent join LINE' that it prints here",
    )


def no_certificate(cluster: str) -> NotAllowed:
    """A client came without a certificate."""
    return NotAllowed(
        f"only members of the cluster {cluster} may connect, and this one has no key of it",
        thing=cluster,
        remedy=JOIN,
    )


def not_encrypted(first: bytes, cluster: str) -> ProtocolError:
    """A client did not begin with TLS.

    :param first: the first two bytes that came, or more.
    """
    if first.startswith(MAGIC):
        return NotAllowed(
            f"only members of the cluster {cluster} may connect, encrypted, and this one came without a key",
            thing=cluster,
            value=first,
            remedy=JOIN,
        )
    name = foreign_protocol(first)
    what = f"it speaks {name}" if name else f"it begins with {first.hex()}"
    return MalformedMessage(f"only TLS is spoken here, but {what}", thing="TLS", value=first)


def broken_greeting(error: ssl.SSLError, cluster: str) -> ProtocolError:
    """TLS could not begin, at a server."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotAllowed(
            f"only members of the cluster {cluster} may connect, and the certificate of this one was signed by "
            f"somebody else ({error.verify_message})",
            thing=cluster,
            remedy=JOIN,
        )
    if is_alert(error):
        return NotAllowed(
            f"the other end does not trust this master of the cluster {cluster} ({_reason(error)})",
            thing=cluster,
            remedy="Have it join this cluster, or use the address of a master of its own",
        )
    return MalformedMessage(f"TLS could not begin: {_reason(error)}", thing="TLS")


def unencrypted_server(first: bytes, cluster: str) -> NotAllowed:
    """A server did not answer with TLS.

    :param first: the first two bytes that it sent, or more.
    """
    name = foreign_protocol(first)
    what = (
        "takes everybody, and encrypts nothing"
        if name == "the compute channel"
        else f"speaks {name or 'no TLS'}"
    )
    return NotAllowed(
        f"no master of the cluster {cluster} is there: who listens {what}",
        thing=cluster,
        remedy="Check the address. If this is meant, use transport.allow_insecure here too",
    )


def unknown_here(error: ssl.SSLError, cluster: str) -> NotAllowed:
    """A server has ended TLS because of the certificate of this client."""
    return NotAllowed(
        f"this master does not know the key that this node has of the cluster {cluster} ({_reason(error)})",
        thing=cluster,
        remedy="Run 'concurrent keys invite ROLE' on the machine of the master, and the 'concurrent join LINE' "
        "that it prints here",
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
            f"who listens cannot prove to be a master of the cluster {cluster} ({error.verify_message})",
            thing=cluster,
            remedy="Check the address, or join the cluster of that master with a line of its own",
        )
    if is_alert(error):
        return unknown_here(error, cluster)
    return MalformedMessage(f"TLS could not begin: {_reason(error)}", thing="TLS")


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
