"""The application's own modules at a worker, where they stand for those of the program.

Each has the names that tasks need, and is in ``sys.modules`` while tasks of the application run. Functions see
one another's globals as in the program, and what a task pickles by name is found.

A program may change a global name, a class or a function after tasks that use it were pushed. Each such change
begins a *version* of its code, and each task runs in the version that it was pushed in, whatever the order. A
value that tasks set themselves stays until the program changes that name.
"""

from __future__ import annotations

import bisect
import builtins
import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from importlib.machinery import ModuleSpec
from types import CellType, FunctionType, ModuleType
from typing import Any, Final

from concurrent.scheduling.pickling.sourcefinder import SourceFinder
from concurrent.scheduling.pickling.sources import ModuleSource
from concurrent.scheduling.pickling.unpickling import GONE, About

__all__ = ["Spaces"]

CELL: Final = "cell "
"""With a number behind it: a variable of the closure of a function, among its attributes."""


class Spaces:
    """See the module. One thread."""

    def __init__(self) -> None:
        self.version = 0
        self._module_by_name: dict[str, ModuleType] = {}
        self._aside: dict[str, ModuleType | None] | None = None  # what they stand before; None: not entered
        self._values_by_key: dict[tuple[int, str], _Values] = {}
        self._touched_by_version: dict[int, list[_Values]] = {}
        self._sources = SourceFinder(self._module_by_name)
        self._modules_by_folder: dict[str, dict[str, ModuleType]] = {}
        self.here: Callable[[str], str] = str
        """Returns where a file of the program is on this machine."""

    def module(self, about: About) -> ModuleType:
        """Return an own module, empty at first."""
        module = self._module_by_name.get(about.name)
        if module is None and about.name in self._sources.source_by_name:
            module = self._module_by_name[about.name] = importlib.import_module(about.name)
        if module is None:
            parent, _, last = about.name.rpartition(".")
            package = self.module(About(parent, None, parent, is_package=True)) if parent else None
            module = self._module_by_name[about.name] = _new_module(
                about._replace(file=about.file and self.here(about.file))
            )
            if package is not None:  # which has it as a name, as after an import
                vars(package).setdefault(last, module)
            if self._aside is not None:
                self._put_up(about.name)
        return module

    def add_sources(self, sources: Iterable[ModuleSource]) -> None:
        """Have modules imported from these sources while this is entered."""
        for source in sources:
            before = self._sources.source_by_name.get(source.name)
            self._sources.source_by_name[source.name] = source
            is_changed = before is not None and not source.path and before.text != source.text
            if is_changed:  # a second program of a job has done that
                self._module_by_name.pop(source.name, None)
                if self._aside is not None:
                    sys.modules.pop(source.name, None)
            if self._aside is not None:
                self._put_aside(source.name)

    def use_project(self, folder: str) -> None:
        """Have modules imported from the folder of a project; those of another one are set aside."""
        if folder == self._sources.folder:
            return
        self._modules_by_folder[self._sources.folder] = {
            name: self._module_by_name.pop(name)
            for name, source in self._sources.source_by_name.items()
            if source.path and name in self._module_by_name
        }
        self._sources.folder = folder
        self._module_by_name.update(self._modules_by_folder.pop(folder, {}))

    def name_of(self, namespace: dict[str, Any]) -> str | None:
        """Return the name of the module that has these globals, None if that is none of the application."""
        name = namespace.get("__name__")
        module = self._module_by_name.get(name) if type(name) is str else None
        return name if module is not None and vars(module) is namespace else None

    def enter(self) -> None:
        """Have imports find these modules."""
        if self._aside is None:
            self._aside = {}
            sys.meta_path.insert(0, self._sources)
            for name in self._sources.source_by_name:
                self._put_aside(name)
            for name in self._module_by_name:
                self._put_up(name)

    def leave(self) -> None:
        """Have imports find again what they found before."""
        if self._aside is None:
            return
        sys.meta_path.remove(self._sources)
        for name in self._sources.source_by_name:
            if name in sys.modules:
                self._aside.setdefault(name, None)
        aside, self._aside = self._aside, None
        for name, module in aside.items():
            if module is not None:
                sys.modules[name] = module
            else:
                sys.modules.pop(name, None)

    def define(self, target: Any, values: dict[str, Any], since: int, *, is_change: bool = False) -> None:
        """Give names of a module, or attributes of a class or function, their values from a version on.

        :param target: the names of a module, a class or a function.
        :param is_change: whether they had other values before that version.
        """
        for name, value in values.items():
            key = id(target), name
            known = self._values_by_key.get(key)
            if known is None:
                known = self._values_by_key[key] = _Values(target, name)
            known.put(since, value)
            known.show(self.version)
            if is_change or since > self.version:  # going there has to show it
                self._touched_by_version.setdefault(since, []).append(known)
            else:  # a second program of a job has it too
                for each in known.later_versions():
                    self._touched_by_version.setdefault(each, []).append(known)

    def go_to(self, version: int) -> None:
        """Have everything as it is in a version; whatever changed up to it must be defined."""
        first, last = sorted((self.version, version))
        self.version = version
        for each in range(first + 1, last + 1):
            for values in self._touched_by_version.get(each, ()):
                values.show(version)

    def _put_aside(self, name: str) -> None:
        """Have a module that is imported from elsewhere out of the way; one of the very file may be used."""
        assert self._aside is not None
        there = sys.modules.get(name)
        if there is not None and name not in self._module_by_name:
            self._aside.setdefault(name, there)
            source, file = self._sources.source_by_name[name], getattr(there, "__file__", None)
            if source.path and file == os.path.join(self._sources.folder, source.path):
                self._module_by_name[name] = there
            elif source.path or file != source.file:
                del sys.modules[name]

    def _put_up(self, name: str) -> None:
        assert self._aside is not None
        for each in (name, "__mp_main__") if name == "__main__" else (name,):  # as multiprocessing calls it
            self._aside.setdefault(each, sys.modules.get(each))
            sys.modules[each] = self._module_by_name[name]


