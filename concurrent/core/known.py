"""The component classes that one manager has: built in or registered, never found by chance."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from typing import Generic, TypeVar, cast

from concurrent.core.process.garbage import collecting_rarely

__all__ = ["KnownClasses"]

AnyClass = TypeVar("AnyClass", bound=type)


class KnownClasses(Generic[AnyClass]):
    """An ordered set of classes: those built in, then those added, in the order in which they were.

    :param built_in: names with modules, which are imported when a class is looked for that may be theirs.
    """

    def __init__(self, built_in: Iterable[str] = ()) -> None:
        self._built_in: dict[str, AnyClass | None] = dict.fromkeys(built_in)
        self._added: dict[AnyClass, None] = {}

    def add(self, cls: AnyClass) -> None:
        """Have a class here; nothing happens if it is here already."""
        if cls not in self:
            self._added[cls] = None

    def remove(self, cls: AnyClass) -> None:
        """Have a class here no more; nothing happens if it is not here."""
        if cls in self._added:
            del self._added[cls]
        elif cls in self:
            del self._built_in[_full_name(cls)]

    def __contains__(self, cls: AnyClass) -> bool:
        name = _full_name(cls)
        return cls in self._added or (name in self._built_in and self._imported(name) is cls)

    def __iter__(self) -> Iterator[AnyClass]:
        yield from [self._imported(name) for name in self._built_in]
        yield from list(self._added)

    def without(self, names: Collection[str]) -> Iterator[AnyClass]:
        """Yield all classes but the built-in ones of these names, none of which is imported.

        Of the others those come first whose modules are imported; the rest are when it is their turn.
        """
        own = [name for name in self._built_in if name not in names]
        for name in sorted(own, key=lambda name: name.rpartition(".")[0] not in sys.modules):
            yield self._imported(name)
        yield from list(self._added)

    def built_in_named(self, name: str) -> list[AnyClass]:
        """Return the built-in classes of a name, which has a module or has none; no other one is imported."""
        return [self._imported(full) for full in self._built_in if name in (full, full.rpartition(".")[2])]

    def added(self) -> list[AnyClass]:
        """Return the classes that were added."""
        return list(self._added)

    def _imported(self, name: str) -> AnyClass:
        cls = self._built_in[name]
        if cls is None:
            module, _, class_name = name.rpartition(".")
            with collecting_rarely():  # what is imported stays
                cls = self._built_in[name] = cast(AnyClass, getattr(import_module(module), class_name))
        return cls


def _full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
