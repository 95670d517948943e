"""The log of what fails in an application: of many failures of a kind some are told whole, then few lines."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import NotAllowed
from concurrent.core.logformat import log_with_lines
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareLine
from concurrent.scheduling.wire.failure import lines_of, message_of

__all__ = ["FailureLog"]

WHOLE_MAX: Final = 20
"""So many failures of a kind are logged with their tracebacks."""

log = get_log(__name__)


class FailureLog:
    """See the module. Main thread.

    :param clock: returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.has_any = False
        """Whether something has failed."""
        self.left_out = 0
        """How many failures have no line of their own."""
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._rare = RareLine()

    def report(self, what: str, error: BaseException) -> None:
        """Log an error with its remote traceback, unless there were many of its kind."""
        self.has_any = True
        kind = type(error).__name__
        self._counts[kind] += 1
        text = message_of(error).partition("\n")[0]  # all of it is in the lines
        if isinstance(error, NotAllowed):
            log.error("%s was refused: %s", what, text)  # no code is to blame
            return
        if self._counts[kind] <= WHOLE_MAX:
            log_with_lines(log, logging.ERROR, lines_of(error), "%s failed: %s: %s", what, kind, text)
            if self._counts[kind] == WHOLE_MAX:
                log.warning("of further failures with %s one a second is logged, without its traceback", kind)
            return
        suffix = self._rare.suffix(self._clock())
        if suffix is None:
            self.left_out += 1
        else:
            log.error("%s failed: %s: %s%s", what, kind, text, suffix)
