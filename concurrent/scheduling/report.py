"""The outcomes that a pool has not reported yet, and when it does. Loop thread only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from concurrent.transport.frames import Frame
from concurrent.transport.loop import NodeLoop

__all__ = ["OnDone", "OutcomeReport"]

REPORT_BYTES: Final = 1 << 20
"""So many bytes of results are reported without waiting for more."""

OnDone = Callable[[list[int], list[int], "list[bytes | Frame]"], None]


class OutcomeReport:
    """See the module.

    :param on_done: called with numbers, statuses (``outcome.py``) and payloads, at most once per loop turn.
    :param delay_s: returns how long outcomes that are not urgent may wait for others, in seconds.
    """

    def __init__(self, loop: NodeLoop, on_done: OnDone, delay_s: Callable[[], float]) -> None:
        self.dropped: list[int] = []
        self._loop = loop
        self._on_done = on_done
        self._delay_s = delay_s
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
        *,
        is_urgent: bool,
    ) -> None:
        """Report outcomes in this turn if they are urgent, else together with what comes a little later."""
        if self._is_silent:
            self.dropped += numbers
            return
        self._numbers += numbers
        self._statuses += statuses
        self._payloads += payloads
        self._size_bytes += sum(map(len, payloads))
        if self._is_leaving:
            return
        is_urgent = is_urgent or self._size_bytes > REPORT_BYTES
        if self._timer is not None and not is_urgent:
            return
        delay_s = 0.0 if is_urgent else self._delay_s()
        if delay_s > 0:
            self._timer = self._loop.call_later(delay_s, self.flush)
        else:
            self._is_leaving = True
            self._loop.defer(self.flush)

    def flush(self) -> None:
        """Report what waits, now."""
        if self._timer is not None:
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
        if self._timer is not None:
            self._cancel_timer()
        self.dropped += self._numbers
        self._numbers, self._statuses, self._payloads = [], [], []

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
