"""Whose trust has ended: the certificates and tokens of a cluster that were revoked.

Any thread asks; one thread, the node's loop, says who was revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.identity import Identity

__all__ = ["Trust"]


class Trust:
    """What a process knows of who was revoked. It is told the whole list each time, and forgets nobody.

    :param revoked: the serials that are revoked from the start.
    """

    def __init__(self, revoked: Iterable[str] = ()) -> None:
        self._revoked = frozenset(revoked)
        self._listeners: dict[Callable[[frozenset[str]], object], None] = {}

    @property
    def revoked(self) -> frozenset[str]:
        """The serials that are revoked."""
        return self._revoked

    def check(self, identity: Identity) -> None:
        """Raise NotAllowed if the trust in an identity has ended."""
        if identity.serial and identity.serial in self._revoked:
            raise NotAllowed(
                f"{identity} has been revoked",
                thing=identity.name,
                remedy="Ask an admin of the cluster for a new invitation, join with it, and start this again",
            )

    def listen(self, fn: Callable[[frozenset[str]], object]) -> None:
        """Call ``fn`` with the serials that are revoked from now on, in the thread that says so."""
        self._listeners[fn] = None

    def ignore(self, fn: Callable[[frozenset[str]], object]) -> None:
        """Call ``fn`` no more, if it was called."""
        self._listeners.pop(fn, None)

    def revoke(self, serials: Iterable[str]) -> None:
        """Take note of serials that are revoked; those that were stay so."""
        new = frozenset(serials) - self._revoked
        self._revoked |= new
        if new:
            for fn in tuple(self._listeners):
                fn(new)
