"""Loads the application in a file or folder, laid out in any of the usual ways.

==================================== =======================================================================
what is given                        what is loaded
==================================== =======================================================================
a file                               it; its helpers may lie beside it
a file in a package                  the package, with the file as a module of it
a package                            it, and its module ``app`` if it has no application itself
a folder without an ``__init__.py``  its file ``app.py``, or else ``main.py``
==================================== =======================================================================
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from concurrent.core.classes import classes_in
from concurrent.core.component import Component
from concurrent.core.dependencies import is_installed, make_importable
from concurrent.core.environment import Environment
from concurrent.core.errors import PluginError
from concurrent.core.foreign import calling_foreign_code
from concurrent.core.plugins import import_failed
from concurrent.scheduling.pickling.sources import import_root

__all__ = ["MAIN_FILES", "load_application", "own_folders", "own_modules"]

MODULE: Final = "app"
"""The module of a package that is looked into last."""

MAIN_FILES: Final = (f"{MODULE}.py", "main.py")
"""The file of a folder that is looked for, the first that is there."""

Classes = list[type[Component]]


def load_application(env: Environment, path: Path, has_application: Callable[[Classes], bool]) -> Classes:
    """Return the component classes among which the application of a file or folder is. Main thread.

    :param has_application: says whether one of some classes is an application.
    :raises PluginError: if there is nothing of that name, or its import fails.
    """
    path = path.expanduser().absolute()
    if path.is_dir() and not (path / "__init__.py").exists():
        file = next((name for name in MAIN_FILES if (path / name).is_file()), None)
        if file is None:
            raise PluginError(
                f"the folder {path} has no {' or '.join(MAIN_FILES)}, and no __init__.py",
                thing=str(path),
                remedy="Give the path of the file with the application",
            )
        path /= file
    root = Path(import_root(str(path)))
    for folder in roots_of(str(path)):
        make_importable(folder)
    if path.parent == root and path.is_file():
        return env.load_plugin(path).components
    package, *inside = path.relative_to(root).with_suffix("" if path.is_file() else path.suffix).parts
    plugin = env.load_plugin(root / package)
    name = plugin.module.__name__
    if inside and inside != ["__init__"]:
        module = _imported(".".join((name, *inside)), path)
    elif not has_application(plugin.components) and (root / package / f"{MODULE}.py").is_file():
        module = _imported(f"{name}.{MODULE}", path / f"{MODULE}.py")
    else:
        return plugin.components
    env.load_plugin(root / package)  # it has one module more now
    return classes_in(module)


def own_modules(plugins: Iterable[Any]) -> list[str]:
    """Return the names of the modules of plug-in files: other machines do not have them."""
    roots = [plugin.module.__name__ for plugin in plugins if plugin.is_file]
    inside = tuple(f"{root}." for root in roots)
    return roots + [name for name in sys.modules if inside and name.startswith(inside)]


def own_folders(plugins: Iterable[Any]) -> list[str]:
    """Return where the imports of an application's own modules begin: above its plug-in files and packages."""
    paths = [str(plugin.path) for plugin in plugins if plugin.path is not None]
    return sorted({root for path in paths if not is_installed(path) for root in roots_of(path)})


def roots_of(path: str) -> list[str]:
    """Return where imports of a file or package begin: beside a link, and beside what it leads to."""
    return list(dict.fromkeys(map(import_root, (os.path.realpath(path), path))))


def _imported(name: str, path: Path) -> Any:
    with calling_foreign_code(partial(import_failed, str(path))):
        return importlib.import_module(name)
