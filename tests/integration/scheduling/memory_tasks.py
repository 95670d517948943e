"""Tasks that take memory; workers import them by name."""

from __future__ import annotations

import os
import time

MIB = 1 << 20

_kept: list[bytearray] = []


def take(mib: int, seconds: float = 0.0) -> int:
    """Have so much memory for a while; return the process id."""
    data = _filled(mib)
    time.sleep(seconds)
    assert data
    return os.getpid()


def leak(mib: int) -> int:
    """Keep so much memory for good; return the process id."""
    _kept.append(_filled(mib))
    return os.getpid()


def take_in_children(mib: int, count: int, seconds: float) -> None:
    """Have so much memory in each of some children, which are sessions of their own."""
    for _ in range(count):
        if os.fork() == 0:
            os.setsid()
            take(mib, seconds)
            os._exit(0)
    time.sleep(seconds)


def share_with_children(mib: int, count: int, seconds: float) -> str:
    """Have memory that some copies of this process have too, without using more of it."""
    data = _filled(mib)
    children = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            time.sleep(seconds)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    return f"{len(data) // MIB} MiB"


def _filled(mib: int) -> bytearray:
    return bytearray(b"x" * MIB) * mib
