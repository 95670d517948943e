"""Tells slaves which of their reports are kept, so that they need not keep them any more. Loop thread only."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Final

from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_slave
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Receipts"]

TOLD_S: Final = 0.05
TOLD_COUNT: Final = 64
"""A slave is told after so long, or as soon as so many of its reports are kept."""


class Receipts:
    """See the module. Reports of a session are counted from 1.

    :param when_kept: calls a function once all that was recorded so far is kept.
    """

    def __init__(
        self,
        loop: NodeLoop,
        sessions: Sessions,
        courier: Courier,
        when_kept: Callable[[Callable[[], object]], object],
    ) -> None:
        self._loop = loop
        self._slaves = sessions.slaves
        self._courier = courier
        self._when_kept = when_kept
        self._count_by_slave: dict[int, int] = {}  # these four by slave
        self._news: dict[int, int] = {}
        self._kept: dict[int, int] = {}
        self._told: dict[int, int] = {}
        self._timer: TimerHandle | None = None

    def join(self, slave: int) -> None:
        """Count the reports of a slave whose session has begun, if it wants to know."""
        if self._slaves[slave].peer_has(to_slave.DURABLE):
            self._count_by_slave[slave] = 0

    def leave(self, slave: int) -> None:
        """Forget a slave whose session has ended."""
        for counts in (self._count_by_slave, self._news, self._kept, self._told):
            counts.pop(slave, None)

    def note(self, slave: int) -> None:
        """Take note that a report has come and is dealt with."""
        count = self._count_by_slave.get(slave)
        if count is not None:
            self._count_by_slave[slave] = self._news[slave] = count + 1

    def end_turn(self) -> None:
        """Have slaves know of the reports of this turn, as soon as they are kept."""
        if self._news:
            news, self._news = self._news, {}
            self._when_kept(partial(self._note_kept, news))

    def close(self) -> None:
        """Tell nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _note_kept(self, news: dict[int, int]) -> None:
        """Take note that so many reports of slaves are kept, and tell them before long."""
        for slave, count in news.items():
            if slave not in self._count_by_slave:
                continue
            self._kept[slave] = count
            if count - self._told.get(slave, 0) >= TOLD_COUNT:
                self._tell(slave)
        if self._kept and self._timer is None:
            self._timer = self._loop.call_later(TOLD_S, self._tell_all)

    def _tell_all(self) -> None:
        self._timer = None
        for slave in list(self._kept):
            self._tell(slave)

    def _tell(self, slave: int) -> None:
        count = self._told[slave] = self._kept.pop(slave)
        self._courier.cast(self._slaves[slave], to_slave.stored, count)
