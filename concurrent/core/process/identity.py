"""Which process it is: a text that no other has, on any machine, and whether that process is there still."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["has_ended", "this_process"]

STATE, BEGUN_AT = 0, 19
"""Where its state is in ``stat``, behind the name, and when it began, in ticks since the machine did."""

ENDED: Final = "ZXx"
"""States of a process that has ended, of which only its parent has not taken note."""

PARTS: Final = 3


class _Stat(NamedTuple):
    state: str
    begun_at: str


def this_process() -> str:
    """Return a text that stands for this process, such as ``41f3...:4026531836/4711/8236``. Any thread.

    It has the run of the kernel and the namespace of process numbers, the number, and when the process began,
    so a number that is used again does not matter. Where the kernel does not say these, the name of the machine
    and the number have to do.
    """
    pid = os.getpid()
    stat = _stat(pid)
    return f"{_realm()}/{pid}/{stat.begun_at if stat is not None else ''}"


def has_ended(process: str) -> bool:
    """Return whether a process has ended that was here, where its number means the same. Any thread.

    Of one elsewhere that cannot be told, nor of a text that stands for none.

    :param process: what :func:`this_process` has returned there.
    """
    parts = process.split("/")
    if len(parts) != PARTS or parts[0] != _realm() or not parts[1].isdecimal():
        return False
    if parts[2]:
        stat = _stat(int(parts[1]))
        return stat is None or stat.state in ENDED or stat.begun_at != parts[2]
    try:
        os.kill(int(parts[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's, or no number of a process
        return False
    return False


def _stat(pid: int) -> _Stat | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return _Stat(fields[STATE].decode(), fields[BEGUN_AT].decode())


def _realm() -> str:
    """Return within what numbers of processes mean the same."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname().replace("/", "-")
