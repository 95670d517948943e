"""What tasks of tests do with processes. Imported by workers."""

from __future__ import annotations

import _thread
import atexit
import contextlib
import gzip
import io
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil


def exit_code_of_fork(kind: str) -> int:
    """Fork, have the copy end in some way, and return its exit code."""
    pid = os.fork()
    if pid == 0:
        if kind == "exit":
            sys.exit(3)
        if kind == "exit with a text":
            sys.exit("a reason")
        if kind == "raise":
            raise ValueError("in the copy")
        if kind == "leave":
            os._exit(4)
        return -1
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_and_note(path: str, text: str) -> int:
    """Append a line; every second call has a copy that comes back from it, or raises."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    pid = os.fork()
    if pid == 0:
        if text == "raises":
            raise ValueError(text)
        return -1
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def leave_orphan() -> None:
    subprocess.run(["sh", "-c", "sleep 0.01 > /dev/null 2>&1 &"], check=True)


def leave_behind(how: str) -> int:
    """Start a process that goes on when the task has ended; return its process id."""
    if how == "fork":
        pid = os.fork()
        if pid == 0:
            os.execvp("sleep", ["sleep", "71"])
        return pid
    if how == "orphan":
        done = subprocess.run(
            ["sh", "-c", "sleep 72 > /dev/null 2>&1 & echo $!"], stdout=subprocess.PIPE, check=True
        )
        return int(done.stdout)
    if how == "copy":
        pid = os.fork()
        if pid == 0:
            os.setsid()
            threading.Event().wait(60)
            os._exit(0)
        return pid
    return subprocess.Popen(["setsid", "sleep", "73"]).pid


def zombies() -> list[int]:
    """Return the zombies below the process that forks workers."""
    zygote = psutil.Process(os.getppid())
    found = []
    for one in zygote.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if one.status() == psutil.STATUS_ZOMBIE:
                found.append(one.pid)
    return found


def leave_open(folder: str) -> list[str]:
    """Leave things of all kinds to be finished at the end; return the paths that shall be gone then."""
    global left

    def write_late() -> None:
        threading.Event().wait(0.1)
        Path(folder, "thread").write_text("done")

    atexit.register(Path(folder, "atexit").write_text, "done")
    packed = gzip.open(Path(folder, "packed.gz"), "wt")  # noqa: SIM115  # left open, as all of them
    packed.write("done")
    file = Path(folder, "file").open("w")  # noqa: SIM115
    file.write("done")
    temporary = tempfile.NamedTemporaryFile()  # noqa: SIM115
    temporary_folder = tempfile.TemporaryDirectory()
    threading.Thread(target=write_late).start()
    left = [packed, file, temporary, temporary_folder]
    return [temporary.name, temporary_folder.name]


left: list[Any] = []


def spoil_streams(how: str) -> None:
    """Do to the streams of the process what tasks do by mistake."""
    if how == "closed descriptors":
        for fd in range(3):
            os.close(fd)
    elif how == "closed streams":
        sys.stdout.close()
        sys.stderr.close()
    elif how == "redirected descriptors":
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
    elif how == "redirected streams":
        sys.stdout = sys.stderr = io.StringIO()
    elif how == "no streams":
        sys.stdout = sys.stderr = None  # type: ignore[assignment]


def print_everywhere(text: str) -> None:
    print(f"{text} by print")
    print(f"{text} by print to stderr", file=sys.stderr)
    subprocess.run(
        ["sh", "-c", f"echo {text} by a command; echo {text} by a command to stderr >&2"], check=True
    )


def print_much(lines: int) -> None:
    for number in range(lines):
        print(f"line {number}")


def be_interrupted() -> None:
    """Have this very task interrupted, as libraries do that limit times."""
    _thread.interrupt_main()
    threading.Event().wait(20)
