"""Says what holds a thread up that makes calls for others: nobody waits in silence for a callback."""

from __future__ import annotations

import sys
from typing import Final

from concurrent.core.callthread import CallThread
from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["StallWatch"]

LOOK_S: Final = 5.0
SAID_AFTER: Final = 2
"""After so many looks at which it was the same call; then after twice as many each time."""

log = get_log(__name__)


class StallWatch:
    """See the module. Its timer ends with the loop.

    :param loop: looks now and then.
    :param what: what the calls of the thread are, for the log.
    """

    def __init__(self, loop: NodeLoop, thread: CallThread, what: str) -> None:
        self._loop = loop
        self._thread = thread
        self._what = what
        self._made_count = 0
        self._look_count = 0
        self._said_at = SAID_AFTER

    def look(self) -> None:
        """Look now, and from time to time from now on. Loop thread."""
        made_count = self._thread.made_count
        if self._thread.is_waiting or made_count != self._made_count:
            self._made_count, self._look_count, self._said_at = made_count, 0, SAID_AFTER
        else:
            self._look_count += 1
            if self._look_count == self._said_at:
                self._said_at *= 2
                self._say()
        self._loop.call_later(LOOK_S, self.look)

    def _say(self) -> None:
        log.warning(
            "%s has taken more than %d s, and whatever comes behind it waits, shutdown too; it is in %s",
            self._what, self._look_count * LOOK_S, self._place(),
        )  # fmt: skip

    def _place(self) -> str:
        frame = sys._current_frames().get(self._thread.thread_id or 0)
        return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
