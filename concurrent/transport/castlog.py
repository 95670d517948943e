"""What becomes of casts that fail: a few lines in the log, and the end of a peer that sends nothing else."""

from __future__ import annotations

import logging
from typing import Final

from concurrent.core.errors import ConcurrentError, ProtocolError

__all__ = ["FailedCasts"]

LINES_MAX: Final = 10
FAILURES_MAX: Final = 1000
NAME_LENGTH_MAX: Final = 256

log = logging.getLogger("concurrent.transport")


class FailedCasts:
    """Counts the failed casts of one session. Loop thread only."""

    def __init__(self) -> None:
        self._count = 0
        self._refused_count = 0

    def note(self, method: str, node_id: str, error: Exception) -> None:
        """Log a cast that failed, with its traceback if it is no error of the framework.

        :raises ProtocolError: if the peer has sent too many that could not be accepted.
        """
        self._count += 1
        is_ours = isinstance(error, ConcurrentError)
        name = method[:NAME_LENGTH_MAX]
        if self._count > LINES_MAX:
            if self._count == LINES_MAX + 1:
                log.warning("casts by %s fail; further failures are not logged", node_id)
        elif is_ours:
            log.warning("a cast of %s by %s failed: %s", name, node_id, error)
        else:
            log.error("a cast of %s by %s failed", name, node_id, exc_info=error)
        self._refused_count += is_ours
        if self._refused_count >= FAILURES_MAX:
            raise ProtocolError(
                f"{self._refused_count} casts could not be accepted, the last one: {error}", thing=name
            )
