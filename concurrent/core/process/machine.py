"""How much of its machine this process may use: processors and memory, as the kernel limits them.

A container, a service or a batch job sees the processors and the memory of the whole machine, and may use a
part. The part is said by the affinity of the process and by its control groups, of which every one from its own
up to the root may set a limit. Both versions of control groups are read. Any thread.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Machine"]

UNLIMITED: Final = 1 << 60
"""A limit of memory from here on stands for none: the first version writes a number in any case."""

ONE: Final = ""
"""The name of the only hierarchy of the second version, which has all controllers."""

KINDS: Final = {"cgroup": 1, "cgroup2": 2}


class _Mount(NamedTuple):
    """Where a hierarchy of control groups is mounted, and which of its groups is seen there."""

    version: int
    controllers: frozenset[str]
    root: str
    point: str


class Machine:
    """See the module.

    :param root: where the file system begins; another folder for tests.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def cpus(self) -> int:
        """Return how many processors this process may use at once, at least 1; a part of one counts as one."""
        if hasattr(os, "sched_getaffinity"):
            count = len(os.sched_getaffinity(0))
        else:
            count = os.cpu_count() or 1
        for folder in self.groups("cpu"):
            quota = _quota(folder)
            if quota is not None:
                count = min(count, max(1, math.ceil(quota)))
        return count

    def memory_bytes(self) -> int:
        """Return how much memory this process and its children may use together, in bytes; 0 if unknown."""
        limits = [limit for folder in self.groups("memory") if (limit := _memory_limit(folder)) is not None]
        try:
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (OSError, ValueError, AttributeError):  # not every platform says it
            pass
        return max(0, min(limits, default=0))

    def free_bytes(self) -> int:
        """Return how much memory is free for this process and its children, in bytes; 0 if unknown.

        What only keeps the contents of files counts as free, for the kernel drops it when it has to.
        """
        free = [left for folder in self.groups("memory") if (left := _memory_left(folder)) is not None]
        for line in _lines(self._root / "proc/meminfo"):
            if line.startswith("MemAvailable:"):
                free.append(int(line.split()[1]) * 1024)
        return max(1, min(free)) if free else 0

    def groups(self, controller: str) -> list[Path]:
        """Return the folders of the control groups that bound this process, its own first.

        :param controller: ``cpu`` or ``memory``.
        """
        path_by_controller = self._paths()
        folders: list[Path] = []
        for mount in self._mounts():
            own = path_by_controller.get(ONE if mount.version == 2 else controller)
            if own is None or (mount.version == 1 and controller not in mount.controllers):
                continue
            point = self._root / mount.point.lstrip("/")
            below = own.removeprefix(mount.root.rstrip("/")).strip("/")
            folder = point / below
            if not folder.is_dir():  # a path of another namespace: what is seen is the own group
                folder = point
            folders += [one for one in (folder, *folder.parents) if one == point or point in one.parents]
        return folders

    def _paths(self) -> dict[str, str]:
        """Return the path of the group of this process, by controller."""
        paths: dict[str, str] = {}
        for line in _lines(self._root / "proc/self/cgroup"):
            _, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            for controller in controllers.split(","):
                paths[controller] = path
        return paths

    def _mounts(self) -> Iterator[_Mount]:
        for line in _lines(self._root / "proc/self/mountinfo"):
            words, _, kind = line.partition(" - ")
            fields, kinds = words.split(), kind.split()
            if len(fields) > 4 and kinds and kinds[0] in KINDS:
                yield _Mount(KINDS[kinds[0]], frozenset(kinds[-1].split(",")), fields[3], fields[4])


def _quota(folder: Path) -> float | None:
    """Return for how many processors a group has time; None for no limit."""
    both = next(_lines(folder / "cpu.max"), "").split()
    if not both:
        both = [next(_lines(folder / name), "") for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        quota, period = map(float, both)
    except ValueError:  # "max", or not there
        return None
    return quota / period if quota > 0 and period > 0 else None


def _memory_limit(folder: Path) -> int | None:
    """Return how many bytes the processes of a group may use; None for no limit."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        text = next(_lines(folder / name), "")
        if text.isdigit():
            limit = int(text)
            return limit if limit < UNLIMITED else None
    return None


def _memory_left(folder: Path) -> int | None:
    """Return how many bytes more the processes of a group may use; None for no limit."""
    limit = _memory_limit(folder)
    if limit is None:
        return None
    for name in ("memory.current", "memory.usage_in_bytes"):
        used = next(_lines(folder / name), "")
        if used.isdigit():
            return limit - int(used) + _file_bytes(folder)
    return None


def _file_bytes(folder: Path) -> int:
    """Return how many bytes of a group keep the contents of files."""
    stat = dict(line.split() for line in _lines(folder / "memory.stat"))
    prefix = "total_" if "total_inactive_file" in stat else ""
    return sum(int(stat.get(f"{prefix}{name}_file", 0)) for name in ("inactive", "active"))


def _lines(path: Path) -> Iterator[str]:
    """Return the lines of a file of the kernel, none if it cannot be read."""
    try:
        return iter(path.read_text(encoding="utf-8", errors="surrogateescape").splitlines())
    except OSError:
        return iter(())
