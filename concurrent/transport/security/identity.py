"""Who a peer is. A pure module."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from concurrent.transport.security.roles import Role

__all__ = ["ANYBODY", "THIS_USER", "Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is at the other end of a connection, or has sent a request.

    :param role: what it may do.
    :param name: what the cluster calls it.
    :param cluster: the cluster whose authority says so; empty where none was asked.
    :param serial: what is revoked to end its trust: the serial number of a certificate, or the id of a token,
        in hexadecimal digits; empty where nothing can be revoked.
    :param ends_at: when it ends by itself, in seconds since the epoch: that of a token, or of a login.
    """

    role: Role
    name: str
    cluster: str = ""
    serial: str = ""
    ends_at: float = field(default=math.inf, compare=False)

    def __str__(self) -> str:
        """Return it as people read it."""
        return self.name if self in (ANYBODY, THIS_USER) else f"{self.role} {self.name}"

    @property
    def key(self) -> str:
        """The text by which what it makes is known to be its own, whichever certificate it has by then."""
        return f"{self.role}:{self.name}"

    def is_same(self, other: Identity) -> bool:
        """Tell whether it is the same one, perhaps with another certificate."""
        return (self.role, self.name, self.cluster) == (other.role, other.name, other.cluster)


ANYBODY: Final = Identity(Role.ADMIN, "anybody")
"""Every peer of a node that nothing protects."""

THIS_USER: Final = Identity(Role.ADMIN, "this user")
"""A process of the user whose process this is, on this machine."""
