"""Collects what of a folder belongs to a project, and says why the rest does not. Any thread.

A file is read whole, again if it changes meanwhile. Nothing is followed out of the folder, and nothing is
opened that is no file.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from concurrent.core.errors import ConfigurationError
from concurrent.scheduling.projects.choosing import Rules

__all__ = [
    "FILES_MAX",
    "PATH_CHARS_MAX",
    "STEPS_MAX",
    "Collected",
    "LeftOut",
    "ProjectFile",
    "collect",
    "size_text",
]

ENTRIES_MAX: Final = 200_000
"""A folder that has more is hardly that of a program."""

FILES_MAX: Final = 20_000
"""So many files may a project have, and so many folders: to unpack more would take each slave too long."""

PATH_CHARS_MAX: Final = 1000
STEPS_MAX: Final = 100
"""How long the path of a file may be, and of how many names."""

LEFT_OUT_MAX: Final = 1000
"""So many of those that are left out are named."""

READS_MAX: Final = 3
LARGEST_SHOWN: Final = 5


class ProjectFile(NamedTuple):
    """A file of a project; its path is as seen from where imports begin."""

    path: str
    data: bytes
    is_executable: bool = False


class LeftOut(NamedTuple):
    """What does not go along.

    :param is_wanted: whether it is a module, or included, and would have gone.
    """

    path: str
    why: str
    is_wanted: bool = False


@dataclass(slots=True)
class Collected:
    """What a folder has for a project. ``left_count`` counts also those that are not named in ``left``."""

    files: list[ProjectFile] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)
    left_count: int = 0

    @property
    def size_bytes(self) -> int:
        """How much the files have together."""
        return sum(len(file.data) for file in self.files)

    def leave_out(self, path: str, why: str, *, is_wanted: bool = False) -> None:
        """Note what does not go along."""
        self.left_count += 1
        if is_wanted or len(self.left) < LEFT_OUT_MAX:
            self.left.append(LeftOut(path, why, is_wanted))


class _Found(NamedTuple):
    """A file that belongs to the project: as seen from its folder, where it is read, and its size."""

    path: str
    real: str
    size_bytes: int


def collect(folder: str, rules: Rules, size_bytes_max: int, prefix: str = "") -> Collected:
    """Read what belongs to a project.

    :param folder: that of the project.
    :param prefix: what stands before the paths in it, ending in ``/``.
    :raises ConfigurationError: if there is no such folder, it is too much, or nothing is what a pattern names.
    """
    collected = Collected()
    found = list(_found(os.path.realpath(folder), rules, collected))
    if unmet := rules.unmet():
        raise ConfigurationError(
            f"nothing in {folder} is included by {', '.join(map(repr, unmet))}",
            thing="include",
            value=unmet[0],
            remedy="Write patterns as seen from that folder; hidden files and caches never go along",
        )
    _check_count(folder, found)
    _check_size(folder, found, size_bytes_max)
    for each in sorted(found):
        why, file = _read(each) if _is_short(prefix + each.path) else ("its path is too long", None)
        if file is None:
            collected.leave_out(each.path, why, is_wanted=True)
        else:
            collected.files.append(file._replace(path=prefix + file.path))
    return collected


def size_text(size_bytes: int) -> str:
    """Return a size for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if size_bytes < 1024:
            return f"{size_bytes} {unit}"
        size_bytes = round(size_bytes / 1024)
    return f"{size_bytes} GiB"


def _check_count(folder: str, found: list[_Found]) -> None:
    if len(found) > FILES_MAX:
        raise ConfigurationError(
            f"the project {folder} has {len(found)} files, but at most {FILES_MAX} go along",
            thing="project",
            value=len(found),
            remedy="Exclude what tasks do not need, or put many files into one, such as a .zip",
        )


def _check_size(folder: str, found: list[_Found], size_bytes_max: int) -> None:
    size_bytes = sum(each.size_bytes for each in found)
    if size_bytes <= size_bytes_max:
        return
    largest = sorted(found, key=lambda each: -each.size_bytes)[:LARGEST_SHOWN]
    shown = ", ".join(f"{each.path} {size_text(each.size_bytes)}" for each in largest)
    raise ConfigurationError(
        f"the project {folder} has {size_text(size_bytes)}, but at most {size_text(size_bytes_max)} go along; "
        f"the largest: {shown}",
        thing="project",
        value=size_bytes,
        remedy="Exclude what tasks do not need, put large data where all machines can read it, or raise the "
        "limit",
    )


def _found(root: str, rules: Rules, collected: Collected) -> Iterator[_Found]:
    """Yield the files that belong to a project, and note what else there is."""
    ahead = deque([""])
    count = 0
    while ahead:
        folder = ahead.popleft()
        try:
            with os.scandir(os.path.join(root, folder)) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            if not folder:
                raise ConfigurationError(
                    f"the folder {root} of the project cannot be read: {error.strerror}",
                    thing="project",
                    value=root,
                ) from None
            collected.leave_out(folder, f"it cannot be read: {error.strerror}")
            continue
        if folder and (why := rules.why_not_folder(folder, {entry.name for entry in entries})):
            collected.leave_out(f"{folder}/", why)
            continue
        count += len(entries)
        if count > ENTRIES_MAX:
            raise ConfigurationError(
                f"the folder {root} has more than {ENTRIES_MAX} files and folders",
                thing="project",
                value=root,
                remedy="Name the folder of the program itself, or exclude what is large in it",
            )
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(path)
                elif file := _file_of(root, path, entry, rules, collected):
                    yield file
            except OSError as error:  # it is gone, or on a disk that fails
                collected.leave_out(path, f"it cannot be read: {error.strerror}")


def _file_of(
    root: str, path: str, entry: os.DirEntry[str], rules: Rules, collected: Collected
) -> _Found | None:
    why = rules.why_not_file(path)
    if why:
        collected.leave_out(path, why)
        return None
    real, why = entry.path, ""
    if entry.is_symlink():
        real = os.path.realpath(entry.path)
        if not real.startswith(os.path.join(root, "")):
            why = "it is a link out of the folder"
        elif os.path.isdir(real):
            why = "it is a link to a folder"
        elif not os.path.exists(real):
            why = "it is a link to nothing"
    status = os.stat(real, follow_symlinks=False) if not why else None
    if status is not None and not stat.S_ISREG(status.st_mode):
        why = "it is no file"
    elif not path.isprintable() and not _is_text(path):
        why = "its name is no UTF-8"
    if why or status is None:
        collected.leave_out(path, why, is_wanted=True)
        return None
    return _Found(path, real, status.st_size)


def _is_short(path: str) -> bool:
    return len(path) <= PATH_CHARS_MAX and path.count("/") < STEPS_MAX


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(found: _Found) -> tuple[str, ProjectFile | None]:
    """Return a file, or why it cannot go along."""
    for _ in range(READS_MAX):
        try:
            descriptor = os.open(found.real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return "it is gone", None
        except OSError as error:
            return f"it cannot be read: {error.strerror}", None
        with open(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                return "it is no file any more", None
            try:
                data = file.read(found.size_bytes + 1)
            except OSError as error:
                return f"it cannot be read: {error.strerror}", None
            after = os.fstat(descriptor)
        is_whole = len(data) == after.st_size == found.size_bytes
        if is_whole and (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return "", ProjectFile(found.path, data, bool(after.st_mode & stat.S_IXUSR))
        found = found._replace(size_bytes=after.st_size)
    return "it changes while it is read", None
