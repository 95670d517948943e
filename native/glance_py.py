"""Whether names, functions and closures still hold the very objects that they held; twin: _glance.pyx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from types import CellType, FunctionType
from typing import Any

__all__ = ["Glance"]


class Glance:
    """What was there when it was made, to be compared again and again. One thread.

    :param names: of each dictionary some of its keys, and a value to stand for a key that is not there.
    :param wholes: mappings of which every value counts.
    :param functions: whose code and defaults count.
    :param cells: of closures, whose contents count.
    """

    def __init__(
        self,
        names: Sequence[tuple[dict[str, Any], tuple[str, ...], Any]],
        wholes: Sequence[Mapping[str, Any]],
        functions: Sequence[FunctionType],
        cells: Sequence[CellType],
    ) -> None:
        self._names = [(space, keys, gone, _values(space, keys, gone)) for space, keys, gone in names]
        self._wholes = [(whole, tuple(whole.values())) for whole in wholes]
        self._functions = [(one, one.__code__, one.__defaults__, one.__kwdefaults__) for one in functions]
        self._cells = [(cell, _contents(cell)) for cell in cells]

    def is_same(self) -> bool:
        """Return whether everything still is the very same object; equal ones do not count."""
        for space, keys, gone, before in self._names:
            if not all(map(is_, _values(space, keys, gone), before)):
                return False
        for whole, before in self._wholes:
            if len(whole) != len(before) or not all(map(is_, whole.values(), before)):
                return False
        for one, code, defaults, keywords in self._functions:
            if (
                one.__code__ is not code
                or one.__defaults__ is not defaults
                or one.__kwdefaults__ is not keywords
            ):
                return False
        return all(_contents(cell) is contents for cell, contents in self._cells)


def _values(space: dict[str, Any], keys: tuple[str, ...], gone: Any) -> list[Any]:
    get = space.get
    return [get(key, gone) for key in keys]


def _contents(cell: CellType) -> Any:
    """Return what a cell holds; the cell itself if it is not filled."""
    try:
        return cell.cell_contents
    except ValueError:
        return cell