class _Values:
    """The values that one name has had, by the versions since when; keeps what has the name."""

    def __init__(self, target: Any, name: str) -> None:
        self._target = target
        self._name = name
        self._since: list[int] = []
        self._values: list[Any] = []
        if type(target) is not dict or name in target:
            self._since.append(-1)
            self._values.append(_attribute(target, name))

    def put(self, since: int, value: Any) -> None:
        """Note a value; a second one of the same version takes the place of the first."""
        place = bisect.bisect_left(self._since, since)
        if place < len(self._since) and self._since[place] == since:
            self._values[place] = value
        else:
            self._since.insert(place, since)
            self._values.insert(place, value)

    def later_versions(self) -> list[int]:
        """Return since when the name has had each value but the first."""
        return [since for since in self._since if since >= 0][1:]

    def show(self, version: int) -> None:
        """Give the name the value that it has in a version, if there is one."""
        place = bisect.bisect_right(self._since, version) - 1
        if place >= 0:
            _set_attribute(self._target, self._name, self._values[place])


def _attribute(target: Any, name: str) -> Any:
    if type(target) is dict:
        return target[name]
    if name.startswith(CELL):
        return target.__closure__[int(name.removeprefix(CELL))].cell_contents
    if isinstance(target, FunctionType):
        return getattr(target, name, GONE)
    return vars(target).get(name, GONE)


def _set_attribute(target: Any, name: str, value: Any) -> None:
    if type(target) is dict:
        if value is GONE:
            target.pop(name, None)
        else:
            target[name] = value
    elif name.startswith(CELL):
        cell: CellType = target.__closure__[int(name.removeprefix(CELL))]
        cell.cell_contents = value
    else:
        with contextlib.suppress(AttributeError, TypeError):  # some attributes of classes are read-only
            if value is GONE:
                delattr(target, name)
            else:
                setattr(target, name, value)


def _new_module(about: About) -> ModuleType:
    module = ModuleType(about.name)
    module.__dict__["__builtins__"] = builtins  # as the first exec in it would
    module.__package__ = about.package
    if about.name != "__main__":
        module.__spec__ = ModuleSpec(about.name, None, origin=about.file, is_package=about.is_package)
    if about.is_package:
        module.__path__ = []
    if about.file is not None and os.path.exists(about.file):  # else nobody could run it again
        module.__file__ = about.file
    return module
