"""Who a certificate is of, as its extensions say. A pure module.

The library has checked by then that the authority of the cluster signed it; what it says is taken only if it is
of that cluster and has the form that the authority gives it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

__all__ = ["identity_of_certificate", "serial_text", "uri_of"]

SCHEME: Final = "concurrent://"

_URI: Final = re.compile(r"concurrent://([^/?#@\s]+)/([a-z]+)/([^/?#\s]+)")


def uri_of(identity: Identity) -> str:
    """Return how a certificate names the identity that it is for."""
    return f"{SCHEME}{identity.cluster}/{identity.role}/{identity.name}"


def serial_text(number: int) -> str:
    """Return the serial number of a certificate as identities and lists of revoked ones have it."""
    return f"{number:x}"


def identity_of_certificate(certificate: Mapping[str, Any], cluster: str) -> Identity:
    """Return who a certificate is of.

    :param certificate: what ``getpeercert`` of ``ssl`` returns for one that was verified.
    :param cluster: whose authority has signed it.
    :raises NotAllowed: if it does not say exactly who that is, or is of another cluster.
    """
    names = certificate.get("subjectAltName", ())
    uris = [value for kind, value in names if kind == "URI" and value.startswith(SCHEME)]
    match = _URI.fullmatch(uris[0]) if len(uris) == 1 else None
    if match is None or match[1] != cluster or match[2] not in set(map(str, Role)):
        raise NotAllowed(
            f"the certificate does not name a member of cluster {cluster}",
            thing="certificate",
            value=uris[0] if uris else None,
            remedy="Join the cluster again with a new invitation: concurrent join LINE",
        )
    return Identity(Role(match[2]), match[3], cluster, serial_text(int(certificate["serialNumber"], 16)))
