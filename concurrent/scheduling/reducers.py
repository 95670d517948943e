"""How values are pickled that pickle takes for what their name says, though the name leads elsewhere.

Pickle looks a bound method up on its object by the name of its function, and a function with a cache, a
NewType or a singleton in its module. The first is wrong for aliases, ``super().method`` and decorated methods;
the others do not exist on workers if they are the program's own.
"""

from __future__ import annotations

import copyreg
import functools
import typing
from collections.abc import Callable
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from concurrent.scheduling.codewatch import LRU_CACHE
from concurrent.scheduling.payload import PROTOCOL
from concurrent.scheduling.unpickling import make_cached, make_dispatcher, method_of

__all__ = ["LOOKED_UP", "METHODS", "name_in_pickles", "reduced_by_value", "reduced_method"]

METHODS: Final = frozenset({MethodType, BuiltinMethodType})

_TYPING: Final = ("NewType", "TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType")

LOOKED_UP: Final = frozenset(
    {LRU_CACHE, object, *(getattr(typing, name) for name in _TYPING if hasattr(typing, name))}
)
"""Types of values that have an identity, which a name in a module stands for."""


def reduced_method(method: Any) -> Any:
    """Return how a bound method is rebuilt, NotImplemented if pickle's own way finds the same one."""
    thing = method.__self__
    if thing is None or isinstance(thing, ModuleType):  # a function of a module
        return NotImplemented
    if getattr(thing, method.__name__, None) == method:
        return NotImplemented
    if type(method) is MethodType:
        return MethodType, (method.__func__, thing)
    for kind in type(thing).__mro__:  # a method of a builtin type
        if method.__name__ in vars(kind) and vars(kind)[method.__name__].__get__(thing) == method:
            return method_of, (kind, method.__name__, thing)
    return NotImplemented


def name_in_pickles(thing: Any) -> str | None:
    """Return the name that pickle would look up instead of pickling a value, None if it pickles it."""
    kind = type(thing)
    if kind is object or kind in copyreg.dispatch_table:
        return None
    if kind in LOOKED_UP:
        return getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    reduced = thing.__reduce_ex__(PROTOCOL)
    return reduced if isinstance(reduced, str) else None


def reduced_by_value(thing: Any) -> Any:
    """Return how a value is rebuilt that pickle would look up by its name."""
    kind = type(thing)
    make = _MAKERS.get(kind)
    if make is not None:
        return make(thing)
    if kind is object:
        return NotImplemented
    state = {**getattr(thing, "__dict__", {})}
    slots = {name: getattr(thing, name) for name in copyreg._slotnames(kind) if hasattr(thing, name)}  # type: ignore[attr-defined]
    return copyreg.__newobj__, (kind,), (state or None, slots) if slots else state or None  # type: ignore[attr-defined]


def reduced_dispatcher(function: FunctionType) -> Any:
    """Return how a function of ``functools.singledispatch`` is rebuilt, None if it is another one."""
    registry = getattr(function, "registry", None)
    if registry is None or not hasattr(function, "dispatch") or object not in registry:
        return None
    others = {kind: each for kind, each in registry.items() if kind is not object}
    return make_dispatcher, (registry[object], others)


def _reduced_cached(thing: Any) -> Any:
    parameters = thing.cache_parameters()
    return make_cached, (parameters["maxsize"], parameters["typed"], thing.__wrapped__)


def _reduced_new_type(thing: Any) -> Any:
    return typing.NewType, (thing.__name__, thing.__supertype__), {"__module__": thing.__module__}


def _reduced_cached_property(thing: Any) -> Any:
    state = {name: value for name, value in vars(thing).items() if name != "lock"}  # it cannot be pickled
    return functools.cached_property, (thing.func,), state


_MAKERS: Final[dict[Any, Callable[[Any], Any]]] = {
    LRU_CACHE: _reduced_cached,
    typing.NewType: _reduced_new_type,
    functools.cached_property: _reduced_cached_property,
}
for _name in ("ParamSpec", "TypeVarTuple"):
    if hasattr(typing, _name):
        _MAKERS[getattr(typing, _name)] = lambda thing: (type(thing), (thing.__name__,))
