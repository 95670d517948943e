"""Which distribution an installed module belongs to, and which version of one is installed.

It reads the names of the folders that installers leave beside packages (``numpy-2.1.0.dist-info``), and what is
in them only where a module has another name than its distribution. That takes a fraction of the time of
importing ``importlib.metadata``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["Distribution", "Distributions"]

ENDING: Final = re.compile(r"([^-]+)-([^-]+)(?:-.*)?\.(?:dist|egg)-info")
"""A name and a version; an egg says its Python behind them."""

SEPARATORS: Final = re.compile(r"[-_.]+")


class Distribution(NamedTuple):
    """One that is installed: its name and version as its folder says them, and where that is."""

    name: str
    version: str
    path: str


class Distributions:
    """Those that are installed, as they are when a folder is first looked at. One thread."""

    def __init__(self) -> None:
        self._found_by_folder: dict[str, dict[str, Distribution]] = {}

    def version_of(self, name: str, folders: Iterable[str]) -> str:
        """Return the version of a distribution in the first folder that has it; empty if none does."""
        found = self._named(name, folders)
        return "" if found is None else found.version

    def of_module(self, module: str, folder: str, folders: Iterable[str]) -> Distribution | None:
        """Return what an installed module belongs to; None if nobody says.

        :param module: its name, without a dot.
        :param folder: where it lies.
        :param folders: where the one of its own name may be, if that does not lie beside it, as where packages
            are installed to be edited.
        """
        beside = self._in(folder)
        named = beside.get(_normal(module))
        listed = (one for one in beside.values() if _has_module(one, module))
        return named or next(listed, None) or self._named(module, folders)

    def _named(self, name: str, folders: Iterable[str]) -> Distribution | None:
        wanted = _normal(name)
        return next((one for folder in folders if (one := self._in(folder).get(wanted)) is not None), None)

    def _in(self, folder: str) -> dict[str, Distribution]:
        """Return those whose packages lie in a folder, by their names; none if it cannot be read."""
        found = self._found_by_folder.get(folder)
        if found is None:
            found = self._found_by_folder[folder] = {}
            with contextlib.suppress(OSError):
                for match in filter(None, map(ENDING.fullmatch, os.listdir(folder or "."))):
                    found[_normal(match[1])] = Distribution(match[1], match[2], os.path.join(folder, match[0]))
        return found


def _normal(name: str) -> str:
    """Return a name as two that mean the same are alike."""
    return SEPARATORS.sub("-", name).lower()


def _has_module(one: Distribution, module: str) -> bool:
    """Return whether the files of a distribution say that a module is in it."""
    names = _read(os.path.join(one.path, "top_level.txt")).split()
    if names:
        return module.encode() in names
    record = b"\n" + _read(os.path.join(one.path, "RECORD"))
    name = module.encode()
    return b"\n" + name + b"/" in record or b"\n" + name + b"." in record


def _read(path: str) -> bytes:
    """Return what is in a file; nothing if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
