"""What the pusher of tasks asks for, besides what the tasks themselves do. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from concurrent.scheduling.tasks.claim import Claim
from concurrent.scheduling.tasks.terms import Terms, terms_over

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from concurrent.scheduling.tasks.retry import Retry

__all__ = ["NO_OPTIONS", "Asked", "Options", "TermOptions", "options_of"]


class TermOptions(TypedDict, total=False):
    """The keyword arguments by which tasks are asked for something; their names are those of :class:`Terms`.

    What is left out is as the task has it.
    """

    timeout_s: float | None
    deadline_s: float | None
    retry: Retry | int | None
    priority: int
    resources: Mapping[str, Any] | None
    name: str
    attempts_max: int


KEPT_COUNT: Final = 1000
"""So many options are kept to be used again, and so many different terms with options over them."""


class Options:
    """Some of these, checked, to be laid over the terms of tasks.

    :raises SchedulingError: if a value is not possible.
    :raises TypeError: if there is no such option.
    """

    __slots__ = ("_laid", "given")

    given: dict[str, Any]
    """The values by their names; if it is empty nothing need be laid over anything."""

    def __init__(self, **given: Unpack[TermOptions]) -> None:
        unknown = sorted(given.keys() - TermOptions.__annotations__.keys())
        if unknown:
            known = ", ".join(TermOptions.__annotations__)
            from concurrent.scheduling.tasks.meant import term_meant  # only who makes a mistake needs it

            near = term_meant(unknown[0])
            meant = f"did you mean {near}? " if near else ""
            raise TypeError(f"there is no option {unknown[0]!r} of tasks; {meant}there are {known}")
        asked: dict[str, Any] = dict(given)
        checked = Terms(**asked)
        self.given = {name: getattr(checked, name) for name in given}
        self._laid: dict[Terms, Terms] = {}

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.given)

    def __reduce__(self) -> tuple[Any, ...]:
        return options_of, (self.given,)

    def merged(self, **given: Unpack[TermOptions]) -> Options:
        """Return these with others, which count more."""
        return options_of({**self.given, **given}) if given else self

    def over(self, terms: Terms) -> Terms:
        """Return what a task asks for with these options: one object for equal terms, as far as possible."""
        if not self.given:
            return terms
        laid = self._laid.get(terms)
        if laid is None:
            if len(self._laid) >= KEPT_COUNT:
                self._laid.clear()
            laid = self._laid[terms] = terms_over(terms, self.given)
        return laid


class Asked(NamedTuple):
    """A task system and what is asked for each of its tasks, as they travel if anything is."""

    system: Any
    options: Options


_kept = lru_cache(maxsize=KEPT_COUNT, typed=True)(Options)
"""Makes options, or returns those that were made before: a program pushes many tasks with the same ones."""


def options_of(given: Mapping[str, Any]) -> Options:
    """Return options by their names.

    :raises SchedulingError: if a value is not possible.
    :raises TypeError: if there is no such option.
    """
    if not given:
        return NO_OPTIONS
    asked = dict(given)
    if "resources" in asked:
        asked["resources"] = Claim.of(asked["resources"])
    try:
        return _kept(**asked)
    except TypeError:  # a value that cannot be looked up, or an option that there is not; this says which
        return Options(**asked)


NO_OPTIONS: Final = Options()
"""Tasks have what they ask for themselves."""
