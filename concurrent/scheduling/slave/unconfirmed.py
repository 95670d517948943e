"""Outcomes that a slave has and its master may not: under way, or from while it was away. Loop thread only.

When a session is lost for good, what was under way is lost with it, and so is what a master had not kept that
has started again. The slave brings both when it joins once more, so that finished work is not done again.
Nothing is ever dropped: who has too much of it takes no more from the workers (``is_full``), and they wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from concurrent.scheduling.tasks.outcome import CANCELLED, ENDINGS, STATUSES
from concurrent.transport.frames.frames import Frame

__all__ = ["Outcomes", "Unconfirmed"]

KEPT_BYTES_MAX: Final = 64 << 20
"""With so much of it no more should be taken from the workers."""

OUTCOME_BYTES: Final = 200
"""What one costs besides its payload."""


class Outcomes(NamedTuple):
    """Outcomes in columns."""

    numbers: list[int]
    statuses: list[int]
    payloads: list[Any]


class Unconfirmed:
    """See the module. Messages are counted by whoever says that they have been sent."""

    def __init__(self) -> None:
        self._size_bytes = 0
        self._sent: deque[tuple[int, int, Outcomes]] = deque()
        self._unsent: list[Outcomes] = []

    @property
    def is_full(self) -> bool:
        """Whether so much is kept that no more should come."""
        return self._size_bytes >= KEPT_BYTES_MAX

    def sent(self, outcomes: Outcomes, message: int, *, with_large: bool) -> None:
        """Keep outcomes until a message is confirmed.

        :param message: the count of the message that has brought them.
        :param with_large: also keep large ones, which lie in memory that the workers need.
        """
        if with_large or Frame not in map(type, outcomes.payloads):
            size_bytes = _size_of(outcomes)
            self._sent.append((message, size_bytes, outcomes))
            self._size_bytes += size_bytes

    def confirm(self, message: int) -> None:
        """Drop what came with the messages up to this one."""
        sent = self._sent
        while sent and sent[0][0] <= message:
            self._size_bytes -= sent.popleft()[1]

    def keep(self, outcomes: Outcomes) -> None:
        """Keep outcomes for a master that is not there. It knows what it has cancelled."""
        kept = _only(outcomes, STATUSES - {CANCELLED})
        if kept.numbers:
            self._unsent.append(kept)
            self._size_bytes += _size_of(kept)

    def take(self) -> Sequence[Outcomes]:
        """Return all that is kept, and forget it.

        The death of a worker that the master may know already is left out, for it would be charged twice.
        """
        sent = (_only(outcomes, ENDINGS) for _, _, outcomes in self._sent)
        taken = [*(outcomes for outcomes in sent if outcomes.numbers), *self._unsent]
        self._sent.clear()
        self._unsent = []
        self._size_bytes = 0
        return taken


def _size_of(outcomes: Outcomes) -> int:
    return sum(map(len, outcomes.payloads)) + OUTCOME_BYTES * len(outcomes.payloads)


def _only(outcomes: Outcomes, statuses: frozenset[int]) -> Outcomes:
    """Return those outcomes that have one of these statuses."""
    if not set(outcomes.statuses).difference(statuses):
        return outcomes
    rows = [row for row in zip(*outcomes, strict=True) if row[1] in statuses]
    numbers, found, payloads = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
    return Outcomes(numbers, found, payloads)
