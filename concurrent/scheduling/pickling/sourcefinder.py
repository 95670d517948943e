"""Imports an application's own modules at a worker, from sources that came with its code, or its project."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import os
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType
from typing import Any, Final

from concurrent.scheduling.pickling.sources import ModuleSource

__all__ = ["SourceFinder"]


class SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """See the module; for ``sys.meta_path``.

    :param module_by_name: where modules are noted that were imported so.

    ``folder`` is where the project is that modules are of; empty if there is none.
    """

    def __init__(self, module_by_name: dict[str, ModuleType]) -> None:
        self.source_by_name: Final[dict[str, ModuleSource]] = {}
        self.folder = ""
        self._module_by_name = module_by_name

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Return how a module of the application is imported, None if it is none."""
        source = self.source_by_name.get(name)
        if source is None:
            return None
        if source.path:
            return self._spec_in_project(source)
        spec = importlib.util.spec_from_loader(name, self, origin=source.file, is_package=source.is_package)
        if spec is not None and source.text:
            spec.has_location = True
        if spec is not None and source.is_package:  # where the folder is here too, its other modules are found
            folder = os.path.dirname(source.file) if source.file.endswith(".py") else source.file
            spec.submodule_search_locations = [folder] if os.path.isdir(folder) else []
        return spec

    def _spec_in_project(self, source: ModuleSource) -> ModuleSpec | None:
        """Return how a module is imported from the folder of its project, as any other from its file."""
        file = os.path.join(self.folder, source.path)
        if not self.folder or not os.path.isfile(file):
            return None
        places = [os.path.dirname(file)] if source.is_package else None
        loader = _ProjectLoader(source.name, file)
        loader.module_by_name = self._module_by_name
        return importlib.util.spec_from_file_location(
            source.name, file, loader=loader, submodule_search_locations=places
        )

    def exec_module(self, module: ModuleType) -> None:
        """Run the source of a module in it."""
        with _noted(module, self._module_by_name):
            super().exec_module(module)

    def is_package(self, name: str) -> bool:
        """Return whether a module is a package."""
        return self.source_by_name[name].is_package

    def get_source(self, name: str) -> str:
        """Return the text of a module, for tracebacks too."""
        return importlib.util.decode_source(self.source_by_name[name].text)

    def get_code(self, name: str) -> Any:
        """Return the code of a module."""
        source = self.source_by_name[name]
        return compile(source.text, source.file, "exec", dont_inherit=True)


class _ProjectLoader(SourceFileLoader):
    """Loads a module of a project. ``module_by_name`` is where it is noted."""

    module_by_name: dict[str, ModuleType]

    def exec_module(self, module: ModuleType) -> None:
        """Run the source of a module in it."""
        with _noted(module, self.module_by_name):
            super().exec_module(module)


@contextlib.contextmanager
def _noted(module: ModuleType, module_by_name: dict[str, ModuleType]) -> Iterator[None]:
    """Note a module; an import that fails is tried again."""
    module_by_name[module.__name__] = module
    try:
        yield
    except BaseException:  # boundary: whatever its code raises; raised again
        del module_by_name[module.__name__]
        raise
