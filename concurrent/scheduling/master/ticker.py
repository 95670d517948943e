"""The clock of a master: tells the ledger the time when it wants to know, and has figures taken each second.

Loop thread only.
"""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Callable
from math import inf
from typing import Final

from concurrent.scheduling.ledger.alarms import Alarms
from concurrent.scheduling.ledger.events import TimePassed
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Ticker"]

SAMPLE_S: Final = 1.0


class Ticker:
    """See the module. It has two timers, until it is closed.

    :param alarms: of the ledger; their ``deadline`` is when it wants to be told.
    :param apply: takes an event to the ledger, and carries out what that answers.
    :param sample: called once a second with the time, in seconds since the epoch.
    """

    def __init__(
        self,
        loop: NodeLoop,
        alarms: Alarms,
        apply: Callable[[TimePassed], object],
        sample: Callable[[float], object],
    ) -> None:
        self._loop = loop
        self._alarms = alarms
        self._apply = apply
        self._sample = sample
        self._sample_timer = loop.call_later(SAMPLE_S, self._take_sample)
        self._timer: TimerHandle | None = None
        self._set_for = inf
        self.look()

    def look(self) -> None:
        """See to it that the ledger is told in time. At the end of each turn."""
        deadline = self._alarms.deadline
        if deadline < self._set_for:
            if self._timer is not None:
                self._timer.cancel()
            self._set_for = deadline
            self._timer = self._loop.call_later(max(0.0, deadline - self._loop.time()), self._tick)

    def close(self) -> None:
        """Tell nothing more."""
        self._set_for = -inf
        self._sample_timer.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _tick(self) -> None:
        self._timer = None
        self._set_for = inf
        self._apply(TimePassed(self._loop.time(), time.time()))
        self.look()

    def _take_sample(self) -> None:
        self._sample_timer = self._loop.call_later(SAMPLE_S, self._take_sample)
        self._sample(time.time())
