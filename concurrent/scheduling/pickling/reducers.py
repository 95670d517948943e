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

from concurrent.scheduling.pickling.codewatch import LRU_CACHE
from concurrent.scheduling.pickling.payload import PROTOCOL
from concurrent.scheduling.pickling.unpickling import make_cached, make_dispatcher, method_of

__all__ = ["DESCRIPTORS", "LOOKED_UP", "METHODS", "name_in_pickles", "reduced_by_value", "reduced_method"]

DESCRIPTORS: Final = frozenset({functools.cached_property, functools.singledispatchmethod})
"""Types of attributes of classes that hold what cannot be pickled, and need not travel."""

METHODS: Final = frozenset({MethodType, BuiltinMethodType})

_PARAMETERS: Final = ("TypeVar", "ParamSpec", "TypeVarTuple")
_OF_PARAMETERS: Final = ("bound", "covariant", "contravariant", "infer_variance", "default")

_TYPING: Final = (*_PARAMETERS, "NewType", "TypeAliasType")

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


def _reduced_parameter(thing: Any) -> Any:
    """Return how a TypeVar, ParamSpec or TypeVarTuple is rebuilt."""
    options = {name: getattr(thing, f"__{name}__") for name in _OF_PARAMETERS if hasattr(thing, f"__{name}__")}
    if options.get("infer_variance"):  # it may not be said twice
        options = {name: value for name, value in options.items() if "variant" not in name}
    kind: Callable[..., Any] = type(thing)
    make = functools.partial(kind, thing.__name__, *getattr(thing, "__constraints__", ()), **options)
    return make, (), (None, {"__module__": thing.__module__})  # set as an attribute, for it may have no dict


def _reduced_alias(thing: Any) -> Any:
    kind: Callable[..., Any] = type(thing)
    make = functools.partial(kind, thing.__name__, thing.__value__, type_params=thing.__type_params__)
    return make, ()


def _reduced_dispatching_method(thing: Any) -> Any:
    return functools.singledispatchmethod, (thing.func,), {"dispatcher": thing.dispatcher}  # without its cache


def _reduced_cached_property(thing: Any) -> Any:
    state = {name: value for name, value in vars(thing).items() if name != "lock"}  # it cannot be pickled
    return functools.cached_property, (thing.func,), state


_MAKERS: Final[dict[Any, Callable[[Any], Any]]] = {
    LRU_CACHE: _reduced_cached,
    typing.NewType: _reduced_new_type,
    functools.cached_property: _reduced_cached_property,
    functools.singledispatchmethod: _reduced_dispatching_method,
}
_MAKERS.update((getattr(typing, name), _reduced_parameter) for name in _PARAMETERS if hasattr(typing, name))
if hasattr(typing, "TypeAliasType"):
    _MAKERS[typing.TypeAliasType] = _reduced_alias
