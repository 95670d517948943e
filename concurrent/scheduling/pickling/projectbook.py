"""The code of an application that has a project: it is sent first, and modules are imported from it.

A module of the project travels as a name: workers have its file. Whether the program has changed something in
it is watched as always, and what has changed travels. So do modules that the project leaves out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from concurrent.scheduling.pickling.code import BlobHead
from concurrent.scheduling.pickling.codebook import CodeBook
from concurrent.scheduling.pickling.sources import ModuleSource
from concurrent.scheduling.projects.packing import PackedProject

__all__ = ["ProjectBook"]


class ProjectBook(CodeBook):
    """See the module. One thread.

    :param project: goes along.
    """

    def __init__(
        self,
        project: PackedProject,
        own_modules: Sequence[str] = (),
        own_folders: Sequence[str] = (),
        requirements: str = "",
    ) -> None:
        root = project.manifest.root
        folders = list(own_folders)
        super().__init__(own_modules, folders if root in folders else [root, *folders], requirements)
        self._project = project
        self._folders = {parent for path in project.paths for parent in _parents(path)}
        self._is_sent = False
        self.has_project = True
        self.is_same = lambda: False  # so that it is first, whatever is pushed first

    def refresh(self) -> bool:
        """See :meth:`CodeBook.refresh`; the first time the project is taken along."""
        self._take_along()
        self.is_same = self._watch.is_same
        return super().refresh()

    def path_in_project(self, path: PurePath) -> str | None:
        """See :meth:`AppCode.path_in_project`; one that does not exist there is none."""
        try:
            inside = os.path.relpath(os.path.abspath(path), self._project.manifest.root)
        except OSError:  # there is no working folder any more
            return None
        is_there = inside in self._project.paths or inside in self._folders
        return inside if is_there and path.is_absolute() else None

    def project_path(self, path: str) -> Path:
        """See :meth:`AppCode.project_path`."""
        return Path(self._project.manifest.root, path)

    def _take_along(self) -> None:
        if not self._is_sent:
            self._is_sent = True
            if self._former.digest != self._project.manifest.digest:  # else the job has it
                for blob in self._project.blobs:
                    self._objects_by_blob[len(self.blobs)] = []
                    self.blobs.append(blob)

    def _make(self, things: list[Any], head: BlobHead) -> int:
        self._take_along()
        return super()._make(things, head)

    def _as_travelling(self, sources: list[ModuleSource]) -> list[ModuleSource]:
        """Return modules of the project without their sources."""
        self._take_along()
        named = [(source, self._project.path_of(os.path.realpath(source.file))) for source in sources]
        return [source._replace(text=b"", path=path) if path else source for source, path in named]


def _parents(path: str) -> list[str]:
    """Return the folders that a file of a project is in, as seen from its root."""
    steps = path.split("/")[:-1]
    return [".", *("/".join(steps[: count + 1]) for count in range(len(steps)))]
