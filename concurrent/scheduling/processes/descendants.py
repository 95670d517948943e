"""Processes below this one: kill them all, and have the kernel help with it where it can.

Linux has two settings for this (``prctl(2)``): a *child subreaper* becomes the parent of descendants whose
own parent ended, so that a daemon cannot slip away; a *parent death signal* ends a child with its parent.
Where they are missing, only process groups are known.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = [
    "become_subreaper",
    "below",
    "children",
    "command_of",
    "die_with_parent",
    "environment_of",
    "kill",
    "kill_group",
    "session_of",
    "terminate",
    "watch",
]

COMMAND_LENGTH_MAX: Final = 80
PR_SET_PDEATHSIG: Final = 1
PR_SET_CHILD_SUBREAPER: Final = 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


def become_subreaper() -> bool:
    """Make the calling process the parent of its orphaned descendants; false where that is unknown."""
    return _prctl is not None and _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def die_with_parent(parent_pid: int) -> bool:
    """Have the kernel kill the calling process when the thread that forked it ends.

    :param parent_pid: the expected parent; if it is gone already, the process ends here and now.
    :returns: whether the platform can do it.
    """
    if _prctl is None or _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        return False
    if os.getppid() != parent_pid:
        os._exit(1)
    return True


def watch(pid: int) -> int | None:
    """Return a descriptor that becomes readable when a process ends; None where that is unknown."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:  # an old kernel, or it is gone
        return None


def children() -> list[int]:
    """Return the process ids of the children of this process, zombies too; Linux, else none."""
    pid = os.getpid()
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]
    except OSError:
        return [child for child, parent, _ in _processes() if parent == pid]


def below() -> list[int]:
    """Return the process ids of all processes below this one that have not ended; Linux, else none."""
    children_by_parent: dict[int, list[int]] = {}
    ended = set()
    for pid, parent, letter in _processes():
        children_by_parent.setdefault(parent, []).append(pid)
        if letter == "Z":
            ended.add(pid)
    found = []
    rest = [os.getpid()]
    while rest:
        some = children_by_parent.get(rest.pop(), [])
        found += [pid for pid in some if pid not in ended]
        rest += some
    return found


def _processes() -> Iterator[tuple[int, int, str]]:
    """Yield the process id of each process of this machine, that of its parent, and its state."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            letter, parent, *_ = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it has gone meanwhile
            continue
        yield int(path.parent.name), int(parent), letter


def environment_of(pid: int) -> list[bytes]:
    """Return the entries of the environment that a process was started with; none if that is not told.

    It is empty for a moment while a process turns to another program.
    """
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


def command_of(pid: int) -> str:
    """Return the command line of a process for people, shortened; its name if it has none."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        text = b" ".join(words).decode(errors="replace").strip()
        text = text or Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "?"
    return text if len(text) <= COMMAND_LENGTH_MAX else f"{text[:COMMAND_LENGTH_MAX]} ..."


def session_of(pid: int) -> int:
    """Return the session of a process, which is the pid of the one that began it; 0 if it is gone."""
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def terminate(pid: int) -> None:
    """Send SIGTERM to a process, and have it go on if it was stopped; nothing happens if it is gone."""
    for number in (signal.SIGTERM, signal.SIGCONT):
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def kill(pid: int) -> None:
    """Send SIGKILL to a process; nothing happens if it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_group(pid: int) -> None:
    """Send SIGKILL to the process group that ``pid`` leads; nothing happens if it is gone."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
