"""What a task can do to its process that another one could meet; workers import it by name."""

from __future__ import annotations

import atexit
import builtins
import locale
import os
import resource
import signal
import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

MARK = "concurrent-test-mark"


def leave_marks(folder: str) -> int:
    """Change whatever a process has; return which process that was."""
    os.environ["MARK"] = MARK
    os.chdir(folder)
    os.umask(0o077)
    sys.path.insert(0, MARK)
    sys.modules[MARK] = sys
    statistics.mean = lambda _values: 42  # type: ignore[assignment]
    builtins.MARK = MARK  # type: ignore[attr-defined]
    signal.signal(signal.SIGUSR1, lambda _number, _frame: None)
    locale.setlocale(locale.LC_ALL, "C")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(777)
    os.open(Path(folder, MARK), os.O_CREAT | os.O_RDWR)
    tempfile.tempdir = folder
    threading.Thread(target=threading.Event().wait, name=MARK, daemon=True).start()
    atexit.register(Path(folder, "ended").write_text, str(os.getpid()))
    return os.getpid()


def state() -> dict[str, Any]:
    """Return what :func:`leave_marks` changes."""
    mask = os.umask(0)
    os.umask(mask)
    names = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    return {
        "environment": os.environ.get("MARK"),
        "folder": os.getcwd(),
        "mask": mask,
        "path": MARK in sys.path,
        "module": MARK in sys.modules,
        "patched": statistics.mean([1, 2, 3]),
        "builtin": hasattr(builtins, "MARK"),
        "handler": signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL,
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion": sys.getrecursionlimit(),
        "files": sorted(name for name in names if MARK in name),
        "temporary": tempfile.tempdir,
        "threads": [thread.name for thread in threading.enumerate() if thread.name == MARK],
    }


def shared_memories() -> set[int]:
    """Return which memories this process shares: their inodes, which no two of them ever have.

    Compare them with those of before, one by one: what others have left to the garbage collection may go
    at any time.
    """
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {int(line.split()[4]) for line in lines if "/memfd:concurrent" in line}


def pid_and_shared_memories() -> tuple[int, set[int]]:
    """Return this process, and which memories it shares."""
    return os.getpid(), shared_memories()
