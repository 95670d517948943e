"""Interfaces: what components say that they can do, and whether they keep their word. A pure module.

Methods of an interface are written as implementations have them, with ``self``, or as they are called, without.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from concurrent.core.errors import InterfaceError

__all__ = [
    "IClosing",
    "Interface",
    "came_later",
    "check_contract",
    "implements",
    "interfaces_of",
    "is_older",
    "optional",
]

_IMPLEMENTS = "_implements"
_OPTIONAL = "_is_optional"
_CAME_LATER = "_came_later"

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


class Interface:
    """Base of interfaces: methods with a docstring and no code worth running."""


def optional(method: AnyFunction) -> AnyFunction:
    """Mark a method of an interface that implementations may leave out."""
    setattr(method, _OPTIONAL, True)
    return method


def came_later(*names: str) -> Callable[[AnyFunction], AnyFunction]:
    """Mark the last parameters of a method of an interface, which it did not always have.

    Implementations without them are as good; whoever calls the method asks :func:`is_older`.
    """

    def mark(method: AnyFunction) -> AnyFunction:
        setattr(method, _CAME_LATER, names)
        return method

    return mark


def is_older(cls: type, interface: type[Interface], name: str) -> bool:
    """Return whether a class has a method as it was before the parameters that came later."""
    wanted, found = getattr(interface, name), getattr(cls, name)
    later = getattr(wanted, _CAME_LATER, ())
    asked = _as_called(wanted)
    before = asked.replace(parameters=[one for one in asked.parameters.values() if one.name not in later])
    return (
        bool(later)
        and not set(later) & set(inspect.signature(found).parameters)
        and _accepts(found, before, is_given_self=_binds(cls, name))
    )


class IClosing(Interface):
    """A component that holds something: a file, a socket, a thread, a process."""

    def close(self) -> None:
        """Free it. Called once for each component that was made, in the main thread, when the node stops."""


def implements(*interfaces: type[Interface]) -> None:
    """Say, in the body of a component class, which interfaces the class implements besides inherited ones.

    :raises InterfaceError: if one of them is not an :class:`Interface`.
    """
    body = sys._getframe(1).f_locals
    if not interfaces:
        raise InterfaceError("implements() names no interface", remedy="Write implements(ISomething)")
    if "__module__" not in body:
        raise InterfaceError(
            "implements(...) was called outside of a class body",
            remedy="Write it as a line of its own below the docstring of the component class",
        )
    for interface in interfaces:
        if not (isinstance(interface, type) and issubclass(interface, Interface)):
            raise InterfaceError(
                f"implements({interface!r}) in {body['__qualname__']}: that is not an interface",
                thing=str(body["__qualname__"]),
                value=interface,
                remedy="Derive it from concurrent.core.Interface",
            )
    body[_IMPLEMENTS] = (*body.get(_IMPLEMENTS, ()), *interfaces)


def interfaces_of(cls: type) -> tuple[type[Interface], ...]:
    """Return the interfaces that a class implements, those of its base classes included."""
    found: dict[type[Interface], None] = {}
    for base in cls.__mro__:
        for interface in base.__dict__.get(_IMPLEMENTS, ()):
            for part in interface.__mro__:
                if issubclass(part, Interface) and part is not Interface:
                    found[part] = None
    return tuple(found)


def check_contract(cls: type) -> None:
    """Check that a class has the methods of its interfaces, and that they can be called in the same ways.

    :raises InterfaceError: if not.
    """
    for interface in interfaces_of(cls):
        for name, wanted in inspect.getmembers(interface, inspect.isfunction):
            if not name.startswith("_"):
                _check_method(cls, interface, name, wanted)


def _check_method(cls: type, interface: type[Interface], name: str, wanted: Callable[..., Any]) -> None:
    says = f"{cls.__name__} says it implements {interface.__name__}"
    asked = _as_called(wanted)
    found = getattr(cls, name, None)
    if found is None:
        if getattr(wanted, _OPTIONAL, False):
            return
        raise InterfaceError(
            f"{says}, but has no {_usage(name, asked)}", thing=cls.__name__, remedy="Write that method"
        )
    if inspect.iscoroutinefunction(found) and not inspect.iscoroutinefunction(wanted):
        raise InterfaceError(
            f"{says}, but its {name} is async, and {_usage(name, asked)} is not awaited",
            thing=cls.__name__,
            remedy="Define it with def",
        )
    fits = callable(found) and (
        _accepts(found, asked, is_given_self=_binds(cls, name)) or is_older(cls, interface, name)
    )
    if not fits:
        raise InterfaceError(
            f"{says}, but its {name} cannot be called as {_usage(name, asked)}",
            thing=cls.__name__,
            remedy="Give it the same parameters",
        )


def _as_called(method: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a method of an interface without its ``self``, if it has that."""
    signature = inspect.signature(method)
    parameters = list(signature.parameters.values())
    return signature.replace(
        parameters=parameters[1:] if "self" in list(signature.parameters)[:1] else parameters
    )


def _binds(cls: type, name: str) -> bool:
    """Return whether an attribute of a class is given the instance when it is called on one."""
    raw = inspect.getattr_static(cls, name)
    return hasattr(type(raw), "__get__") and not isinstance(raw, (staticmethod, classmethod))


def _usage(name: str, asked: inspect.Signature) -> str:
    """Return how an implementation writes a method, without annotations."""
    parameters = [one.replace(annotation=one.empty) for one in asked.parameters.values()]
    shown = str(asked.replace(parameters=parameters, return_annotation=asked.empty))[1:-1]
    return f"{name}({', '.join(('self', shown) if shown else ('self',))})"


def _accepts(found: Callable[..., Any], asked: inspect.Signature, *, is_given_self: bool) -> bool:
    """Return whether ``found`` can be called in each way that is asked for."""
    parameters = list(asked.parameters.values())
    first = [None] if is_given_self else []
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    keywords = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY}
    required = [p for p in positional if p.default is p.empty]
    required_keywords = {p.name: None for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty}
    try:
        signature = inspect.signature(found)
        signature.bind(*first, *positional, **keywords)
        signature.bind(*first, *required, **required_keywords)
    except TypeError:
        return False
    return True
