"""Says so when an application has nothing to do and was not told to end. Loop thread only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["IdleWatch"]

IDLE_S: Final = 5.0
"""How soon it is said."""

log = get_log(__name__)


class IdleWatch:
    """See the module.

    :param is_idle: tells whether nothing is unfinished and the application goes on.
    :param is_busy: tells whether a callback runs just now.
    :param count: returns how many tasks have ended.
    """

    def __init__(
        self, loop: NodeLoop, is_idle: Callable[[], bool], is_busy: Callable[[], bool], count: Callable[[], int]
    ) -> None:
        self._loop = loop
        self._is_idle = is_idle
        self._is_busy = is_busy
        self._count = count
        self._is_looking = False

    def begin(self) -> None:
        """Look later whether the application was meant to go on with nothing to do."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_later(IDLE_S, self._look, self._count())

    def _look(self, count_before: int) -> None:
        self._is_looking = False
        if not self._is_idle():
            return
        if self._is_busy() or self._count() != count_before:
            self.begin()
            return
        log.warning(
            "nothing is unfinished and shutdown_main_loop() was not called, so the application goes on "
            "doing nothing; call it in work_finished, unless others shall push more"
        )
