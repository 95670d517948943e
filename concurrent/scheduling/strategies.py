"""Ratings for the generic scheduler: pure functions of what the master knows of one slave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.component import Component, implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy

if TYPE_CHECKING:
    from concurrent.scheduling.ledger import SlaveRecord

__all__ = ["GenericTaskScheduleStrategy"]


class GenericTaskScheduleStrategy(Component):
    """The next task goes where the fewest tasks wait per worker.

    A fast slave empties its workers sooner, so it is asked more often: speed need not be guessed.
    """

    implements(ITaskScheduleStrategy)

    def rate(self, slave: SlaveRecord) -> float:
        """Return minus the number of tasks held per worker."""
        return -len(slave.held) / max(slave.workers, 1)
