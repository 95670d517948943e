"""How many tasks ended in which way. A pure module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED

__all__ = ["ONE_FINISHED", "OutcomeCounts"]

ONE_FINISHED: Final = [FINISHED]
"""How one task has ended that has a result; nobody changes it."""


@dataclass(slots=True)
class OutcomeCounts:
    """How many tasks ended in which way.

    ``finished`` have a result; ``failed`` an error, that of a worker which died included.
    """

    finished: int = 0
    failed: int = 0
    cancelled: int = 0

    def add(self, statuses: list[int]) -> None:
        """Count outcomes, see ``outcome.py``."""
        if statuses == ONE_FINISHED:  # what comes most often while little is to do
            self.finished += 1
            return
        finished = statuses.count(FINISHED)
        self.finished += finished
        if finished != len(statuses):
            cancelled = statuses.count(CANCELLED)
            self.cancelled += cancelled
            self.failed += len(statuses) - finished - cancelled

    def add_all(self, others: OutcomeCounts) -> None:
        """Count what others have counted."""
        self.finished += others.finished
        self.failed += others.failed
        self.cancelled += others.cancelled
