"""Asks a strategy for its ratings, and bears with one that fails. A pure module."""

from __future__ import annotations

import math
from typing import Any, Final

from concurrent.core.component import ComponentManager
from concurrent.core.interface import is_older
from concurrent.scheduling.interfaces import ITaskScheduleStrategy
from concurrent.scheduling.ledger.records import SlaveRecord
from concurrent.scheduling.schedulers.defaults import FAILURES_MAX, default_part
from concurrent.scheduling.schedulers.strategies import GenericTaskScheduleStrategy
from concurrent.scheduling.tasks.terms import Terms

__all__ = ["Rating"]

OWN: Final[tuple[type, ...]] = (GenericTaskScheduleStrategy,)

LAST: Final = -math.inf
"""The rating of a slave that could not be rated."""


class Rating:
    """How good it would be to give the next task to a slave, whatever the strategy does.

    ``rate`` never raises and never returns NaN. A slave whose rating fails comes last for now; when ratings
    fail again and again, the framework's own strategy takes over.

    ``is_load_weighed`` says whether a rating contains what a slave holds, ``sees_terms`` whether it depends on
    what a task asks for.

    :param strategy: the configured one; the framework's own is asked without any checks.
    :param manager: knows its name, and where its failures are noted.
    """

    def __init__(self, strategy: ITaskScheduleStrategy, manager: ComponentManager) -> None:
        self._strategy = strategy
        self._failures_in_row = 0
        self.rate = strategy.rate
        self.is_load_weighed = True
        self.sees_terms = False
        if type(strategy) not in OWN:
            self.sees_terms = not is_older(type(strategy), ITaskScheduleStrategy, "rate")
            self._name = manager.name_of(type(strategy))
            self._troubles = manager.troubles
            self.rate = self._checked
            self.is_load_weighed = self._weighs_load()

    def _checked(self, slave: SlaveRecord, terms: Terms) -> float:
        rate: Any = self._strategy.rate
        try:
            rating = rate(slave, terms) if self.sees_terms else rate(slave)
            number = math.nan if isinstance(rating, (str, bytes)) else float(rating)
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            return self._failed(slave, terms, error)
        if not math.isfinite(number):
            return self._failed(slave, terms, f"returned {_shown(rating)}, which is no finite number")
        self._failures_in_row = 0
        return number

    def _failed(self, slave: SlaveRecord, terms: Terms, problem: str | BaseException) -> float:
        """Rate in the place of the strategy; for good if it fails in a row."""
        self._failures_in_row += 1
        if self._failures_in_row < FAILURES_MAX:
            self._note("rate", problem, "the slave comes last for now")
            return LAST
        own = default_part(GenericTaskScheduleStrategy)
        self.rate = own.rate
        action = f"{type(own).__name__} takes over, for it failed {FAILURES_MAX} times in a row"
        self._note("rate", problem, action)
        return own.rate(slave, terms)

    def _weighs_load(self) -> bool:
        """Ask whether ratings contain what slaves hold; a strategy need not say so."""
        try:
            weighs_load = getattr(self._strategy, "weighs_load", None)
            return weighs_load is not None and bool(weighs_load())
        except BaseException as error:  # boundary: a plug-in; no signal arrives in the loop's thread
            self._note("weighs_load", error, "idle workers come first")
            return False

    def _note(self, rule: str, problem: str | BaseException, action: str) -> None:
        self._troubles.note(self._name, rule, problem, action=action, kind="value")


def _shown(value: object) -> str:
    """Return what a plug-in returned, as text."""
    try:
        return f"{value!r:.100}"
    except Exception:  # boundary: a value of foreign code may have no text
        return f"a {type(value).__name__}"
