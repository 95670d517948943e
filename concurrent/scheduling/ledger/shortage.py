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
    """See the module."""

    def __init__(self, alarms: Alarms, acceptance: Acceptance, budget: Budget) -> None:
        self._reasons = {False: "", True: ""}  # for the tasks of jobs that are kept, and for all others
        self._alarms = alarms
        self._acceptance = acceptance
        self._budget = budget
        self._is_looking = False

    @property
    def reason(self) -> str:
        """What is short, by name and figure; empty while nothing is."""
        return "; ".join(dict.fromkeys(reason for reason in self._reasons.values() if reason))

    def reason_for(self, owner: int) -> str:
        """Return why tasks of an owner are not accepted; empty if they are, or nobody has looked yet."""
        for is_kept, reason in self._reasons.items():
            if reason and owner in self._acceptance.owners(is_kept=is_kept):
                return reason
        return ""

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
        commands: list[Command] = []
        for is_kept, before in self._reasons.items():
            owners = sorted(self._acceptance.owners(is_kept=is_kept))
            reason = self._budget.what_is_short(is_kept=is_kept) if owners else ""
            is_news = bool(reason) != bool(before)
            self._reasons[is_kept] = reason
            if reason:
                self._alarms.set(Alarm.SHORTAGE, AGAIN_S)
            if reason or is_news:
                commands.append(TellHeld(owners if reason else [], reason, is_news))
        return commands
