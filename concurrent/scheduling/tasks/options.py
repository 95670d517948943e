"""What the pusher of tasks asks for, besides what the tasks themselves do. A pure module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

from concurrent.scheduling.tasks.terms import DEFAULT_TERMS, Terms

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from concurrent.scheduling.tasks.retry import Retry

__all__ = ["NO_OPTIONS", "Asked", "Options", "TermOptions"]


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


LAID_MAX: Final = 1000
"""So many different terms are kept with the options over them."""


class Options:
    """Some of these, checked, to be laid over the terms of tasks.

    :raises SchedulingError: if a value is not possible.
    :raises TypeError: if there is no such option.
    """

    __slots__ = ("_laid", "given")

    def __init__(self, **given: Unpack[TermOptions]) -> None:
        unknown = sorted(given.keys() - TermOptions.__annotations__.keys())
        if unknown:
            known = ", ".join(TermOptions.__annotations__)
            raise TypeError(f"there is no option {unknown[0]!r} of tasks; there are {known}")
        asked: dict[str, Any] = dict(given)
        checked = replace(DEFAULT_TERMS, **asked)
        self.given: dict[str, Any] = {name: getattr(checked, name) for name in given}
        self._laid: dict[Terms, Terms] = {}

    def __bool__(self) -> bool:
        return bool(self.given)

    def __reduce__(self) -> tuple[Any, ...]:
        return _options, (self.given,)

    def merged(self, **given: Unpack[TermOptions]) -> Options:
        """Return these with others, which count more."""
        return Options(**{**self.given, **given}) if given else self

    def over(self, terms: Terms) -> Terms:
        """Return what a task asks for with these options: one object for equal terms, as far as possible."""
        if not self.given:
            return terms
        laid = self._laid.get(terms)
        if laid is None:
            if len(self._laid) >= LAID_MAX:
                self._laid.clear()
            laid = self._laid[terms] = replace(terms, **self.given)
        return laid


class Asked(NamedTuple):
    """A task system and what is asked for each of its tasks, as they travel if anything is."""

    system: Any
    options: Options


def _options(given: dict[str, Any]) -> Options:
    return Options(**given)


NO_OPTIONS: Final = Options()
"""Tasks have what they ask for themselves."""
