"""The address by which other machines reach this one."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from concurrent.core.items import Host

__all__ = ["far_address", "is_known", "is_listened_on", "near_address", "own_address"]

FAR_AWAY: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has; nothing is sent there."""

ALL_ADDRESSES: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""What stands for all addresses of a machine, and the one among these that is always there."""

LISTENS_S: Final = 2.0
"""How long it may take to learn whether anybody listens."""


def is_listened_on(address: Host) -> bool:
    """Tell whether somebody listens at an address."""
    with contextlib.suppress(OSError), socket.create_connection(address, timeout=LISTENS_S):
        return True
    return False


def is_known(address: Host) -> bool:
    """Tell whether this machine finds the host of an address by its name."""
    with contextlib.suppress(socket.gaierror):
        return bool(socket.getaddrinfo(address.name, address.port))
    return False


def own_address() -> str:
    """Return the address of this machine towards the network; its name if it has no way out."""
    for family, address in FAR_AWAY:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((address, 9))
            return str(sock.getsockname()[0])
    return socket.gethostname()


def near_address(host: str) -> str:
    """Return the address by which processes of this machine reach a server that listens on ``host``."""
    return ALL_ADDRESSES.get(host, host)


def far_address(host: str) -> str:
    """Return the address by which others reach a server that listens on ``host``, if anybody can."""
    return own_address() if host in ALL_ADDRESSES else host
