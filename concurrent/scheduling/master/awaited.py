"""Sees which slaves that a ledger awaits after a start have ended with the former master. Loop thread only."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import Final

from concurrent.core.process.identity import has_ended
from concurrent.scheduling.ledger.events import SlavesGone
from concurrent.scheduling.ledger.returning import Returning
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["AwaitedSlaves"]

LOOK_S: Final = 0.25
"""A master's own slave ends soon after it, and not before."""


class AwaitedSlaves:
    """See the module. Only of processes of this machine it is known that they have ended.

    :param returning: of the ledger.
    :param apply: takes an event to the ledger.
    """

    def __init__(self, loop: NodeLoop, returning: Returning, apply: Callable[[SlavesGone], object]) -> None:
        self._loop = loop
        self._returning = returning
        self._apply = apply
        self._timer: TimerHandle | None = None

    def look(self) -> None:
        """Tell the ledger of those that have ended, now and while tasks wait for slaves."""
        gone = [name for name, process in self._returning.awaited.items() if has_ended(process)]
        if gone:
            self._apply(SlavesGone(gone))
        self._timer = self._loop.call_later(LOOK_S, self.look) if self._returning.is_waiting else None

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
