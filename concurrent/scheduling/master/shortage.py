"""Says why a master accepts no more tasks, to the owners that wait and in its log, while that is so."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Shortage"]

FIRST_S: Final = 1.0
AGAIN_S: Final = 2.0
"""How soon a shortage is told to owners, and how often it is looked at again."""

log = get_log("concurrent.scheduling.master.shortage")


class Shortage:
    """See the module. Loop thread only.

    ``reason`` is what is short, by name and figure; empty while nothing is, or not for long enough.

    :param look: tries once more to accept what waits; returns what is short, or nothing.
    :param tell: tells the owners that wait what is short.
    """

    def __init__(self, loop: NodeLoop, look: Callable[[], str], tell: Callable[[str], object]) -> None:
        self.reason = ""
        self._loop = loop
        self._look = look
        self._tell = tell
        self._timer: TimerHandle | None = None

    def note(self) -> None:
        """Something cannot be accepted now: look again before long, until everything can be."""
        if self._timer is None:
            self._timer = self._loop.call_later(FIRST_S, self._check)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        reason = self._look()
        if not reason:
            if self.reason:
                log.info("there is room for tasks again")
            self.reason = ""
            return
        if not self.reason:
            log.warning("no more tasks are accepted for now: %s", reason)
        self.reason = reason
        self._tell(reason)
        if self._timer is None:
            self._timer = self._loop.call_later(AGAIN_S, self._check)
