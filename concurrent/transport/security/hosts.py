"""Which hosts a node may listen on as long as nothing protects it. A pure module."""

from __future__ import annotations

import ipaddress

from concurrent.core.errors import ConfigurationError

__all__ = ["check_host", "is_loopback"]


def check_host(host: str, *, allow_insecure: bool) -> None:
    """Raise ConfigurationError if listening on ``host`` would expose the node unprotected."""
    if allow_insecure or is_loopback(host):
        return
    raise ConfigurationError(
        f"listening on {host or 'all addresses'!r} would let anyone who reaches this machine run code on it",
        thing="host",
        value=host,
        remedy="Use 127.0.0.1, or join a cluster first, whose keys protect it; or set transport.allow_insecure "
        "(in code: allow_insecure=True) in a network that you trust",
    )


def is_loopback(host: str) -> bool:
    """Tell whether an address or name is one by which a machine reaches only itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
