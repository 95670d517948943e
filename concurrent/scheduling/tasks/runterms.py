"""What a slave has to know of what tasks ask for, while they wait and run there. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.claim import NO_CLAIM, Claim
from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, KEPT_COUNT, Terms

__all__ = ["MOST_WEIGHT", "USUAL", "RunTerms", "read_run_terms", "run_terms", "shown_task"]

MOST_WEIGHT: Final = 100
"""An application may have so many times the share of another one."""


@dataclass(frozen=True, slots=True)
class RunTerms:
    """What tasks that go to a slave together ask for there.

    :param timeout_s: how long a run may take, in seconds; None: as long as it takes.
    :param retry_on: names of exceptions; one of them is reported as ``RETRIABLE``.
    :param priority: those with the higher one begin first, among the tasks of one application.
    :param weight: how much of the slave their application shall have, compared with others.
    :param resources: what each takes while it runs.
    :param name: what they are, for people: the name of a class or function, or one that a user gave them.

    ``is_plain`` tells that they ask for nothing: they may have a name.
    """

    timeout_s: float | None = None
    retry_on: tuple[str, ...] = ()
    priority: int = 0
    weight: int = 1
    resources: Claim = NO_CLAIM
    name: str = ""
    is_plain: bool = field(init=False, repr=False, compare=False)
    _map: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        asked = {name: value for name in NAMES if (value := getattr(self, name)) != DEFAULTS[name]}
        if self.resources:
            asked["resources"] = self.resources.as_map()
        object.__setattr__(self, "is_plain", not asked.keys() - {"name"})
        object.__setattr__(self, "_map", asked)

    @property
    def is_binding(self) -> bool:
        """Whether a slave that does not know terms must not run the tasks. The others are wishes."""
        return bool(self.timeout_s or self.retry_on or self.resources)

    def as_map(self) -> dict[str, Any]:
        """Return those that are not the default, by name: as they travel. Nobody changes that."""
        return self._map


DEFAULTS: Final = {
    "timeout_s": None,
    "retry_on": (),
    "priority": 0,
    "weight": 1,
    "resources": NO_CLAIM,
    "name": "",
}
NAMES: Final = tuple(DEFAULTS)

USUAL: Final = RunTerms()
"""Those of tasks that ask for nothing and have no name."""

_kept = lru_cache(maxsize=KEPT_COUNT, typed=True)(RunTerms)
"""Makes terms, or returns those that were made before: so equal ones are told at a glance."""


@lru_cache(maxsize=KEPT_COUNT)
def run_terms(terms: Terms, weight: int = 1) -> RunTerms:
    """Return what a slave has to know of terms."""
    if terms is DEFAULT_TERMS and weight == 1:
        return USUAL
    retry_on = terms.retry.on if terms.retry is not None else ()
    made = _kept(terms.timeout_s, retry_on, terms.priority, weight, terms.resources, terms.name)
    return USUAL if made == USUAL else made


@lru_cache(maxsize=KEPT_COUNT)
def _named(name: str) -> RunTerms:
    """Return the terms of tasks that have a name and ask for nothing.

    :raises SchedulingError: if it is no name.
    """
    return run_terms(Terms(name=name))


def read_run_terms(values: Mapping[str, Any]) -> RunTerms:
    """Return terms as they came; names that are not known are left out.

    :raises SchedulingError: if a value is not possible.
    """
    if not values:
        return USUAL
    name = values.get("name", "")
    if len(values) == 1 and type(name) is str and name:  # as it mostly is
        return _named(name)
    retry_on, weight = values.get("retry_on", ()), values.get("weight", 1)
    if not isinstance(retry_on, (list, tuple)) or not all(isinstance(name, str) for name in retry_on):
        raise SchedulingError(
            f"retry_on must be names, but is {retry_on!r:.100}", thing="retry_on", value=retry_on
        )
    if type(weight) is not int or not 1 <= weight <= MOST_WEIGHT:
        raise SchedulingError(
            f"weight must be a whole number from 1 to {MOST_WEIGHT}, but is {weight!r:.100}",
            thing="weight",
            value=weight,
        )
    checked = Terms(
        timeout_s=values.get("timeout_s"),
        priority=values.get("priority", 0),
        resources=Claim.of(values.get("resources")),
        name=name,
    )
    return _kept(checked.timeout_s, tuple(retry_on), checked.priority, weight, checked.resources, checked.name)


def shown_task(number: int, terms: RunTerms) -> str:
    """Return what a log calls a task."""
    return f"task {number} ({terms.name})" if terms.name else f"task {number}"
