"""Programs that stand for those of users: started in odd ways, they say what their tasks see of it."""

from __future__ import annotations

import atexit
import json
import logging
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from concurrent.apps import LocalCluster


def seen() -> dict[str, Any]:
    """Return what a task sees of its process, as plain values."""
    default = signal.SIG_DFL
    umask = os.umask(0)
    os.umask(umask)
    command = [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT))"]
    return {
        "argv": sys.argv,
        "optimize": sys.flags.optimize,
        "dev_mode": sys.flags.dev_mode,
        "warnoptions": sys.warnoptions,
        "xoptions": sys._xoptions.get("marker"),
        "recursion_limit": sys.getrecursionlimit(),
        "is_user_warning_an_error": warnings.filters[0][:1] == ("error",),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "handled": [n.name for n in (signal.SIGUSR1, signal.SIGCHLD, signal.SIGHUP)
                    if signal.getsignal(n) is not default],
        "int_of_commands": subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip(),
        "stdin": os.read(0, 10).decode() + sys.stdin.read(),
        "open_files_max": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "umask": umask,
        "folder": os.getcwd(),
        "thread": threading.current_thread().name,
        "is_daemon": multiprocessing.current_process().daemon,
        "hash": hash("text"),
    }  # fmt: skip


def place_and_hash(text: str) -> tuple[int, int]:
    """Return which zygote this worker is of, and a hash; take a while, so that each slave gets some."""
    time.sleep(0.05)
    return os.getppid(), hash(text)


def put(proxy: Any, value: int) -> None:
    proxy.append(value)


def say(text: str) -> None:
    print(f"{text}-printed")
    logging.getLogger("mine").info("%s-logged", text)


def be_odd() -> None:
    """Have state of all kinds that must not, or must, be seen in tasks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR2})
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(4321)
    warnings.simplefilter("error", UserWarning)
    os.umask(0o27)
    threading.current_thread().name = "renamed"
    os.dup2(1, 250)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    sys.stdin.readline()
    logging.basicConfig(level=logging.INFO, format="MINE %(message)s")


def main(mode: str) -> None:
    """Print what a task sees, as JSON; with "threads" its processes are new interpreters, not forks."""
    be_odd()
    folder = tempfile.TemporaryDirectory()
    atexit.register(print, "the program has ended", file=sys.stderr)
    if mode == "threads":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    with multiprocessing.Manager() as manager, LocalCluster(workers=1) as cluster:
        numbers = manager.list()
        cluster.submit(put, numbers, 5).result(timeout=30)
        cluster.submit(say, "marker").result(timeout=30)
        answer = cluster.submit(seen).result(timeout=30)
        answer["proxy"] = list(numbers)
    answer["is_folder_there"] = Path(folder.name).is_dir()
    answer["own_hash"] = hash("text")
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
