"""Imports an application's own modules at a worker, from the sources that came with its code."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

from concurrent.scheduling.pickling.sources import ModuleSource

__all__ = ["SourceFinder"]


class SourceFinder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """See the module; for ``sys.meta_path``.

    :param module_by_name: where modules are noted that were imported so.
    """

    def __init__(self, module_by_name: dict[str, ModuleType]) -> None:
        self.source_by_name: Final[dict[str, ModuleSource]] = {}
        self._module_by_name = module_by_name

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Return how a module of the application is imported, None if it is none."""
        source = self.source_by_name.get(name)
        if source is None:
            return None
        spec = importlib.util.spec_from_loader(name, self, origin=source.file, is_package=source.is_package)
        if spec is not None and source.text:
            spec.has_location = True
        if spec is not None and source.is_package:  # where the folder is here too, its other modules are found
            folder = os.path.dirname(source.file) if source.file.endswith(".py") else source.file
            spec.submodule_search_locations = [folder] if os.path.isdir(folder) else []
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run the source of a module in it."""
        self._module_by_name[module.__name__] = module
        try:
            super().exec_module(module)
        except BaseException:  # boundary: an import that failed is tried again; raised again
            del self._module_by_name[module.__name__]
            raise

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
