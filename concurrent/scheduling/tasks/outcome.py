"""How one attempt at a task ended: the status numbers that slaves report and owners receive.

A pure module. The number says what the payload beside it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "CANCELLED",
    "DIED",
    "ENDINGS",
    "FAILED",
    "FINISHED",
    "GRACE_S",
    "OUT_OF_MEMORY",
    "RETRIABLE",
    "STATUSES",
    "TIMED_OUT",
    "Ended",
]

FINISHED = 0
"""The payload is the pickled result."""
FAILED = 1
"""The task raised; the payload is a pickled failure (see ``failure.py``)."""
DIED = 2
"""The worker process died; the payload is the evidence of each attempt as UTF-8 text, separated by NUL."""
CANCELLED = 3
"""The task was cancelled; the payload is empty, or who wanted that as UTF-8 text, if not its owner."""
TIMED_OUT = 4
"""The task was ended, or never begun, because a limit of time had passed; the payload is an :class:`Ended`."""
OUT_OF_MEMORY = 5
"""The task was ended because it took more memory than it may; the payload is an :class:`Ended`."""
RETRIABLE = 6
"""The task raised what its terms want another try for; the payload is that of ``FAILED``. Slaves say so, and
the master makes ``FAILED`` of it when no tries are left."""

STATUSES: Final = frozenset({FINISHED, FAILED, DIED, CANCELLED, TIMED_OUT, OUT_OF_MEMORY, RETRIABLE})


ENDINGS: Final = frozenset({FINISHED, FAILED, TIMED_OUT, OUT_OF_MEMORY})
"""With these a task ends whatever has been before: it has run, and it runs no more."""


GRACE_S: Final = 0.5
"""So long a task whose time is over has to end by itself before it is killed, in seconds."""


class Ended(NamedTuple):
    """Why a task was ended from outside, in words that need no unpickling.

    :param reason: what limit it passed, with the figures.
    :param where: the slave, the worker and the time; nothing if it never got there.
    :param output: the end of what it printed.
    """

    reason: str
    where: str = ""
    output: str = ""

    def payload(self) -> bytes:
        """Return it as it travels: the parts as UTF-8 text, separated by NUL."""
        return "\0".join(part.replace("\0", "?") for part in self).encode("utf-8", "replace")

    @classmethod
    def read(cls, payload: bytes | memoryview) -> Ended:
        """Return what a payload says; what is missing is empty."""
        parts = bytes(payload).decode("utf-8", "replace").split("\0", 2)
        return cls(*parts)
