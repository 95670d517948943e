"""Makes the contexts of TLS of a member of a cluster, and has them prove that its files belong together.

The standard library alone is used here. A handshake of the two contexts with each other, without a socket,
shows what every connection will need: that the key is that of the certificate, that the authority has signed
it, and for whom.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.certificate import identity_of_certificate
from concurrent.transport.security.names import dns_name
from concurrent.transport.security.privatefiles import damaged
from concurrent.transport.security.protection import TLSKeys
from concurrent.transport.security.roles import Role

__all__ = ["check_pair", "tls_keys"]

STEPS_MAX = 8
"""How often each end of a handshake goes on at most; it needs three."""


def tls_keys(folder: Path, cluster: str, role: Role, remedy: str) -> TLSKeys:
    """Return the keys of a member.

    :param folder: where ``ca.crt``, ``ROLE.crt`` and ``ROLE.key`` are; they were found to be this user's.
    :param remedy: what to do if they do not fit.
    :raises ConfigurationError: if they do not belong together, to this cluster or to this role.
    """
    certificate = folder / f"{role}.crt"
    contexts = [
        _context(folder, role, protocol, remedy)
        for protocol in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    ]
    server, client = contexts
    server.verify_mode = ssl.CERT_OPTIONAL
    server.num_tickets = 0  # connections are few and long, and each proves itself anew
    try:
        shown = _shake_hands(server, client, dns_name(cluster, role))
        identity = identity_of_certificate(shown, cluster)
    except ssl.SSLCertVerificationError as error:
        raise damaged(
            certificate, f"the authority of {cluster} has not signed it ({error.verify_message})", remedy
        ) from None
    except (NotAllowed, ssl.SSLError) as error:
        raise damaged(certificate, str(error).partition(".")[0], remedy) from None
    if identity.role is not role:
        raise damaged(certificate, f"it is the certificate of {identity}, not one of role {role}", remedy)
    return TLSKeys(cluster, identity, server, client)


def check_pair(certificate: Path, key: Path, remedy: str) -> None:
    """Raise ConfigurationError unless a file has the key of the certificate in another one."""
    _load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key, remedy)


def _context(folder: Path, role: Role, protocol: int, remedy: str) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    authority = folder / "ca.crt"
    try:
        context.load_verify_locations(cafile=authority)
    except (ssl.SSLError, OSError) as error:
        raise damaged(authority, f"it is not a certificate ({_said(error)})", remedy) from None
    _load_pair(context, folder / f"{role}.crt", folder / f"{role}.key", remedy)
    return context


def _load_pair(context: ssl.SSLContext, certificate: Path, key: Path, remedy: str) -> None:
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")  # and asks nobody for one
    except (ssl.SSLError, OSError) as error:
        raise damaged(
            key, f"it is not the key of the certificate in {certificate.name} ({_said(error)})", remedy
        ) from None


def _said(error: OSError) -> str:
    return str(getattr(error, "reason", None) or error.strerror or error)


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> Mapping[str, Any]:
    """Return the certificate that the server has seen of the client; empty if none."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    at_client = client.wrap_bio(to_client, to_server, server_hostname=name)
    at_server = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(STEPS_MAX):
        waiting = 0
        for end in (at_client, at_server):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
        if not waiting:
            break
    return at_server.getpeercert() or {}
