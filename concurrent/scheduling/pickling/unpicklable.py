"""Says what cannot be pickled: which argument, or name that code uses, and where in it. On slow paths only."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Final, NamedTuple

from concurrent.core.errors import UnpicklableValue
from concurrent.scheduling.pickling.belongings import belonging
from concurrent.scheduling.pickling.chunk import run_calls
from concurrent.scheduling.pickling.picklers import global_names

__all__ = ["unpicklable_code", "unpicklable_value"]

DEPTH_MAX: Final = 8
CHILDREN_MAX: Final = 1000
"""How far, and into how many parts of one value, it is looked."""
PARTS_BY_KIND: Final = {MethodType: ("__self__",), partial: ("func", "args", "keywords")}

REMEDY: Final = "Pass plain data; open files, locks and connections stay in their process."
DEPTH_REMEDY: Final = "Make it flatter, such as a list of its parts."
CODE_REMEDY: Final = "Make the value where it is used, or move the code to an installed module."

Check = Callable[[Any], "Exception | None"]
"""Pickles something; returns what that raises, None if it can be pickled."""

IsOwn = Callable[[Any], bool]


class _Culprit(NamedTuple):
    """What cannot be pickled.

    :param kind: of which type it is.
    :param reason: where in the value it is, and why.
    :param remedy: what to do instead, None if that depends on how the value came to be sent.
    """

    kind: str
    reason: str
    remedy: str | None


def unpicklable_value(value: Any, error: Exception, check: Check) -> UnpicklableValue:
    """Return the error for a value that was pushed, or returned, and cannot be pickled.

    :param error: what pickling it raised.
    :param check: pickles a part of it.
    """
    what, start = f"a value of type {type(value).__qualname__}", value
    for name, argument in _arguments(value):
        found = check(argument)
        if found is not None:
            what, start, error = name, argument, found
            break
    culprit = _culprit(start, error, check, set(), is_type_told=start is value)
    return UnpicklableValue(
        f"{what} cannot be pickled: {culprit.reason}",
        thing=what,
        value=culprit.kind,
        remedy=culprit.remedy or REMEDY,
    )


def unpicklable_code(
    name: str, thing: Any, error: Exception, is_own: IsOwn, check: Check, *, asked: set[int]
) -> UnpicklableValue:
    """Return the error for a function or class whose code cannot be sent, because it needs a value that cannot.

    :param name: what it is called, with its module.
    :param error: what pickling its code raised.
    :param is_own: tells whether the code of a function or class would travel with it.
    :param check: pickles a value that is no such code.
    :param asked: by ids the code that is looked at now: values may lead back to it.
    """
    needed = _first_unpicklable(thing, is_own, check, asked)
    if needed is not None:
        what, culprit = needed
        return UnpicklableValue(
            f"the code of {name} cannot be sent to workers: {what} cannot be pickled: {culprit.reason}",
            thing=name,
            value=culprit.kind,
            remedy=culprit.remedy or CODE_REMEDY,
        )
    return UnpicklableValue(
        f"the code of {name} cannot be sent to workers: {error}",
        thing=name,
        remedy=f"It needs a value, by a global name or as a default, that cannot be pickled. {CODE_REMEDY}",
    )


def _culprit(start: Any, error: Exception, check: Check, asked: set[int], *, is_type_told: bool) -> _Culprit:
    if _is_too_deep(error):
        return _Culprit(type(start).__qualname__, "it is nested too deeply", DEPTH_REMEDY)
    path, thing, error = _innermost(start, error, check)
    kind = type(thing).__qualname__
    inside = f"in it {path}, of type {kind}: " if path else ""
    known = belonging(thing)
    if known is not None:
        return _Culprit(kind, f"{inside}{known.reason}", known.remedy)
    if isinstance(error, UnpicklableValue):  # it has said so itself
        return _Culprit(kind, f"{inside}{error.message}", error.remedy)
    if isinstance(thing, FunctionType):
        needed = _first_unpicklable(thing, lambda one: _is_beside(one, thing), check, asked)
        if needed is not None:
            what, culprit = needed
            return culprit._replace(reason=f"{inside}{what} cannot be: {culprit.reason}")
    if not inside and not is_type_told:
        inside = f"it is a {kind}: "
    return _Culprit(kind, f"{inside}{error}", None)


def _is_too_deep(error: BaseException) -> bool:
    """Return whether recursion came to its limit; no part of the value is to blame then."""
    return isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError)


def _is_beside(one: Any, function: FunctionType) -> bool:
    """Return whether something is a function of the module of another one."""
    return isinstance(one, FunctionType) and one.__globals__ is function.__globals__


def _first_unpicklable(thing: Any, is_own: IsOwn, check: Check, asked: set[int]) -> tuple[str, _Culprit] | None:
    """Return what code needs that cannot be pickled, in words, and why; None if not found, or asked already."""
    if id(thing) in asked:
        return None
    asked.add(id(thing))
    try:
        for what, value in _needed(thing, is_own):
            found = check(value)
            if found is not None:
                return what, _culprit(value, found, check, asked, is_type_told=False)
    finally:
        asked.discard(id(thing))
    return None


def _needed(thing: Any, is_own: IsOwn) -> Iterator[tuple[str, Any]]:
    """Yield what code needs, and the own code that it uses, with words for what it is to it."""
    waiting, seen = [thing], {id(thing)}
    while waiting:
        for needed, value in _values_of(waiting.pop(0)):
            if id(value) in seen:
                continue
            seen.add(id(value))
            if (isinstance(value, (type, FunctionType)) or hasattr(value, "__wrapped__")) and is_own(value):
                waiting.append(value)
            else:
                yield needed, value


def _values_of(thing: Any) -> Iterator[tuple[str, Any]]:
    thing = getattr(thing, "__wrapped__", thing)
    name = getattr(thing, "__qualname__", type(thing).__qualname__)
    if isinstance(thing, type):
        for attribute, value in vars(thing).items():
            yield f"the attribute {attribute} of {name}", getattr(value, "__func__", value)
    elif isinstance(thing, FunctionType):
        used = global_names(thing.__code__)
        for one in sorted(used & thing.__globals__.keys()):
            yield f"{one}, a global name that {name} uses,", thing.__globals__[one]
        for one, cell in zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True):
            try:
                yield f"{one}, a name around {name},", cell.cell_contents
            except ValueError:  # it has no value yet
                continue
        for value in (*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values()):
            yield f"a default of {name}", value


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


def _innermost(value: Any, error: Exception, check: Check) -> tuple[str, Any, Exception]:
    """Return where the part is that cannot be pickled though all of its own parts can."""
    path = ""
    for _ in range(DEPTH_MAX):
        if belonging(value) is not None or isinstance(error, UnpicklableValue):
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
    else:
        for name, part in _attributes(value).items():
            yield f".{name}", part


def _attributes(value: Any) -> Mapping[str, Any]:
    """Return by name what is looked into of something that is no container; code is looked at otherwise."""
    if type(value) in PARTS_BY_KIND:
        return {name: getattr(value, name) for name in PARTS_BY_KIND[type(value)]}
    if isinstance(value, (type, FunctionType)):
        return {}
    return dict(getattr(value, "__dict__", {}))
