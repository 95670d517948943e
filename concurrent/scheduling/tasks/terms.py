"""What a task asks for, in one object that goes with it from the push to the scheduler. A pure module.

A new term is one more field of :class:`Terms`: whatever lies between carries the object and not its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.tasks.claim import NO_CLAIM, Claim
from concurrent.scheduling.tasks.retry import Retry

__all__ = [
    "ATTEMPTS_MAX",
    "BINDING",
    "DEFAULT_TERMS",
    "KEPT_COUNT",
    "MOST_ATTEMPTS",
    "POINT_S",
    "Terms",
    "once",
    "terms_from",
    "terms_of",
    "terms_of_call",
    "terms_of_each",
    "terms_over",
]

ATTEMPTS_MAX: Final = 3

MOST_ATTEMPTS: Final = 1000
"""What a master allows at most."""

NAME_CHARS_MAX: Final = 200

LONGEST_S: Final = 10 * 365 * 86400.0
"""The longest limit of time, in seconds: ten years."""

BINDING: Final = ("timeout_s", "deadline_s", "retry", "resources")
"""What is asked of each task alone, and of nobody who would run it without keeping that."""

POINT_S: Final = 10.0
"""So many seconds of waiting are worth a point of priority."""

KEPT_COUNT: Final = 1000
"""So many terms are kept to be used again. Those of a program are few."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the tasks of one batch ask for.

    :param attempts_max: how many workers may die of a task before it is given up.
    :param name: what the task is: the name of its class or function.
    :param priority: those with the higher one go out first, among the tasks of one owner.
    :param timeout_s: how long a run of it may take, in seconds; None: as long as it takes.
    :param deadline_s: how long after its submission it may still be open, in seconds; None: for ever.
    :param retry: when it is tried again if it raises; None: never. A number is that of tries.
    :param resources: what it takes while it runs, a map or a :class:`Claim`; afterwards it is a claim.
    :raises SchedulingError: if a value is not possible.
    """

    attempts_max: int = ATTEMPTS_MAX
    name: str = ""
    priority: int = 0
    timeout_s: float | None = None
    deadline_s: float | None = None
    retry: Retry | None = None
    resources: Claim = NO_CLAIM

    def __post_init__(self) -> None:
        _check_whole("attempts_max", self.attempts_max, 1, MOST_ATTEMPTS, "Say how many workers may die of it")
        _check_whole("priority", self.priority, -100, 100, "Tasks with the higher one go out first")
        if not _is_name(self.name):
            raise SchedulingError(
                f"the name of a task must be printable text, but is {self.name!r:.100}",
                thing="name",
                value=self.name,
                remedy=f"Use at most {NAME_CHARS_MAX} characters, and no line ends",
            )
        _check_seconds("timeout_s", self.timeout_s)
        _check_seconds("deadline_s", self.deadline_s)
        if self.retry is not None and type(self.retry) is not Retry:
            object.__setattr__(self, "retry", Retry.of(self.retry))
        if type(self.resources) is not Claim:
            object.__setattr__(self, "resources", Claim.of(self.resources))

    def binding(self) -> list[str]:
        """Return the names of those that are asked for and bind whoever takes the task, see ``BINDING``."""
        return [name for name in BINDING if getattr(self, name)]

    def as_map(self) -> dict[str, Any]:
        """Return those that are not the default, by name: as terms travel."""
        asked = {name: value for name in NAMES if (value := getattr(self, name)) != DEFAULTS[name]}
        for name in asked.keys() & {"retry", "resources"}:
            asked[name] = asked[name].as_map()
        return asked


def terms_of(task: Any) -> Terms:
    """Return what a task asks for, as its attributes say; its name is that of its class.

    :raises SchedulingError: if it is no task, or asks for what is not possible.
    """
    try:
        asked = _asked(task)
        terms = _usual.get(asked)
        if terms is not None and terms.attempts_max is asked[0] and terms.priority is asked[2]:  # True is no 1
            return terms
        terms = _kept(*asked)
        if len(_usual) < KEPT_COUNT and not terms.binding():
            _usual[asked] = terms
        return terms
    except AttributeError:
        raise SchedulingError(
            f"a {type(task).__name__} cannot be pushed, only tasks can",
            thing=type(task).__name__,
            remedy="Derive a class from Task; functions are for the submit() of LocalCluster",
        ) from None
    except TypeError:  # mostly a map, which cannot be looked up
        try:
            return _kept(*[Claim.of(one) if type(one) is dict else one for one in _asked(task)])
        except (SchedulingError, TypeError):
            return _terms_named(task)
    except SchedulingError:
        return _terms_named(task)


def _terms_named(task: Any) -> Terms:
    """Return what a task asks for whose name may be none: each has one of its own, a property or a slot."""
    asked = dict(zip(NAMES, _asked(task), strict=True))
    if not _is_name(asked["name"]):
        asked["name"] = _shortened(type(task).__name__)
    asked["retry"] = Retry.of(asked["retry"])
    return terms_from(asked)


def terms_over(terms: Terms, given: Mapping[str, Any]) -> Terms:
    """Return terms with some values in the place of theirs, which were checked."""
    return _kept(*[given[name] if name in given else getattr(terms, name) for name in NAMES])


def terms_of_each(tasks: Sequence[Any]) -> list[Terms]:
    """Return what each of some tasks asks for, see :func:`terms_of`. What equals the first is not checked."""
    try:
        asked = list(map(_asked, tasks))
    except AttributeError:  # of one that is no task, as is said below
        asked = []
    if asked and asked.count(asked[0]) == len(asked):
        return [terms_of(tasks[0])] * len(asked)
    return list(map(terms_of, tasks))


def terms_of_call(function: Callable[..., Any]) -> Terms:
    """Return what a call of a function asks for, whose name is that of the function."""
    try:
        return _kept(ATTEMPTS_MAX, function.__name__)
    except (AttributeError, SchedulingError, TypeError):  # a partial, or another object that can be called
        function = getattr(function, "func", function)
        name = getattr(function, "__name__", None)
        return _kept(ATTEMPTS_MAX, _shortened(name if type(name) is str else type(function).__name__))


def terms_from(values: Mapping[str, Any]) -> Terms:
    """Return terms by their names. Other names are left out: a newer peer knows what they are.

    :raises SchedulingError: if a value is not possible.
    """
    name = values.get("name")
    if len(values) == 1 and type(name) is str:  # as it mostly is
        return _named(name)
    asked = dict(zip(NAMES, map(values.get, NAMES, DEFAULTS.values()), strict=True))
    asked["retry"] = Retry.read(asked["retry"])
    asked["resources"] = Claim.of(asked["resources"])
    try:
        return _kept(*asked.values())
    except TypeError:  # a value that cannot be looked up; to make the terms says which
        return Terms(**asked)


@lru_cache(maxsize=KEPT_COUNT)
def _named(name: str) -> Terms:
    """Return the terms of tasks that have a name and ask for nothing.

    :raises SchedulingError: if it is no name.
    """
    return _kept(*{**DEFAULTS, "name": name}.values())


@lru_cache(maxsize=KEPT_COUNT)
def once(terms: Terms) -> Terms:
    """Return the same terms with one attempt: for what is pushed again in pieces when a worker dies of it."""
    return replace(terms, attempts_max=1)


def _check_whole(name: str, value: Any, minimum: int, maximum: int, advice: str) -> None:
    if type(value) is not int or not minimum <= value <= maximum:
        raise SchedulingError(
            f"{name} must be a whole number from {minimum} to {maximum}, but is {value!r:.100}",
            thing=name,
            value=value,
            remedy=f"{advice}, the default is {DEFAULTS[name]}",
        )


def _check_seconds(name: str, value: Any) -> None:
    if value is None:
        return
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not (is_number and 0 < value <= LONGEST_S):
        raise SchedulingError(
            f"{name} must be a number of seconds above 0, at most ten years, but is {value!r:.100}",
            thing=name,
            value=value,
            remedy="Leave it out, or say None, for no limit",
        )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= NAME_CHARS_MAX and name.isprintable()


def _shortened(name: str) -> str:
    return "".join(filter(str.isprintable, name[:NAME_CHARS_MAX]))


DEFAULT_TERMS: Final = Terms()
DEFAULTS: Final = {field.name: field.default for field in fields(Terms)}
NAMES: Final = tuple(DEFAULTS)

_asked = attrgetter(*("__class__.name" if name == "name" else name for name in NAMES))
"""Returns what a task asks for, in the order of the fields: for each push, so without any code in Python."""

_usual: Final[dict[tuple[Any, ...], Terms]] = {}
"""Terms by what was asked, of tasks that ask for nothing that binds: found in half of the time."""

_kept = lru_cache(maxsize=KEPT_COUNT, typed=True)(Terms)
"""Makes terms, or returns those that were made before: so equal ones are told at a glance."""
