"""Tasks that take memory; workers import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from concurrent.scheduling.processes.memory import memory_reader

MIB = 1 << 20

_kept: list[bytearray] = []


def take(mib: int, seconds: float = 0.0) -> int:
    """Have so much memory for a while; return the process id."""
    data = _filled(mib)
    time.sleep(seconds)
    assert data
    return os.getpid()


def note_and_take(path: str, mib: int, seconds: float = 0.0) -> int:
    """Note the process id in a file, then have so much memory for a while; return the process id."""
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    return take(mib, seconds)


def figures() -> tuple[int, int]:
    """Return how many bytes this process uses, with all and with its part of what it shares with its copies."""
    reader = memory_reader()
    return reader.used_bytes(os.getpid()), reader.exact_bytes(os.getpid())


def leak(mib: int, seconds: float = 0.0) -> int:
    """Keep so much memory for good; return the process id after a while."""
    _kept.append(_filled(mib))
    time.sleep(seconds)
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


def be_killed_by_kernel(folder: str, notes: str) -> None:
    """End as the kernel ends a worker whose control group, the only one in a folder, is full."""
    with open(notes, "a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    (group,) = Path(folder).glob("worker-*")
    (group / "memory.events").write_text("oom 1\noom_kill 1\n", encoding="ascii")
    (group / "memory.peak").write_text(str(300 * MIB), encoding="ascii")
    os.kill(os.getpid(), signal.SIGKILL)


def doors(folder: str) -> list[str]:
    """Return who has entered the control groups in a folder."""
    return [path.read_text(encoding="ascii") for path in Path(folder).glob("worker-*/cgroup.procs")]
