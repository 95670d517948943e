"""Outcomes that a slave has and its master may not: under way, or from while it was away. Loop thread only.

When a session is lost for good, what was under way is lost with it. The master gives the tasks to others, but
takes the outcomes all the same, so that finished work is not done again, when the slave joins it once more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from concurrent.scheduling.tasks.outcome import FAILED, FINISHED
from concurrent.transport.frames.frames import Frame

__all__ = ["Outcomes", "Unconfirmed"]

KEPT_BYTES_MAX: Final = 32 << 20
"""More than this is not kept: the oldest are dropped."""

OUTCOME_BYTES: Final = 200
"""What one costs besides its payload."""


class Outcomes(NamedTuple):
    """Outcomes in columns."""

    numbers: list[int]
    statuses: list[int]
    payloads: list[Any]


class Unconfirmed:
    """See the module."""

    def __init__(self) -> None:
        self._size_bytes = 0
        self._kept: deque[tuple[int, int, Outcomes]] = deque()

    def sent(self, outcomes: Outcomes, message: int) -> None:
        """Keep outcomes until the master has acknowledged a message, which :meth:`confirm` is told.

        Large ones are not, for they lie in memory that the workers need.

        :param message: the number of the message in its session.
        """
        size_bytes = 0
        for payload in outcomes.payloads:
            if type(payload) is Frame:
                return
            size_bytes += len(payload) + OUTCOME_BYTES
        self._kept.append((message, size_bytes, outcomes))
        self._size_bytes += size_bytes
        if self._size_bytes > KEPT_BYTES_MAX:
            self._drop_oldest()

    def confirm(self, message: int) -> None:
        """Drop what the master has got: all up to a message of the session."""
        kept = self._kept
        while kept and kept[0][0] <= message:
            self._size_bytes -= kept.popleft()[1]

    def keep(self, outcomes: Outcomes) -> None:
        """Keep final outcomes for a master that is not there; of deaths it makes up its own mind."""
        rows = [row for row in zip(*outcomes, strict=True) if row[1] in (FINISHED, FAILED)]
        if rows:
            numbers, statuses, payloads = map(list, zip(*rows, strict=True))
            size_bytes = sum(map(len, payloads)) + OUTCOME_BYTES * len(payloads)
            self._kept.append((1 << 62, size_bytes, Outcomes(numbers, statuses, payloads)))
            self._size_bytes += size_bytes
            self._drop_oldest()

    def take(self) -> Sequence[Outcomes]:
        """Return all that is kept, and forget it."""
        kept, self._kept = self._kept, deque()
        self._size_bytes = 0
        return [outcomes for _, _, outcomes in kept]

    def _drop_oldest(self) -> None:
        while self._size_bytes > KEPT_BYTES_MAX:
            self._size_bytes -= self._kept.popleft()[1]
