"""What becomes of casts that fail: the end of the session, or a few lines in the log."""

from __future__ import annotations

from typing import Final

from concurrent.core.errors import ConcurrentError, ProtocolError, UnknownMethod
from concurrent.core.loggers import get_log

__all__ = ["FailedCasts"]

LINES_MAX: Final = 10
FAILURES_MAX: Final = 1000
NAME_LENGTH_MAX: Final = 256

log = get_log(__name__)


class FailedCasts:
    """Counts the failed casts of one session. Loop thread only."""

    def __init__(self) -> None:
        self._count = 0
        self._refused_count = 0
        self._unknown: set[str] = set()

    def note(self, method: str, node_id: str, error: BaseException, *, is_vital: bool) -> None:
        """Log a cast that failed, with its traceback if it is no error of the framework.

        One of a method that there is not is no fault: it may be of a later form of the protocol.

        :param is_vital: whether the session cannot go on without it.
        :raises ProtocolError: if it cannot, or the peer has sent too many that could not be accepted.
        """
        name = method[:NAME_LENGTH_MAX]
        if isinstance(error, UnknownMethod):
            self._note_unknown(name, node_id)
            return
        is_ours = isinstance(error, ConcurrentError)
        if is_vital:
            if not is_ours:
                log.error("a cast of %s by %s failed", name, node_id, exc_info=error)
            why = error if is_ours else f"it failed here with {type(error).__name__}"
            raise ProtocolError(f"{name} cannot be taken: {why}", thing=name) from error
        self._count += 1
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

    def _note_unknown(self, name: str, node_id: str) -> None:
        """Log once for each name, up to a number of names."""
        if name not in self._unknown and len(self._unknown) < LINES_MAX:
            self._unknown.add(name)
            log.warning("%s sends %r, which is not known here; it is ignored from now on", node_id, name)
