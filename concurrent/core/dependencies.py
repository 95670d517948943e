"""Imports what the framework is built on, though the program may have a module of the same name.

Python looks into the folder of the program first, so a file ``web.py`` beside it would hide web.py from the
framework. In a block of :func:`installed_first` installed packages come first, and what the program has
itself is kept from it afterwards: ``import web`` in the program finds its own file, before and after.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Final

from concurrent.core.loggers import get_log

__all__ = ["installed_first", "is_installed", "make_importable"]

STANDARD_LIBRARY: Final = os.path.dirname(os.path.abspath(os.__file__))
INSTALLED: Final = frozenset({"site-packages", "dist-packages"})

NEEDED_BY_NAME: Final = frozenset({"cloudpickle", "zmq"})
"""What pickles refer to, or imports itself later: the program gets the installed one all the same."""

ANSWERS_MAX: Final = 1024
"""So many files are known to be installed, or not."""

log = get_log(__name__)

_hidden: Final[dict[str, ModuleType]] = {}
"""Modules of the framework whose names belong to the program; like ``sys.modules``, one for the process."""


def is_installed(path: str) -> bool:
    """Return whether a file or folder belongs to Python or to an installed package."""
    return _is_installed(path if os.path.isabs(path) else os.path.abspath(path))


@lru_cache(maxsize=ANSWERS_MAX)  # each block asks about the files of all modules that are there
def _is_installed(path: str) -> bool:
    path = os.path.normpath(path)
    if path == STANDARD_LIBRARY or path.startswith(STANDARD_LIBRARY + os.sep):
        return True
    is_zip = os.path.basename(path) == f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    return is_zip or not INSTALLED.isdisjoint(path.split(os.sep))


@contextlib.contextmanager
def installed_first(top: str) -> Iterator[None]:
    """Have imports in the block find installed packages before the program's own modules.

    :param top: the package that is imported.
    """
    path = list(sys.path)
    installed = [entry for entry in path if is_installed(entry)]
    # Where the package is installed what it needs is too; elsewhere it may be in a folder of the program.
    is_there = PathFinder.find_spec(top, installed) is not None
    own = {name for name in [*_hidden, *sys.modules] if "." not in name and _is_own(name, installed)}
    aside = _take_out(own)
    before = set(sys.modules)
    sys.modules.update(_hidden)
    sys.path[:] = installed if is_there else [*installed, *(entry for entry in path if entry not in installed)]
    try:
        yield
    finally:
        sys.path[:] = path
        new = {name.partition(".")[0] for name in set(sys.modules) - before}
        _hide(new)
        sys.modules.update({name: module for name, module in aside.items() if name not in sys.modules})


def make_importable(folder: str) -> None:
    """Have imports find what lies in a folder before installed packages, but behind the standard library."""
    if folder in sys.path:
        return
    places = [place for place, entry in enumerate(sys.path) if not INSTALLED.isdisjoint(entry.split(os.sep))]
    sys.path.insert(min(places, default=len(sys.path)), folder)
    with contextlib.suppress(OSError):  # nothing can be imported from it, then
        _hide({entry.partition(".")[0] for entry in os.listdir(folder)} & set(sys.modules))


def _hide(tops: set[str]) -> None:
    """Leave names to the program where it has modules of these names itself."""
    folders = [entry for entry in sys.path if not is_installed(entry)]
    has_itself = [name for name in tops if PathFinder.find_spec(name, folders) is not None]  # few, if any
    hiding = {name for name in has_itself if _is_hiding(name, sys.path)}
    _hidden.update(_take_out(hiding - NEEDED_BY_NAME))
    for name in hiding & NEEDED_BY_NAME:
        log.warning("a module of the program is named %s, as a package that Concurrent needs; rename it", name)


def _is_own(name: str, installed: list[str]) -> bool:
    """Return whether an imported module is the program's, and there is an installed one of that name."""
    file = getattr(sys.modules.get(name), "__file__", None)
    return file is not None and not is_installed(file) and PathFinder.find_spec(name, installed) is not None


def _is_hiding(top: str, path: list[str]) -> bool:
    """Return whether the program has another module of the name of one that was imported."""
    if top in sys.builtin_module_names:  # found before all files
        return False
    spec = PathFinder.find_spec(top, path)
    origin = None if spec is None or not spec.has_location else spec.origin
    file = getattr(sys.modules.get(top), "__file__", None)
    return origin is not None and origin != file and not is_installed(origin)


def _take_out(tops: Iterable[str]) -> dict[str, ModuleType]:
    """Return what is imported of some packages, and forget that it is."""
    names = [name for name in list(sys.modules) if name.partition(".")[0] in tops]
    return {name: sys.modules.pop(name) for name in names}
