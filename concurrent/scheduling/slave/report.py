"""The outcomes that a pool has not reported yet, and when it does. Loop thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from concurrent.transport.frames.frames import Frame
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["OnDone", "OutcomeReport"]

REPORT_BYTES: Final = 1 << 20
"""So many bytes of results are reported without waiting for more."""

OnDone = Callable[[list[int], list[int], "list[bytes | Frame]"], None]


class OutcomeReport:
    """See the module.

    :param on_done: called with numbers, statuses (``outcome.py``) and payloads, at most once per loop turn.
    """

    def __init__(self, loop: NodeLoop, on_done: OnDone) -> None:
        self.dropped: list[int] = []
        self._loop = loop
        self._on_done = on_done
        self._is_silent = False
        self._numbers: list[int] = []
        self._statuses: list[int] = []
        self._payloads: list[bytes | Frame] = []
        self._size_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_leaving = False

    def add(
        self,
        numbers: Sequence[int],
        statuses: Sequence[int],
        payloads: Sequence[bytes | Frame],
        delay_s: float,
    ) -> None:
        """Report outcomes in this turn, or together with what comes a little later.

        :param delay_s: how long they may wait for others, in seconds.
        """
        if self._is_silent:
            self.dropped += numbers
            return
        self._numbers += numbers
        self._statuses += statuses
        self._payloads += payloads
        self._size_bytes += sum(map(len, payloads))
        if self._is_leaving:
            return
        if delay_s <= 0 or self._size_bytes > REPORT_BYTES:
            self._is_leaving = True
            self._loop.defer(self.flush)
        elif self._timer is None or self._loop.time() + delay_s < self._timer.when():
            self._cancel_timer()
            self._timer = self._loop.call_later(delay_s, self.flush)

    def flush(self) -> None:
        """Report what waits, now."""
        self._cancel_timer()
        self._is_leaving = False
        numbers, statuses, payloads = self._numbers, self._statuses, self._payloads
        if numbers:
            self._numbers, self._statuses, self._payloads = [], [], []
            self._size_bytes = 0
            self._on_done(numbers, statuses, payloads)

    def be_silent(self) -> None:
        """Drop what waits and all that comes; ``dropped`` has the numbers."""
        self._is_silent = True
        self._cancel_timer()
        self.dropped += self._numbers
        self._numbers, self._statuses, self._payloads = [], [], []

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
