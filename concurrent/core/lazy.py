"""Packages whose names are imported when they are first used, so that nobody loads what he does not need."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from concurrent.core.process.garbage import collecting_rarely

__all__ = ["lazy_names"]


def lazy_names(
    package: str, module_by_name: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and the ``__dir__`` of a package (PEP 562).

    :param package: its ``__name__``.
    :param module_by_name: in which of its modules each name is.
    """

    def get_attribute(name: str) -> Any:
        module = module_by_name.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with collecting_rarely():  # what is imported stays
            return getattr(import_module(f"{package}.{module}"), name)

    def names() -> list[str]:
        own = vars(sys.modules[package])
        shown = {name for name, thing in own.items() if name.startswith("__") or isinstance(thing, ModuleType)}
        return sorted({*shown, *module_by_name})

    return get_attribute, names
