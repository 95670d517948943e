"""When a task that raised is tried again. A pure module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from concurrent.core.errors import SchedulingError
from concurrent.core.nearest import nearest

__all__ = ["MOST_TRIES", "Retry", "exception_names"]

MOST_TRIES: Final = 1000
"""What a master allows at most."""

LONGEST_S: Final = 24 * 3600.0
"""Nobody waits longer than this for the next try, in seconds."""

NAMES_MAX: Final = 32

EXAMPLE: Final = "Write Retry(3, on=(OSError,), delay_s=1)"

NAME_CHARS_MAX: Final = 500

_bases_of, _module_of, _qualname_of = (
    vars(type)[name].__get__ for name in ("__mro__", "__module__", "__qualname__")
)
"""Read attributes of classes, also of those whose metaclass has code of its own for attributes."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A task that raises one of some exceptions is tried again, later each time.

    It is for what a task raises. How often workers may die of a task is ``attempts_max``, and a slave that is
    lost costs neither. A limit of time that was passed is a ``TaskTimeout``, and ``on`` may cover it.

    :param times: how many tries there are besides the first.
    :param on: the exceptions, or one of them: classes, or their names with modules as texts. Their subclasses
        count as well, as in an ``except`` clause: an exception group is none of those in it, and
        ``SystemExit`` and ``KeyboardInterrupt`` are no ``Exception``. A result that cannot be pickled has to be
        named, ``UnpicklableResult``, for it is no passing failure. Afterwards it has the names.
    :param delay_s: how long to wait for the second try, in seconds.
    :param backoff: by how much longer to wait for each one after that.
    :param jitter: by how much a delay may be longer or shorter, as a part of it from 0 to 1: so what failed
        together is not tried again together.
    :raises SchedulingError: if a value is not possible.
    """

    times: int
    on: Any = (Exception,)
    delay_s: float = 0.0
    backoff: float = 2.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if type(self.times) is not int or not 1 <= self.times <= MOST_TRIES:
            raise _refused(
                "times", self.times, f"a whole number from 1 to {MOST_TRIES}", "Leave retry out for none"
            )
        _check_number("delay_s", self.delay_s, 0.0, LONGEST_S)
        _check_number("backoff", self.backoff, 1.0, 1000.0)
        _check_number("jitter", self.jitter, 0.0, 1.0)
        object.__setattr__(self, "on", _names_of(self.on))

    def takes(self, names: Iterable[str]) -> bool:
        """Tell whether an exception is one of those that are tried again.

        :param names: those of its class and of what it derives from, see ``exception_names``.
        """
        return not set(self.on).isdisjoint(names)

    def delay_before(self, count: int, chance: float = 0.5) -> float:
        """Return how long to wait before a try, in seconds.

        :param count: which of them, 1 for the second try.
        :param chance: from 0 to 1, where within the jitter it is.
        """
        delay_s = min(LONGEST_S, self.delay_s * min(self.backoff ** min(count - 1, 100), LONGEST_S))
        return delay_s * (1 + self.jitter * (2 * chance - 1))

    def as_map(self) -> dict[str, Any]:
        """Return it as it travels."""
        return {
            field.name: list(self.on) if field.name == "on" else getattr(self, field.name)
            for field in fields(self)
        }

    @classmethod
    def of(cls, value: Any) -> Retry | None:
        """Return what a user wrote: a ``Retry``, a number of tries, a map, or nothing.

        :raises SchedulingError: if it is none of these, or the map has a key that there is not.
        """
        known = [field.name for field in fields(cls)]
        unknown = [key for key in value if key not in known] if isinstance(value, Mapping) else []
        if unknown:
            near = nearest(str(unknown[0]), known)
            meant = f"Did you mean {near}? " if near else ""
            raise SchedulingError(
                f"there is no {unknown[0]!r:.100} of a retry",
                thing="retry",
                value=unknown[0],
                remedy=f"{meant}There are {', '.join(known)}",
            )
        return cls.read(value)

    @classmethod
    def read(cls, value: Any) -> Retry | None:
        """Return what came: as :meth:`of`, but other keys of a map are left out, for a newer peer knows them.

        :raises SchedulingError: if it is none of these.
        """
        if value is None or isinstance(value, cls):
            return value
        if type(value) is int:
            return cls(value)
        if isinstance(value, Mapping):
            known = {field.name for field in fields(cls)}
            return cls(**{"times": None, **{name: one for name, one in value.items() if name in known}})
        raise SchedulingError(
            f"retry must be a Retry or a number of tries from 1, but is {value!r:.100}",
            thing="retry",
            value=value,
            remedy=EXAMPLE,
        )


def exception_names(kind: type[BaseException]) -> list[str]:
    """Return the names, with modules, of an exception and of the ones that it derives from.

    No code of the class runs for that, nor of its metaclass.
    """
    return [_name_of(one) for one in _bases_of(kind) if one is not object]


def _names_of(on: Any) -> tuple[str, ...]:
    given = (on,) if isinstance(on, (type, str)) else on
    if not isinstance(given, Sequence) or not 1 <= len(given) <= NAMES_MAX:
        raise _refused("on", on, f"1 to {NAMES_MAX} exception classes", "Write on=(OSError,)")
    names: dict[str, None] = {}
    for one in given:
        name = _name_of(one) if isinstance(one, type) and BaseException in _bases_of(one) else one
        if not (isinstance(name, str) and name.isprintable() and "." in name and len(name) <= NAME_CHARS_MAX):
            raise _refused(
                "on",
                name,
                f"an exception class, or the name of one with its module in {NAME_CHARS_MAX} characters",
                "Write on=(OSError,)",
            )
        names[name] = None
    return tuple(names)


def _name_of(kind: type) -> str:
    return f"{_module_of(kind)!s}.{_qualname_of(kind)!s}"


def _check_number(name: str, value: Any, least: float, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise _refused(name, value, f"a number from {least:g} to {most:g}", EXAMPLE)


def _refused(name: str, value: Any, wanted: str, remedy: str) -> SchedulingError:
    return SchedulingError(
        f"{name} of a retry must be {wanted}, but is {value!r:.100}",
        thing=f"retry.{name}",
        value=value,
        remedy=remedy,
    )
