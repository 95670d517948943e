"""What keeps a log of who has done what, for those who tell it."""

from __future__ import annotations

from typing import Final, Protocol

from concurrent.transport.security.identity import Identity

__all__ = ["NO_AUDIT", "REFUSED", "IAudit"]

REFUSED: Final = "refused"
"""How the result of what was not allowed begins."""


class IAudit(Protocol):
    """Keeps such a log. Whoever gives it away says in which thread it may be called."""

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        """Write a line. None of the texts has a secret in it.

        :param action: what was done, in a word.
        :param identity: who did it; None: nobody in particular.
        :param address: from where.
        :param obj: what it was done to.
        :param result: what came of it.
        """


class _NoAudit:
    """Keeps nothing."""

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        """Do nothing."""


NO_AUDIT: Final[IAudit] = _NoAudit()
"""That of a node that keeps no such log."""
