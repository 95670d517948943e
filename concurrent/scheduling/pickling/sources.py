"""The modules of a program that lie beside it: they travel as sources, and workers import them from those.

They are the Python files in the program's own folders, as far as functions and modules that travel import them,
also within functions. Code that imports by texts (``import_module``) may import what they begin with, and all
of its own package. What is installed does not belong to them, nor do compiled modules.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.machinery import PathFinder
from types import CodeType
from typing import Final, NamedTuple

from concurrent.core.dependencies import is_installed

__all__ = ["ModuleSource", "ModuleSources", "compiled", "folder_of_program", "import_root"]

FRAMEWORK: Final = "concurrent"
NEVER_OWN: Final = frozenset({FRAMEWORK, "__main__", *sys.builtin_module_names})
"""Whatever lies beside the program: modules that are built into Python are found before all files."""

BY_TEXT: Final = frozenset({"import_module", "__import__", "iter_modules", "walk_packages"})
"""What code names that imports modules by texts."""

BEGIN: Final = re.compile(r"[.\w]*")
"""What a text begins with that may be a name of a module."""

LEVELS_MAX: Final = 4
ENTRIES_MAX: Final = 1000
"""A folder without an ``__init__.py`` is a package if there is a Python file within so many levels, among so
many entries of each folder."""


class ModuleSource(NamedTuple):
    """A module as it travels; a package without a file of its own has no text.

    One of a project has none either, but the ``path`` of its file there.
    """

    name: str
    file: str
    is_package: bool
    text: bytes
    path: str = ""

    @property
    def package(self) -> str:
        """The package that the imports of the module are relative to; "" if it is in none."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


def compiled(source: ModuleSource) -> list[CodeType]:
    """Return the code of a module; nothing if it is none, for whoever imports it is told."""
    try:
        return [compile(source.text, source.file, "exec", dont_inherit=True)]
    except (SyntaxError, ValueError):
        return []


