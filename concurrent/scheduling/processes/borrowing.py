"""Lends packages to an interpreter that may not have them, see ``otherpython.py``; runs there."""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

__all__ = ["Borrowing", "borrow"]


class Borrowing(importlib.abc.MetaPathFinder):
    """Finds single packages in folders from which nothing else is imported; for ``sys.meta_path``.

    :param folder_by_name: where each package lies.
    """

    def __init__(self, folder_by_name: Mapping[str, str]) -> None:
        self._folder_by_name = dict(folder_by_name)

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Return how a package is imported that is lent; None if it is not."""
        folder = self._folder_by_name.get(name)
        return None if folder is None else PathFinder.find_spec(name, [folder], target)


def borrow(folder_by_name: Mapping[str, str]) -> None:
    """Have packages found that this interpreter does not have itself."""
    sys.meta_path.append(Borrowing(folder_by_name))
