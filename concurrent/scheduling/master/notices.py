"""Tells applications what goes wrong with their tasks at the master, mostly in plug-ins. Loop thread only."""

from __future__ import annotations

from typing import Final

from concurrent.core.troubles import Trouble, Troubles
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler

__all__ = ["Notices"]

TOLD_MAX: Final = 9
"""How many notices before the latest an owner that joins later hears of."""


class Notices:
    """See the module. Each owner hears of what was there when it joined, and of what comes later.

    :param troubles: what goes wrong; it is listened to until :meth:`close`.
    """

    def __init__(self, troubles: Troubles, courier: Courier) -> None:
        self._troubles = troubles
        self._courier = courier
        self._handler_by_owner: dict[int, TCPHandler] = {}
        self._told: list[str] = []
        troubles.listener = self._tell

    def join(self, owner: int, handler: TCPHandler) -> None:
        """Tell an owner from now on, if it wants to be told."""
        self._handler_by_owner[owner] = handler
        for text in self._told:
            self._courier.cast(handler, to_owner.notice, text)

    def tell(self, owner: int, text: str) -> None:
        """Tell one owner something that concerns it alone, if it wants to be told."""
        handler = self._handler_by_owner.get(owner)
        if handler is not None:
            self._courier.cast(handler, to_owner.notice, text)

    def leave(self, owner: int) -> None:
        """Tell an owner nothing more."""
        self._handler_by_owner.pop(owner, None)

    def close(self) -> None:
        """Listen no more."""
        self._troubles.listener = None

    def _tell(self, trouble: Trouble) -> None:
        text = str(trouble)
        if trouble.count == 1:
            self._told = [*self._told[-TOLD_MAX:], text]
        for handler in self._handler_by_owner.values():
            self._courier.cast(handler, to_owner.notice, text)
