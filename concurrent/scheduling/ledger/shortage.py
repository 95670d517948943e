"""Why a master accepts no more tasks, and when the owners that wait are told. Pure; for the ledger."""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.ledger.acceptance import Acceptance
from concurrent.scheduling.ledger.alarms import Alarm, Alarms
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import Command, ProbeStore, TellHeld

__all__ = ["Shortage"]

FIRST_S: Final = 1.0
AGAIN_S: Final = 2.0
"""How soon a shortage is told to owners, and how often it is looked at again."""


class Shortage:
    """See the module. ``reason`` is what is short, by name and figure; empty while nothing is."""

    def __init__(self, alarms: Alarms, acceptance: Acceptance, budget: Budget) -> None:
        self.reason = ""
        self._alarms = alarms
        self._acceptance = acceptance
        self._budget = budget
        self._is_looking = False

    def note(self) -> None:
        """Something cannot be accepted now: look again before long, until everything can be."""
        if not self._is_looking:
            self._alarms.set(Alarm.SHORTAGE, FIRST_S)

    def look(self) -> list[Command]:
        """Find out first whether files can be written again, for which nothing happens by itself."""
        self._is_looking = True
        return [ProbeStore()]

    def store_changed(self) -> list[Command]:
        """Say what is short, now that it is known what the store has."""
        if not self._is_looking:
            return []
        self._is_looking = False
        reason = self._budget.what_is_short() if self._acceptance.batches else ""
        is_news = bool(reason) != bool(self.reason)
        self.reason = reason
        if reason:
            self._alarms.set(Alarm.SHORTAGE, AGAIN_S)
            return [TellHeld(sorted(self._acceptance.owners), reason, is_news)]
        return [TellHeld([], "", is_news)] if is_news else []
