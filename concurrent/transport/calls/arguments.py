"""What a peer may send as the arguments of a method, as its annotations say. Pure.

==================================  ========================================================
annotation                          what fits
==================================  ========================================================
``int``, ``str``, ``bool`` ...      a value of just that type: a bool is no int
``float``                           an int too: many encoders write 1.0 as 1
``list[int]``, ``list[A | B]``      a list of such items
``A | B``, ``A | None``             any of these, if all are plain types, bytes or Frame
anything else                       anything: the method checks it itself
==================================  ========================================================

A single ``bytes`` is not checked, for what is large comes as a Frame: say ``bytes | Frame``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from concurrent.transport.frames.frames import Frame

__all__ = ["Check", "checks_of"]

PLAIN_TYPES: Final = (str, int, float, bool, list, dict)
PART_TYPES: Final = (*PLAIN_TYPES, bytes, Frame, NoneType)
"""What a union may be of."""


class Check(NamedTuple):
    """What fits one parameter.

    :param types: the types of values that fit.
    :param item_types: the types of what may be in a list; None for any.
    :param name: what errors say of it.
    """

    types: frozenset[type]
    item_types: frozenset[type] | None
    name: str

    def complaint(self, value: object) -> str | None:
        """Return why a value does not fit, None if it does."""
        if type(value) not in self.types:
            return f"must be {self.name}, but is {type(value).__name__}"
        if self.item_types is not None and isinstance(value, list):
            wrong = {type(item).__name__ for item in value if type(item) not in self.item_types}
            if wrong:
                return f"must be {self.name}, but has {', '.join(sorted(wrong))}"
        return None


def checks_of(function: Callable[..., Any], signature: inspect.Signature) -> dict[str, Check]:
    """Return what fits the parameters of a function that can be checked, by their names."""
    names = getattr(inspect.unwrap(function), "__globals__", {})
    found: dict[str, Check] = {}
    for name, parameter in signature.parameters.items():
        is_single = parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        check = _check_of(_hint_of(parameter, names)) if is_single else None
        if check is not None:
            found[name] = check
    return found


def _hint_of(parameter: inspect.Parameter, names: dict[str, Any]) -> Any:
    """Return what a parameter is annotated with, None if that cannot be told.

    Each is read by itself: what a method returns is often known to type checkers only.

    :param names: those that annotations may use.
    """
    if parameter.annotation is parameter.empty:
        return None
    annotated = SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    try:
        return get_type_hints(annotated, names)[parameter.name]
    except Exception:  # boundary: annotations are code of others; what they cannot tell is not checked
        return None


def _check_of(hint: Any) -> Check | None:
    plain = get_origin(hint) or hint
    if plain is list and (args := get_args(hint)) and (items := _types_of(args[0], PART_TYPES)):
        return Check(frozenset({list}), _widened(items), f"a list of {_named(items)}")
    allowed = PART_TYPES if plain in (Union, UnionType) else PLAIN_TYPES
    types = _types_of(hint, allowed)
    return Check(_widened(types), None, _named(types)) if types else None


def _types_of(hint: Any, allowed: tuple[type, ...]) -> tuple[type, ...]:
    """Return the types that a hint stands for; none if it says something else too."""
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    types = tuple(get_origin(part) or part for part in parts)
    return types if all(one in allowed for one in types) else ()


def _widened(types: tuple[type, ...]) -> frozenset[type]:
    return frozenset(types) | ({int} if float in types else frozenset())


def _named(types: tuple[type, ...]) -> str:
    return " or ".join("None" if one is NoneType else one.__name__ for one in types)
