"""Who asks, and whether it may: what decides on a request before anything reads its body.

Any thread of the service.
"""

from __future__ import annotations

from typing import Protocol

from concurrent.transport.security.identity import Identity

__all__ = ["IRegistrar", "ITokens"]


class ITokens(Protocol):
    """What knows the tokens of a cluster. Any thread."""

    def identity_of(self, text: str) -> Identity:
        """Return who a token is of.

        :raises NotAllowed: if it is none, has expired or was revoked.
        """


class IRegistrar(Protocol):
    """What takes new members in. Any thread."""

    def has_invitation(self, secret: str) -> bool:
        """Tell whether somebody with this secret may join."""

    def join(self, secret: str, request_pem: bytes, address: str) -> bytes:
        """Return the answer to who joins, as JSON.

        :raises NotAllowed: if it may not.
        """
