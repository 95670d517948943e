"""Ratings for the generic scheduler: pure functions of what the master knows of one slave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent.core.component import Component
from concurrent.core.interface import implements
from concurrent.scheduling.interfaces import ITaskScheduleStrategy
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.records import SlaveRecord

__all__ = ["GenericTaskScheduleStrategy"]

SPREAD_S = 1e-6
"""What a task held per worker counts for between slaves that are alike otherwise."""


class GenericTaskScheduleStrategy(Component):
    """The next task goes where it would be done first.

    A slave reports how long its tasks took lately. With a free worker the next one takes as long; else it
    waits for its turn. Where that is the same, and as long as it is not known, it goes where the fewest
    tasks are held per worker.
    """

    implements(ITaskScheduleStrategy)

    def rate(self, slave: SlaveRecord, terms: Terms = DEFAULT_TERMS) -> float:
        """Return minus the seconds until the task would be done, whatever it asks for."""
        load = (len(slave.held) + 1) / slave.workers
        return -slave.task_s * (load if load > 1.0 else 1.0) - SPREAD_S * load
