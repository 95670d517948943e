"""Says what in a value cannot be pickled: which argument, and where inside it. On slow paths only."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import Any, Final

from concurrent.core.errors import UnpicklableValue
from concurrent.scheduling.pickling.chunk import run_calls

__all__ = ["unpicklable_value"]

DEPTH_MAX: Final = 8
CHILDREN_MAX: Final = 1000
"""How far, and into how many parts of one value, it is looked."""

REMEDY: Final = "Pass plain data; open files, locks and connections stay in their process."
FUTURE_REMEDY: Final = "Pass its result(), or submit in its add_done_callback()."


def unpicklable_value(
    value: Any, error: Exception, check: Callable[[Any], Exception | None]
) -> UnpicklableValue:
    """Return the error for a value that was pushed, or returned, and cannot be pickled.

    :param error: what pickling it raised.
    :param check: pickles a part of it; returns what that raises, None if it can be pickled.
    """
    what, start = f"a value of type {type(value).__qualname__}", value
    for name, argument in _arguments(value):
        found = check(argument)
        if found is not None:
            what, start, error = name, argument, found
            break
    path, culprit, error = _innermost(start, error, check)
    kind = type(culprit).__qualname__
    is_future = isinstance(culprit, Future) or hasattr(type(culprit), "_asyncio_future_blocking")
    inside = f" in it {path}, of type {kind}:" if path else f" it is a {kind}:" if start is not value else ""
    reason = "it is a future, which belongs to this process" if is_future else str(error)
    return UnpicklableValue(
        f"{what} cannot be pickled:{inside} {reason}",
        thing=what,
        value=kind,
        remedy=FUTURE_REMEDY if is_future else REMEDY,
    )


def _arguments(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the arguments of a call, and its function, if that is what was pushed."""
    if type(value) is not tuple or len(value) != 3 or not callable(value[0]) or type(value[2]) is not dict:
        return
    function, arguments, keywords = value
    if function is run_calls:
        function, calls, keywords = arguments
        for call in calls:
            yield from _named(function, call, {})
        arguments = ()
    yield f"the function {_name(function)}", function
    yield from _named(function, arguments, keywords)


def _named(function: Any, arguments: Any, keywords: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for place, argument in enumerate(arguments, 1):
        yield f"argument {place} of {_name(function)}", argument
    for name, argument in keywords.items():
        yield f"argument {name}= of {_name(function)}", argument


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _innermost(
    value: Any, error: Exception, check: Callable[[Any], Exception | None]
) -> tuple[str, Any, Exception]:
    """Return where the part is that cannot be pickled though all of its own parts can."""
    path = ""
    for _ in range(DEPTH_MAX):
        if isinstance(value, Future):
            break
        for count, (step, part) in enumerate(_parts(value)):
            found = check(part) if count < CHILDREN_MAX else None
            if found is not None:
                path, value, error = path + step, part, found
                break
        else:
            break
    return path, value, error


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind is dict:
        for key, part in value.items():
            yield f"[{reprlib.repr(key)}]", part
    elif kind in (list, tuple):
        for place, part in enumerate(value):
            yield f"[{place}]", part
    elif kind in (set, frozenset):
        for part in value:
            yield "{...}", part
    elif not isinstance(value, type) and not callable(value):
        for name, part in getattr(value, "__dict__", {}).items():
            yield f".{name}", part
