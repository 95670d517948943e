"""A program of several files, with data: what of its folder goes along with its tasks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from concurrent.core.errors import ConfigurationError
from concurrent.core.loggers import get_log
from concurrent.scheduling.pickling.sources import import_root

if TYPE_CHECKING:
    from concurrent.scheduling.projects.collecting import Collected
    from concurrent.scheduling.projects.packing import PackedProject

__all__ = ["SIZE_BYTES_MAX", "Project", "project_of"]

SIZE_BYTES_MAX: Final = 64 << 20
"""How much a project may have unless it says more."""

SIZE_BYTES_LIMIT: Final = 200 << 20
"""What a master takes at most of the code of one program, less some room for other code."""

SAID_MAX: Final = 10

log = get_log(__name__)


class Project:
    """The folder of a program, which its tasks find wherever they run.

    Its modules and packages go along, and what ``include`` names. Workers import from it, and it is their
    working folder, so the paths of its files hold. Patterns are those of a shell, as seen from the folder:
    ``tables/*.csv``, ``**/*.json``; one without a ``/`` holds at any depth, one of a folder for all in it.

    :param folder: the folder, or a file in it.
    :param include: patterns of what else goes along.
    :param exclude: patterns of what does not. Hidden files, environments, caches and what was built never do.
    :param size_max_bytes: how much it may have in all, in bytes; at most 200 MiB.
    :raises ConfigurationError: if there is no such folder, or a pattern is none.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        size_max_bytes: int = SIZE_BYTES_MAX,
    ) -> None:
        path = os.path.realpath(os.path.expanduser(os.fspath(folder)))
        if os.path.isfile(path):
            path = os.path.dirname(path)
        if not os.path.isdir(path):
            raise ConfigurationError(
                f"there is no folder {path} for a project",
                thing="project",
                value=path,
                remedy="Name the folder that the program lies in",
            )
        if not 0 < size_max_bytes <= SIZE_BYTES_LIMIT:
            raise ConfigurationError(
                f"a project may have from 1 to {SIZE_BYTES_LIMIT} bytes, not {size_max_bytes}",
                thing="size_max_bytes",
                value=size_max_bytes,
            )
        for name, patterns in (("include", include), ("exclude", exclude)):
            if isinstance(patterns, str):
                raise ConfigurationError(
                    f"{name} is a list of patterns, not {patterns!r}",
                    thing=name,
                    value=patterns,
                    remedy=f"Write {name}=[{patterns!r}]",
                )
        self.folder = path
        self.include = tuple(include)
        self.exclude = tuple(exclude)
        self.size_max_bytes = size_max_bytes

    def __repr__(self) -> str:
        return f"Project({self.folder!r}, include={self.include!r}, exclude={self.exclude!r})"

    def collect(self) -> Collected:
        """Read what goes along, and find what does not. Any thread.

        :raises ConfigurationError: if it is too much, or a pattern of ``include`` names nothing.
        """
        from concurrent.scheduling.projects.choosing import Rules  # most programs have none
        from concurrent.scheduling.projects.collecting import collect

        below = os.path.relpath(self.folder, self.root)
        prefix = "" if below == "." else f"{below}/"
        return collect(self.folder, Rules(self.include, self.exclude), self.size_max_bytes, prefix)

    @property
    def root(self) -> str:
        """Where imports of its modules begin: the folder, or above it if it is a package."""
        return import_root(self.folder)

    def packed(self) -> PackedProject:
        """Return it as it travels; says in the log what goes along, and warns of what should and cannot.

        :raises ConfigurationError: as :meth:`collect`.
        """
        from concurrent.scheduling.projects.collecting import size_text
        from concurrent.scheduling.projects.packing import pack

        collected = self.collect()
        log.info(
            "the project %s goes along: %d files, %s",
            self.folder,
            len(collected.files),
            size_text(collected.size_bytes),
        )
        missed = [left for left in collected.left if left.is_wanted]
        for left in missed[:SAID_MAX]:
            log.warning("%s does not go along: %s", repr(left.path), left.why)
        if len(missed) > SAID_MAX:
            log.warning("%d more files do not go along", len(missed) - SAID_MAX)
        return pack(collected.files, self.root)


def project_of(given: Project | str | os.PathLike[str] | None) -> Project | None:
    """Return the project that a program names, by its path or itself.

    :raises ConfigurationError: if there is no such folder.
    """
    return given if given is None or isinstance(given, Project) else Project(given)