class ModuleSources:
    """Finds the sources of own modules. One thread.

    ``folders`` is where imports of the program's own modules begin, links followed.

    :param folders: the same, as they were named.
    :param on_code: called with code whose imports are looked at.
    """

    def __init__(
        self, folders: Sequence[str], on_code: Callable[[CodeType], object] = lambda _code: None
    ) -> None:
        self.folders: Final = [os.path.realpath(folder) for folder in folders]
        self._on_code = on_code
        self._file_by_name: dict[str, str | None] = {}

    def is_own(self, name: str) -> bool:
        """Return whether an imported module is one of the program's own files."""
        if name == "__main__" or name.partition(".")[0] == FRAMEWORK or not self.folders:
            return False
        known = self._file_by_name.get(name)
        if known is None:
            file = getattr(sys.modules.get(name), "__file__", None)
            known = self._file_by_name[name] = file if file is not None and self._is_inside(file) else ""
        return known != ""

    def travels(self, name: str) -> bool:
        """Return whether a module, imported or not, is one of the program's own files."""
        return self._path_of(name) is not None

    def needed(self, names: Iterable[str], known: Iterable[str]) -> list[ModuleSource]:
        """Return the sources of modules and of what they import.

        :param known: the names of modules that need not be looked at any more.
        """
        sources: dict[str, ModuleSource] = {}
        seen = set(known)
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name in seen:
                continue
            seen.add(name)
            source = self._source_of(name)
            if source is None:
                continue
            sources[name] = source
            ahead += [source.package, name.rpartition(".")[0]]
            for code in compiled(source):
                ahead += self.imported(code, source.package)
        return list(sources.values())

    def imported(self, code: CodeType, package: str) -> Iterator[str]:
        """Yield the names of own modules that code may import, wherever it does.

        :param package: the one that the code is in, for relative imports; "" if it is in none.
        """
        self._on_code(code)
        parents = [package] if package else []
        while parents and "." in parents[-1]:
            parents.append(parents[-1].rpartition(".")[0])
        found = list(_names_in(code))
        for names, members, _ in found:
            for base in (*parents, *names, *(f"{parent}.{name}" for parent in parents for name in names)):
                inside = [f"{base}.{member}" for member in members]
                yield from (name for name in (base, *inside) if self._path_of(name) is not None)
        if not all(BY_TEXT.isdisjoint(names) for names, _, _ in found):
            begins = {BEGIN.match(text)[0].strip(".") for _, _, texts in found for text in texts}  # type: ignore[index]
            for base in {package, *begins, *(f"{parent}.{one}" for parent in parents for one in begins)}:
                is_whole = self._path_of(base) is not None
                yield from self._all_in(base if is_whole else base.rpartition(".")[0])

    def _all_in(self, name: str) -> Iterator[str]:
        """Yield the name of a module, and of all that are in it, if it is an own one."""
        path = self._path_of(name)
        if path is None:
            return
        yield name
        folder = os.path.dirname(path) if os.path.basename(path) == "__init__.py" else path
        for each in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if not each.startswith("__"):
                yield from self._all_in(f"{name}.{each.removesuffix('.py')}")

    def _source_of(self, name: str) -> ModuleSource | None:
        path = self._path_of(name)
        if path is None:
            return None
        if os.path.isdir(path):
            return ModuleSource(name, path, is_package=True, text=b"")
        try:
            with open(path, "rb") as file:
                text = file.read()
        except OSError:  # whoever imports it is told
            return None
        return ModuleSource(name, path, os.path.basename(path) == "__init__.py", text)

    def _path_of(self, name: str) -> str | None:
        """Return the file of an own module, the folder of a package without one, or None."""
        root = name.partition(".")[0]
        if root in NEVER_OWN or not all(map(str.isidentifier, name.split("."))):
            return None
        if name in sys.modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None:
                return file if self._is_inside(file) else None
        parent, _, last = name.rpartition(".")
        places = getattr(sys.modules.get(parent), "__path__", None) if parent else None
        paths = [os.path.join(folder, *name.split(".")) for folder in self.folders]
        for path in paths if places is None else [os.path.join(place, last) for place in places]:
            if not any(path.startswith(os.path.join(folder, "")) for folder in self.folders):
                continue
            for file in (os.path.join(path, "__init__.py"), f"{path}.py"):
                if os.path.isfile(file):
                    return None if is_installed(file) else file
            if os.path.isdir(path):
                return path if _has_python(path) and not _is_found_elsewhere(name) else None
        return None

    def _is_inside(self, file: str) -> bool:
        path = os.path.realpath(file)
        inside = any(path.startswith(os.path.join(folder, "")) for folder in self.folders)
        return inside and path.endswith(".py") and not is_installed(path)


def import_root(path: str) -> str:
    """Return the folder from which imports of a file, or of a package folder, begin: above its package."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def folder_of_program() -> str:
    """Return where imports of the running program's own modules begin.

    That is the folder of its file, links followed as Python does, or the working folder where it has none, as a
    notebook, or is installed.
    """
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if file is None or is_installed(file) or not file.endswith(".py"):
        return os.getcwd()
    return import_root(os.path.realpath(file))


def _names_in(code: CodeType) -> Iterator[tuple[Iterable[str], list[str], list[str]]]:
    """Yield the names in code, the texts of its tuples and its texts, for it and for what is defined in it."""
    members = [text for const in code.co_consts if type(const) is tuple for text in const if type(text) is str]
    texts = [text for text in code.co_consts if type(text) is str]
    yield code.co_names, members, texts + members
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names_in(const)


def _has_python(folder: str, levels: int = LEVELS_MAX) -> bool:
    """Return whether there is a Python file in a folder that has no ``__init__.py``, or in one within it."""
    try:
        with os.scandir(folder) as scanned:
            entries = list(itertools.islice(scanned, ENTRIES_MAX))
    except OSError:  # it may not be read, so nobody can import from it
        return False
    if any(entry.name.endswith(".py") for entry in entries):
        return True
    inside = [entry.path for entry in entries if entry.name.isidentifier() and entry.is_dir()]
    return levels > 1 and any(_has_python(each, levels - 1) for each in inside)


def _is_found_elsewhere(name: str) -> bool:
    """Return whether an import finds a module or package that has a file, before a folder that has none."""
    spec = None if "." in name else PathFinder.find_spec(name)
    return spec is not None and spec.origin is not None
