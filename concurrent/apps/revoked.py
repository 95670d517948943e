"""How masters tell their nodes whom to trust no more. Loop thread only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from concurrent.apps.messages import REVOKED, revoked
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.calls.methods import HasMethods, receives
from concurrent.transport.security.trust import Trust

__all__ = ["follow_revoked", "tell_revoked"]


def tell_revoked(handler: TCPHandler, serials: Collection[str]) -> None:
    """Tell a node whose certificates and tokens are trusted no more, if it knows what that means."""
    if serials and handler.peer_has(REVOKED):
        handler.cast(revoked, sorted(serials))


def follow_revoked(endpoint: HasMethods, trust: Trust) -> None:
    """Have a node trust nobody whom its master does not trust."""

    @receives(endpoint, revoked)
    def take(_handler: TCPHandler, _request: Any, serials: list[str]) -> None:
        """Trust nobody any more whose certificate or token has one of these numbers."""
        trust.revoke(serials)
