"""Finds and imports plug-ins: modules that define components.

A plug-in is an installed module, an entry point of the group ``concurrent.plugins``, or a file. A file
is imported under a module name of its own, so that ``json.py`` in a plug-in folder hides nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from concurrent.core.classes import classes_in
from concurrent.core.component import Component
from concurrent.core.errors import PluginError
from concurrent.core.filemodules import module_name_of
from concurrent.core.foreign import calling_foreign_code, line_raised, place_raised, shown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = [
    "ENTRY_POINT_GROUP",
    "LoadedPlugin",
    "import_failed",
    "installed_plugins",
    "load_anew",
    "load_plugin",
    "plugin_files",
]

ENTRY_POINT_GROUP = "concurrent.plugins"


@dataclass(frozen=True)
class LoadedPlugin:
    """A plug-in that was imported.

    :param path: its file, or None if it has none.
    :param is_file: whether it was loaded as a file; then its code exists on this machine only and
        travels with the tasks that use it.
    """

    name: str
    module: ModuleType
    path: Path | None
    is_file: bool

    @property
    def source(self) -> str:
        """What it can be loaded with, in another process too: its path, or the name of its module."""
        return str(self.path) if self.is_file else self.module.__name__

    @property
    def components(self) -> list[type[Component]]:
        """The component classes that the module has; see :func:`classes_in`."""
        return classes_in(self.module)


def installed_plugins() -> list[EntryPoint]:
    """Return the entry points of installed packages, sorted by name."""
    from importlib.metadata import entry_points  # costs 20 ms, which worker processes need not pay

    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)


def plugin_files(folder: Path) -> list[Path]:
    """Return the plug-in files of a folder: ``*.py`` and packages, without those named ``_*``."""
    if not folder.is_dir():
        return []
    found = [*folder.glob("*.py"), *(init.parent for init in folder.glob("*/__init__.py"))]
    return sorted(path for path in found if not path.name.startswith(("_", ".")))


def load_plugin(source: str | Path) -> LoadedPlugin:
    """Import a plug-in in the calling thread.

    :param source: a file or package folder, or the dotted name of an installed module.
    :raises PluginError: if there is nothing of that name, or its import fails; the error that the
        import raised is its cause.
    """
    text = str(source)
    path = Path(text).expanduser()
    if isinstance(source, Path) or path.suffix == ".py" or any(sep in text for sep in "/\\"):
        return _load_file(path.absolute())
    with calling_foreign_code(partial(import_failed, text)):
        module = importlib.import_module(text)
    file = getattr(module, "__file__", None)
    return LoadedPlugin(text, module, Path(file) if file else None, is_file=False)


def _load_file(path: Path) -> LoadedPlugin:
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise PluginError(
            f"there is no plug-in file {path}",
            thing=str(path),
            remedy="Check the path; a folder must have an __init__.py",
        )
    program = sys.modules["__main__"]
    if os.path.realpath(getattr(program, "__file__", None) or "") == os.path.realpath(file):
        return LoadedPlugin(path.stem, program, path, is_file=True)
    name = module_name_of(path)
    if name in sys.modules:
        return LoadedPlugin(path.stem, sys.modules[name], path, is_file=True)
    folders = [str(path)] if path.is_dir() else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is not a Python file", thing=str(path), remedy="Give it the ending .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with calling_foreign_code(partial(import_failed, str(path))):
            spec.loader.exec_module(module)
    except BaseException:  # boundary: a failed import leaves nothing behind; raised again
        _forget_modules(name)
        raise
    return LoadedPlugin(path.stem, module, path, is_file=True)


def load_anew(plugin: LoadedPlugin) -> LoadedPlugin:
    """Import a plug-in once more, with the modules of its package; see :func:`load_plugin`.

    If that fails, its modules are as they were.

    :raises PluginError: if it does, or the plug-in is the program that runs.
    """
    if plugin.module is sys.modules["__main__"]:
        raise PluginError(
            f"{plugin.name} is the program that runs and cannot be loaded anew",
            thing=plugin.name,
            remedy="Start it again",
        )
    importlib.invalidate_caches()
    before = _forget_modules(plugin.module.__name__)
    try:
        return load_plugin(plugin.source)
    except PluginError:
        sys.modules.update(before)
        raise


def _forget_modules(name: str) -> dict[str, ModuleType]:
    """Take a module and those inside it out of what is imported, and return them."""
    names = [each for each in list(sys.modules) if f"{each}.".startswith(f"{name}.")]
    return {each: sys.modules.pop(each) for each in names}


def import_failed(name: str, error: BaseException) -> PluginError:
    """Return the error for an import that raised.

    :param name: the file, or the name of the module.
    """
    if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
        return PluginError(
            f"there is no plug-in {name!r}",
            thing=name,
            remedy="Give the path of a file that ends in .py, or install the package",
        )
    line = line_raised(error, name)
    if isinstance(error, SystemExit):
        what = f"it ended the program with sys.exit({error.code!r})"
        remedy = "Put what a script does below 'if __name__ == \"__main__\":'"
    else:
        what = shown(error)
        remedy = "Correct it or take it away; --debug shows the traceback"
    place = f" (line {line})" if line is not None else ""
    if line is None and not isinstance(error, SyntaxError):
        place = f" ({place_raised(error)})"
    return PluginError(f"plug-in {name} cannot be imported{place}: {what}", thing=name, remedy=remedy)
