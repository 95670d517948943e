"""Which component classes come with a module: what it has itself, and what its own modules have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from inspect import isfunction
from types import ModuleType
from typing import cast

from concurrent.core.component import Component, ComponentType
from concurrent.core.dependencies import is_installed
from concurrent.core.rules import OWN

__all__ = ["classes_in", "classes_with"]


def classes_in(module: ModuleType) -> list[type[Component]]:
    """Return the component classes that a module defines, or imports of its own package, in that order."""
    package = module.__name__ if hasattr(module, "__path__") else ""
    return [
        cls
        for cls in _components_of(module)
        if cls.__module__ == module.__name__ or (package and cls.__module__.startswith(f"{package}."))
    ]


def classes_with(module: ModuleType) -> list[type[Component]]:
    """Return the component classes that come with a module.

    They are those that it has, defined or imported there, and those of its own modules: the modules of its
    package, and those of the same package or folder from which it imports something. What others in the process
    have imported does not matter.
    """
    found: dict[type[Component], None] = {}
    seen = [module]
    for one in seen:  # it grows
        found.update(dict.fromkeys(_components_of(one)))
        for other in _named_in(one):
            if other not in seen and _belongs_to(other, module):
                seen.append(other)
    return list(found)


def _components_of(module: ModuleType) -> list[type[Component]]:
    values = [value for value in list(vars(module).values()) if isinstance(value, ComponentType)]
    return cast("list[type[Component]]", values)


def _named_in(module: ModuleType) -> Iterator[ModuleType]:
    """Yield the modules that a module has imported, or functions and classes of which it has."""
    for value in list(vars(module).values()):
        other = value
        if isfunction(value) or isinstance(value, type):
            other = sys.modules.get(value.__module__)
        if isinstance(other, ModuleType):
            yield other


def _belongs_to(other: ModuleType, module: ModuleType) -> bool:
    """Return whether a module is one of another's own: in it, or beside it and not of an installed package."""
    if f"{other.__name__}.".startswith(f"{module.__name__}."):
        return True
    if f"{other.__name__}.".startswith(OWN):
        return False
    if _top(other) == _top(module):
        return True
    home = _home(module)
    return home != "" and home == _home(other) and not is_installed(home)


def _top(module: ModuleType) -> str:
    """Return the first part of the name of a module; that of ``python -m NAME`` is known by its spec."""
    spec = getattr(module, "__spec__", None)
    return str(getattr(spec, "name", module.__name__)).partition(".")[0]


def _home(module: ModuleType) -> str:
    """Return the folder where the import of a module begins; empty if it has no file."""
    top = sys.modules.get(_top(module), module)
    file: str | None = getattr(top, "__file__", None)
    if file is None:
        return ""
    folder = os.path.dirname(os.path.realpath(file))
    return os.path.dirname(folder) if hasattr(top, "__path__") else folder
