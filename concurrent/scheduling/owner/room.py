"""Whether an owner may push more; what waits for that, and why there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import QueueFull
from concurrent.core.loggers import get_log
from concurrent.scheduling.owner.inbox import Inbox
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SAID_AGAIN_S", "Room"]

SAID_S: Final = 5.0
SAID_AGAIN_S: Final = 300.0
"""How soon it is said that a push waits; then later each time, up to this."""

STUCK_S: Final = 30.0
"""How long another thread waits while the one that takes outcomes is in a callback all the time."""

LOOK_S: Final = 1.0

log = get_log(__name__)


class Room:
    """See the module. The loop's thread opens, whoever pushes closes and waits. Any thread may ask.

    ``inbox`` is that of the owner's callbacks, if it has one: the thread that runs them goes on with them
    while it waits here.

    :param explain: returns why there is no room. Any thread.
    :param timeout_s: how long a push waits where there is no inbox, in seconds.
    """

    def __init__(self, loop: NodeLoop, explain: Callable[[], str], timeout_s: float | None = None) -> None:
        self.is_open = True
        self.inbox: Inbox | None = None
        self._loop = loop
        self._explain = explain
        self._timeout_s = timeout_s
        self._open = threading.Event()
        self._open.set()
        self._waiting: dict[int, float] = {}  # since when, by thread
        self._is_watched = False

    @property
    def waits_for(self) -> str:
        """What a push waits for now, and for how long; nothing if none does."""
        waited_s = self._waited_s
        return f"a push has waited for {waited_s:.0f} s: {self._explain()}" if waited_s else ""

    def close(self) -> None:
        """There is no room from now on."""
        self.is_open = False
        self._open.clear()

    def open(self) -> None:
        """There is room again: whoever waits goes on."""
        self.is_open = True
        self._open.set()
        if self.inbox is not None and self._waiting:
            self.inbox.put(_nothing)

    def wait(self) -> None:
        """Wait until there is room. Any thread but the loop's.

        :raises QueueFull: if there is none within ``timeout_s``; or if there cannot be any, because the
            thread that takes the outcomes does not come to it.
        """
        assert not self._loop.is_current(), "pushing on the loop's thread could wait for itself"
        thread_id = threading.get_ident()
        if thread_id in self._waiting:  # a push in a callback that runs within a push
            self._wait()
            return
        self._waiting[thread_id] = time.monotonic()
        try:
            self._loop.post(self._watch)
            self._wait()
        finally:
            del self._waiting[thread_id]

    @property
    def _waited_s(self) -> float:
        since = list(self._waiting.values())
        return time.monotonic() - min(since) if since and not self.is_open else 0.0

    def _wait(self) -> None:
        if self.inbox is None:
            if not self._open.wait(self._timeout_s):
                raise self._full(f"the master accepted nothing for {self._timeout_s} s")
        elif self.inbox.is_current():
            self.inbox.wait(self._open.is_set)
        else:
            self._wait_beside(self.inbox)

    def _wait_beside(self, inbox: Inbox) -> None:
        """Wait in another thread than that of the inbox, unless that waits for this one."""
        while not self._open.wait(LOOK_S):
            busy_s = inbox.busy_s
            if not inbox.is_empty() and min(busy_s, self._waited_s) > STUCK_S:
                raise self._full(
                    f"there has been no room for {self._waited_s:.0f} s, and the main thread, which takes the "
                    f"results, has been in one callback for {busy_s:.0f} s",
                    "Let the callback return, above all if it waits for the thread that pushes; or push in it",
                )

    def _full(self, what: str, remedy: str = "") -> QueueFull:
        return QueueFull(
            f"{what}; {self._explain()}",
            thing="push_task",
            remedy=remedy or "See with 'concurrent status' whether it is there and has slaves",
        )

    def _watch(self) -> None:
        """Say now and then what a push waits for. Loop thread only."""
        if not self._is_watched:
            self._is_watched = True
            self._loop.call_later(SAID_S, self._say, SAID_S)

    def _say(self, delay_s: float) -> None:
        if not self._waiting:
            self._is_watched = False
            return
        if self._waited_s >= delay_s:
            log.warning("%s", self.waits_for)
            delay_s = min(2 * delay_s, SAID_AGAIN_S)
        self._loop.call_later(delay_s, self._say, delay_s)


def _nothing() -> None:
    """Wake who waits for an inbox."""
