"""How much memory processes use that is their own: what they have allocated, in memory and swapped out.

Files that are mapped, and memory that is shared by name, do not count. Linux tells it in ``/proc``; elsewhere
psutil does. Any thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Final, Protocol

from concurrent.core.dependencies import installed_first

__all__ = ["MemoryReader", "ProcMemory", "PsutilMemory", "memory_reader"]

KIB: Final = 1024
STAT_BYTES: Final = 1024
STATUS_BYTES: Final = 8192


class MemoryReader(Protocol):
    """What tells how much memory processes use."""

    def trees(self, roots: Collection[int]) -> Mapping[int, list[int]]:
        """Return the process ids of the trees below some processes, each with its root as the first."""

    def used_bytes(self, pid: int) -> int:
        """Return how much a process uses; what it shares with its copies counts in full. 0 if it is gone."""

    def exact_bytes(self, pid: int) -> int:
        """Return the same, but of what it shares with its copies only its part. This may take a while."""


def memory_reader() -> MemoryReader:
    """Return what tells it on this platform."""
    return ProcMemory() if sys.platform == "linux" else PsutilMemory()


class ProcMemory:
    """Reads ``/proc``, see ``proc(5)``. Linux only."""

    def trees(self, roots: Collection[int]) -> dict[int, list[int]]:
        """See :class:`MemoryReader`."""
        return _trees(roots, _parents())

    def used_bytes(self, pid: int) -> int:
        """See :class:`MemoryReader`."""
        return _sum_of(pid, "status", (b"RssAnon:", b"VmSwap:"))

    def exact_bytes(self, pid: int) -> int:
        """See :class:`MemoryReader`. It takes some 30 milliseconds for each GiB."""
        return _sum_of(pid, "smaps_rollup", (b"Pss_Anon:", b"SwapPss:")) or self.used_bytes(pid)


class PsutilMemory:
    """Asks psutil, which knows many platforms."""

    def __init__(self) -> None:
        with installed_first("psutil"):
            import psutil
        self._psutil = psutil

    def trees(self, roots: Collection[int]) -> dict[int, list[int]]:
        """See :class:`MemoryReader`."""
        found = self._psutil.process_iter(["ppid"])
        return _trees(roots, ((one.pid, one.info["ppid"] or 0) for one in found))

    def used_bytes(self, pid: int) -> int:
        """See :class:`MemoryReader`."""
        try:
            memory = self._psutil.Process(pid).memory_info()
        except self._psutil.Error:
            return 0
        return int(memory.rss - getattr(memory, "shared", 0))

    def exact_bytes(self, pid: int) -> int:
        """See :class:`MemoryReader`."""
        try:
            memory = self._psutil.Process(pid).memory_full_info()
        except self._psutil.Error:
            return 0
        return int(min(getattr(memory, "pss", memory.uss) + getattr(memory, "swap", 0), memory.rss))


def _parents() -> Iterator[tuple[int, int]]:
    """Yield the id of each process of this machine and that of its parent."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _read(f"/proc/{name}/stat", STAT_BYTES).rpartition(b")")[2].split(None, 2)
            if len(fields) > 1:
                yield int(name), int(fields[1])


def _trees(roots: Collection[int], parents: Iterator[tuple[int, int]]) -> dict[int, list[int]]:
    children_by_parent: dict[int, list[int]] = {}
    for pid, parent in parents:
        children_by_parent.setdefault(parent, []).append(pid)
    trees = {root: [root] for root in roots}
    for tree in trees.values():
        for pid in tree:  # which grows meanwhile
            tree += children_by_parent.get(pid, ())
    return trees


def _sum_of(pid: int, name: str, keys: tuple[bytes, ...]) -> int:
    lines = _read(f"/proc/{pid}/{name}", STATUS_BYTES).split(b"\n")
    return sum(int(line.split()[1]) * KIB for line in lines if line.startswith(keys))


def _read(path: str, count: int) -> bytes:
    """Return the beginning of a file of the kernel; nothing if its process is gone."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(fd, count)
    except OSError:
        return b""
    finally:
        os.close(fd)
