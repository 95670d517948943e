"""Where the projects of an application are, in a process that runs its code: one at a time is the present one.

Its folder is where imports look behind the standard library, and before what is installed; it is the working
folder too. A worker is told where it is, for its slave has unpacked it. The host of a task system is sent the
parts, and unpacks them.

A second program of a job may have another project. Each task runs with that of the program that pushed it, so
that going from one to the other sets the modules of the first aside.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path, PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from concurrent.core.dependencies import make_importable
from concurrent.core.errors import ConcurrentError, NodeError
from concurrent.scheduling.pickling.spaces import Spaces
from concurrent.scheduling.wire.projectblobs import Manifest, is_manifest, part_data

if TYPE_CHECKING:
    from concurrent.scheduling.projects.cache import ProjectCache

__all__ = ["Projects"]

NOWHERE: Final = Manifest("", 0, 0, "")


class Projects:
    """See the module. One thread.

    :param spaces: the modules of the application.
    """

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces
        self._spaces.here = self._here
        self._cache: ProjectCache | None = None
        self._manifest_by_index: dict[int, Manifest] = {}
        self._failure_by_index: dict[int, ConcurrentError] = {}
        self._parts: list[bytes] = []
        self._wanted = -1  # the index of the project that is to be the present one
        self._present = NOWHERE
        self._aside_by_folder: dict[str, dict[str, ModuleType]] = {}
        self._folder_before = os.getcwd()

    def take(self, index: int, blob: bytes) -> None:
        """Take the manifest of a project, or the next of its parts."""
        if is_manifest(blob):
            self._manifest_by_index[index] = Manifest.of(blob)
            self._parts = []
            return
        last = max(self._manifest_by_index, default=-1)
        manifest = self._manifest_by_index.get(last, NOWHERE)
        if manifest.folder:
            return
        self._parts.append(part_data(blob))
        if len(self._parts) == manifest.parts:
            try:
                self._manifest_by_index[last] = manifest._replace(folder=self._unpacked(manifest))
            except ConcurrentError as error:
                self._failure_by_index[last] = error
            self._parts = []

    def go_to(self, version: int) -> None:
        """Have the project of a version of the code, if it is there, as the present one."""
        self._wanted = max((each for each in self._manifest_by_index if each <= version), default=-1)
        manifest = self._manifest_by_index.get(self._wanted, NOWHERE)
        if not manifest.folder or manifest == self._present:
            return
        self._set_aside()
        try:
            os.chdir(manifest.folder)
        except OSError as error:
            self._failure_by_index[self._wanted] = NodeError(
                f"the folder of the project is gone: {error}",
                thing="project",
                value=manifest.folder,
                remedy="Leave the cache of projects alone while a slave uses it; start the slave anew",
            )
            return
        self._failure_by_index.pop(self._wanted, None)
        self._present = manifest
        make_importable(manifest.folder)
        self._spaces.use_project(manifest.folder)
        sys.modules.update(self._aside_by_folder.pop(manifest.folder, {}))

    def check(self) -> None:
        """Raise what kept the project that is wanted from being the present one.

        :raises ConcurrentError: if something did.
        """
        if self._wanted in self._failure_by_index:
            raise self._failure_by_index[self._wanted]

    def leave(self) -> None:
        """Have no project any more."""
        self._set_aside()
        self._present = NOWHERE
        with contextlib.suppress(OSError):  # it may be gone
            os.chdir(self._folder_before)

    def path_of(self, path: PurePath) -> str | None:
        """Return where in the present project a file is; None if it is none of it."""
        return _below(self._present.folder, str(path))

    def place_of(self, path: str) -> Path:
        """Return where a file of the present project is."""
        return Path(self._present.folder, path)

    def here_if_text(self, value: Any) -> Any:
        """Return the value of a name; a text that is the place of a file leads to that file here."""
        return self._here(value) if type(value) is str else value

    def _here(self, file: str) -> str:
        inside = _below(self._present.root, file)
        place = None if inside is None else os.path.normpath(os.path.join(self._present.folder, inside))
        return place if place is not None and os.path.exists(place) else file

    def _set_aside(self) -> None:
        """Take what the present project has out of the way of imports."""
        folder = self._present.folder
        if not folder:
            return
        with contextlib.suppress(ValueError):  # a task has removed it
            sys.path.remove(folder)
        names = [name for name, module in list(sys.modules.items()) if _is_in(module, folder)]
        self._aside_by_folder[folder] = {name: sys.modules.pop(name) for name in names}

    def _unpacked(self, manifest: Manifest) -> str:
        """Unpack a project, unless that is done; returns its folder.

        :raises ConcurrentError: if that fails.
        """
        from concurrent.scheduling.projects.cache import ProjectCache  # workers do not need it

        if self._cache is None:
            self._cache = ProjectCache()
        return self._cache.find(manifest) or self._cache.unpack(manifest, self._parts)


def _below(folder: str, path: str) -> str | None:
    """Return a path as seen from a folder, "" for the folder itself; None if it is not in it."""
    if not folder or not path.startswith(folder):
        return None
    rest = path[len(folder) :]
    return rest[1:] if rest[:1] == os.sep else (None if rest else "")


def _is_in(module: ModuleType, folder: str) -> bool:
    """Return whether a module, or a package without a file, was imported from a folder."""
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", None) or ())
    return any(type(place) is str and _below(folder, place) is not None for place in places)
