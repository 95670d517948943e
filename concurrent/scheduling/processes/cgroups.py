"""Control groups that bound the memory of single processes, where the kernel lets us make them. Linux only.

A group of the second version may be divided by who it is delegated to. systemd marks such a group, as its
``Delegate=yes`` asks for, and the root of a container is one if it can be written to. As a group with groups
below it has no processes of its own, this process, and those that it has started, go into a leaf first::

    own group        +memory, no processes
      slave-PID      this process and its helpers
      worker-PID-1   memory.max, joined by a worker before it runs anything
      worker-PID-2

If the own group has any other process, nothing is touched.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.core.process.machine import Machine
from concurrent.scheduling.processes.memory import memory_reader

__all__ = ["Group", "Groups", "open_groups"]

PROCESSES: Final = "cgroup.procs"
SUBTREE: Final = "cgroup.subtree_control"

MARKS: Final = ("user.delegate", "trusted.delegate")
"""The attributes by which systemd marks a group that it has delegated."""

TRIES: Final = 5
"""How often processes are moved, for one that forks meanwhile leaves its child behind."""

log = get_log(__name__)


class Group:
    """The group of one worker. Loop thread only. Made by :meth:`Groups.new`.

    :param path: its folder.
    :param limit: how many bytes its processes may use together.
    :param on_ended: called with the folder when nobody needs it any more.
    """

    def __init__(self, path: Path, limit: int, on_ended: Callable[[Path], object]) -> None:
        self.path = path
        self.limit = limit
        self._on_ended = on_ended

    @property
    def door(self) -> Path:
        """The file by which a process enters the group: it writes 0, or its number."""
        return self.path / PROCESSES

    def taken_bytes(self) -> int | None:
        """Return how much its processes took when the kernel killed them for it; None if it did not.

        It may also kill them because a group above, or the machine, was full: that is not their fault.
        """
        events = dict(line.split() for line in _read(self.path / "memory.events").splitlines())
        if not all(int(events.get(name, 0)) for name in ("oom", "oom_kill")):
            return None
        peak = _read(self.path / "memory.peak").strip()  # older kernels have none
        return int(peak) if peak.isdigit() else self.limit

    def close(self) -> None:
        """Give the group up; its worker has ended."""
        self._on_ended(self.path)


class Groups:
    """See the module. Loop thread only. Made by :func:`open_groups`; ``close`` it.

    :param own: the folder of the group that was delegated.
    :param leaf: that of the one with this process.
    :param remove: removes a group.
    """

    def __init__(self, own: Path, leaf: Path, remove: Callable[[Path], object]) -> None:
        self._own = own
        self._leaf = leaf
        self._remove = remove
        self._numbers = count(1)
        self._open: set[Path] = set()
        self._ended: set[Path] = set()

    def new(self, limit: int) -> Group | None:
        """Return a group whose processes may use so many bytes together; None if there can be none."""
        self._remove_ended()
        path = self._own / f"worker-{os.getpid()}-{next(self._numbers)}"
        try:
            path.mkdir()
        except OSError as error:
            log.warning("no control group for a worker, its memory is measured alone: %s", error)
            return None
        self._open.add(path)
        try:
            for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
                if (path / name).exists():
                    _write(path / name, value)
            _write(path / "memory.max", str(limit))
        except OSError as error:
            log.warning("no limit for a control group, memory is measured alone: %s", error)
            self._give_up(path)
            return None
        return Group(path, limit, self._give_up)

    def close(self) -> None:
        """Remove all groups, and have this process be where it was."""
        leaves = [self._leaf, *self._open, *self._ended]
        try:
            _write(self._own / SUBTREE, "-memory")
            for leaf in leaves:
                _move(leaf, self._own)
        except OSError as error:
            log.warning("%s cannot be left as it was: %s", self._own, error)
        self._ended.update(leaves)
        self._open.clear()
        self._remove_ended()

    def _give_up(self, path: Path) -> None:
        if path in self._open:
            self._open.remove(path)
            self._ended.add(path)
            self._remove_ended()

    def _remove_ended(self) -> None:
        """Remove the groups that nobody needs, as soon as they have no process any more."""
        for path in list(self._ended):
            try:
                self._remove(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno != errno.EBUSY:
                    log.warning("a control group cannot be removed: %s", error)
                    self._ended.discard(path)
                continue
            self._ended.discard(path)


def open_groups(root: Path = Path("/"), remove: Callable[[Path], object] = Path.rmdir) -> Groups | None:
    """Return what makes groups below that of this process; None, and nothing is touched, if it may not.

    :param root: where the file system begins; another folder for tests.
    :param remove: removes a group.
    """
    own = _delegated(Machine(root))
    if own is None:
        return None
    leaf = own / f"slave-{os.getpid()}"
    try:
        leaf.mkdir(exist_ok=True)
    except OSError as error:
        log.info("%s cannot be divided: %s", own, error)
        return None
    groups = Groups(own, leaf, remove)
    try:
        _divide(own, leaf)
    except OSError as error:
        log.info("%s cannot be divided, so memory is measured alone: %s", own, error)
        groups.close()
        return None
    log.info("workers that ask for memory have control groups of their own, in %s", own)
    return groups


def _delegated(machine: Machine) -> Path | None:
    """Return the folder of the group of this process if it was delegated, and has no other processes."""
    folders = machine.groups("memory")
    own = next((folder for folder in folders if (folder / "cgroup.controllers").exists()), None)
    if own is None or "memory" not in _read(own / "cgroup.controllers").split():
        return None
    is_own_root = not (own.parent / PROCESSES).exists() and (own / "cgroup.events").exists()
    if not is_own_root and not _is_marked(own):
        return None
    if not all(os.access(path, os.W_OK) for path in (own, own / PROCESSES, own / SUBTREE)):
        return None
    pids = _pids(own)
    return own if os.getpid() in pids and pids <= _ours() else None


def _is_marked(own: Path) -> bool:
    for mark in MARKS:
        try:
            if os.getxattr(own, mark) == b"1":
                return True
        except OSError:  # it is not there, or not for us
            continue
    return False


def _divide(own: Path, leaf: Path) -> None:
    for tries_left in reversed(range(TRIES)):
        if not _pids(own) <= _ours():
            raise OSError(errno.EBUSY, "it has processes of others")
        _move(own, leaf)
        try:
            _write(own / SUBTREE, "+memory")
        except OSError as error:
            if error.errno != errno.EBUSY or not tries_left:
                raise
        else:
            return


def _move(source: Path, target: Path) -> None:
    for pid in _pids(source):
        try:
            _write(target / PROCESSES, str(pid))
        except ProcessLookupError:  # it has ended
            continue


def _ours() -> set[int]:
    pid = os.getpid()
    return set(memory_reader().trees([pid])[pid])


def _pids(group: Path) -> set[int]:
    return set(map(int, _read(group / PROCESSES).split()))


def _read(path: Path) -> str:
    """Return what a file of the kernel says, nothing if it is not there."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(text)
