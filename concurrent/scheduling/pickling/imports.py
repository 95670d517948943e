"""What the code of a function imports, wherever in it, and which names it looks up."""

from __future__ import annotations

import dis
import weakref
from collections.abc import Iterator
from importlib.util import resolve_name
from types import CodeType
from typing import Any, Final, NamedTuple

__all__ = ["Imports", "imports_of"]

IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]


class Imports(NamedTuple):
    """What code imports.

    :param modules: each with the leading dots of a relative one. Those that are imported from one follow it,
        but so do functions and classes.
    :param names: all that the code looks up, in modules too.
    """

    modules: tuple[str, ...]
    names: frozenset[str]

    def absolute(self, package: str) -> set[str]:
        """Return the modules with the packages that they are in, as seen from a package; "" is none."""
        found: set[str] = set()
        for name in self.modules:
            try:
                whole = resolve_name(name, package)
            except ImportError:  # whoever calls the code is told
                continue
            steps = whole.split(".")
            found.update(".".join(steps[: count + 1]) for count in range(len(steps)))
        return found


_imports_by_code: Final[weakref.WeakKeyDictionary[CodeType, Imports]] = weakref.WeakKeyDictionary()


def imports_of(code: CodeType) -> Imports:
    """Return what code imports, and what is defined in it."""
    found = _imports_by_code.get(code)
    if found is None:
        inner = [imports_of(const) for const in code.co_consts if isinstance(const, CodeType)]
        own = tuple(_modules_in(code)) if IMPORT_NAME in code.co_code[::2] else ()
        modules = own + tuple(name for each in inner for name in each.modules)
        names = frozenset(code.co_names).union(*(each.names for each in inner))
        found = _imports_by_code[code] = Imports(modules, names)
    return found


def _modules_in(code: CodeType) -> Iterator[str]:
    # The two constants before an import: its level, and what it takes from the module.
    before: list[Any] = [0, None]
    for one in dis.get_instructions(code):
        if one.opcode == IMPORT_NAME:
            level, members = before
            base = "." * level + one.argval
            yield base
            inside = base if base.endswith(".") else f"{base}."
            yield from (inside + member for member in members or ())
        elif one.opcode != dis.EXTENDED_ARG:
            before = [before[1], one.argval]
