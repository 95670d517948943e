"""Which modules code cannot do without: none that it expects not to find, nor those for type checkers. Pure.

It is read from the code itself, for cells of a notebook and functions that were made have no file.
"""

from __future__ import annotations

import dis
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from operator import attrgetter
from types import CodeType
from typing import Any, Final

__all__ = ["modules_needed", "modules_spared"]

ABSENCE: Final = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
"""What code catches that can do without a module."""

FOR_CHECKERS: Final = "TYPE_CHECKING"
BY_TEXT: Final = frozenset({"import_module", "__import__"})
BETWEEN: Final = frozenset({"PUSH_NULL", "PRECALL", "EXTENDED_ARG", "CACHE", "TO_BOOL", "NOT_TAKEN"})
"""What stands between a name and what is done with it, in some versions of Python."""

IMPORT_NAME: Final = dis.opmap["IMPORT_NAME"]
MATCHES: Final = ("CHECK_EXC_MATCH", "JUMP_IF_NOT_EXC_MATCH")
BEFORE: Final = "SETUP_FINALLY"
"""How Python 3.10 says where a handler is; later versions have a table."""


def modules_needed(code: CodeType) -> list[str]:
    """Return the modules that code, or what is defined in it, imports and cannot do without; relative ones not.

    That it imports by a text is seen where the text stands in the call.
    """
    return list(dict.fromkeys(name for name, is_spared in _imports(code) if not is_spared))


def modules_spared(code: CodeType) -> set[str]:
    """Return the modules, by names without a dot, that code imports and can do without wherever it does."""
    needed: set[str] = set()
    spared: set[str] = set()
    for name, is_spared in _imports(code):
        (spared if is_spared else needed).add(name.partition(".")[0])
    return spared - needed


def _imports(code: CodeType) -> Iterator[tuple[str, bool]]:
    """Yield each module that code imports, and whether it can do without."""
    if IMPORT_NAME in code.co_code[::2] or not BY_TEXT.isdisjoint(code.co_names):
        instructions = [one for one in dis.get_instructions(code) if one.opname not in BETWEEN]
        spared = list(_spared_ranges(code, instructions))
        for place, one in enumerate(instructions):
            name = _imported(instructions, place)
            if name:
                yield name, any(start <= one.offset < end for start, end in spared)
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _imports(const)


def _imported(instructions: list[dis.Instruction], place: int) -> str:
    """Return which module an instruction imports; empty if none, or a relative one."""
    one = instructions[place]
    if one.opcode == IMPORT_NAME:
        level = instructions[place - 2].argval
        return str(one.argval) if level == 0 else ""
    if not (_is_name(one) and one.argval in BY_TEXT) or place + 1 == len(instructions):
        return ""
    following = instructions[place + 1]
    text = following.argval if following.opname == "LOAD_CONST" else None
    return text if type(text) is str and not text.startswith(".") else ""


def _is_name(one: dis.Instruction) -> bool:
    """Return whether an instruction looks up a name."""
    return one.opname.startswith("LOAD_") and one.opname != "LOAD_CONST" and type(one.argval) is str


def _spared_ranges(code: CodeType, instructions: list[dis.Instruction]) -> Iterator[tuple[int, int]]:
    """Yield from where to where code can do without what it imports."""
    if not ABSENCE.isdisjoint(code.co_names):
        for start, end, handler in _protected(code, instructions):
            if _catches_absence(instructions, handler):
                yield start, end
    if FOR_CHECKERS in code.co_names:
        for one, following in pairwise(instructions):
            if _is_name(one) and one.argval == FOR_CHECKERS and "IF_FALSE" in following.opname:
                yield one.offset, following.argval


def _protected(code: CodeType, instructions: list[dis.Instruction]) -> Iterator[tuple[int, int, int]]:
    """Yield from where to where code is protected, and where its handler begins."""
    for one in instructions:
        if one.opname == BEFORE:
            yield one.offset, one.argval, one.argval
    table: Any = getattr(dis.Bytecode(code), "exception_entries", ())
    for entry in table:
        yield entry.start, entry.end, entry.target


def _catches_absence(instructions: list[dis.Instruction], handler: int) -> bool:
    """Return whether a handler catches that there is no such module, in one of its clauses."""
    caught: set[str] = set()
    for one in instructions[bisect_left(instructions, handler, key=attrgetter("offset")) :]:
        if one.opname == "RERAISE" or one.opname.startswith("WITH_EXCEPT"):
            break
        if _is_name(one):
            caught.add(one.argval)
        elif one.opname in MATCHES and not ABSENCE.isdisjoint(caught):
            return True
    return False
