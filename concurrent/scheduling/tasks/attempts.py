"""How many workers may die of a task before it is given up. A pure module."""

from __future__ import annotations

from typing import Any, Final

from concurrent.core.errors import SchedulingError

__all__ = ["ATTEMPTS_MAX", "MOST_ATTEMPTS", "attempts_max_of"]

ATTEMPTS_MAX: Final = 3
"""Where nothing else is said."""

MOST_ATTEMPTS: Final = 1000
"""What a master allows at most."""


def attempts_max_of(task: Any) -> int:
    """Return how many workers may die of a task.

    :raises SchedulingError: if it is none.
    """
    try:
        attempts_max: int = task.attempts_max
    except AttributeError:
        raise SchedulingError(
            f"a {type(task).__name__} cannot be pushed, only tasks can",
            thing=type(task).__name__,
            remedy="Derive a class from Task; functions are for the submit() of LocalCluster",
        ) from None
    if attempts_max is ATTEMPTS_MAX:  # as most say
        return attempts_max
    if type(attempts_max) is not int or not 1 <= attempts_max <= MOST_ATTEMPTS:
        raise SchedulingError(
            f"attempts_max must be a whole number from 1 to {MOST_ATTEMPTS}, but is {attempts_max!r:.100}",
            thing="attempts_max",
            value=attempts_max,
            remedy="Say how many workers may die of the task, the default is 3",
        )
    return attempts_max
