"""Tells applications what goes wrong with their tasks at the master, mostly in plug-ins. Loop thread only."""

from __future__ import annotations

from typing import Final

from concurrent.core.troubles import Trouble, Troubles
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner

__all__ = ["Notices"]

TOLD_MAX: Final = 9
"""How many notices before the latest an owner that joins later hears of."""


class Notices:
    """See the module. Each owner hears of what was there when it joined, and of what comes later.

    :param troubles: what goes wrong; it is listened to until :meth:`close`.
    """

    def __init__(self, troubles: Troubles, courier: Courier, sessions: Sessions) -> None:
        self._troubles = troubles
        self._courier = courier
        self._sessions = sessions
        self._told: list[str] = []
        troubles.listener = self._tell

    def catch_up(self, owner: int) -> None:
        """Tell an owner that has just joined what it has missed."""
        for text in self._told:
            self.tell(owner, text)

    def tell(self, owner: int, text: str) -> bool:
        """Tell one owner something that concerns it alone, if it wants to be told; return whether it does."""
        handler = self._sessions.owners.get(owner)
        if handler is None or not handler.peer_has(to_owner.NOTICE):
            return False
        return self._courier.cast(handler, to_owner.notice, text)

    def close(self) -> None:
        """Listen no more."""
        self._troubles.listener = None

    def _tell(self, trouble: Trouble) -> None:
        text = str(trouble)
        if trouble.count == 1:
            self._told = [*self._told[-TOLD_MAX:], text]
        for handler in self._sessions.owners.values():
            self._courier.cast(handler, to_owner.notice, text)
