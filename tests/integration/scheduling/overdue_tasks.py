"""Tasks that do not end by themselves, each in a way of its own; workers import them by name.

Each writes the ids of its processes to a file, one a line.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "KINDS",
    "be_overdue",
    "clean_up_and_sleep",
    "clean_up_for",
    "clean_up_slowly",
    "end_a_fork",
    "in_two_steps",
    "nap",
    "note_then",
]

FOREVER_S = 1000.0

PTRACE_TRACEME, PTRACE_ATTACH = 0, 16


def be_overdue(kind: str, path: str) -> None:
    """Run for ever, in a way of :data:`KINDS`."""
    _note(path)
    print(f"it runs: {kind}")
    KINDS[kind](path)


def clean_up_and_sleep(path: str) -> None:
    """Sleep for ever, and clean up when that is interrupted."""
    _note(path)
    try:
        time.sleep(FOREVER_S)
    finally:
        with open(path, "a") as file:
            file.write("cleaned up\n")
        print("cleaned up")


def clean_up_for(path: str, seconds: float) -> None:
    """Sleep for ever, and clean up for so long when that is interrupted."""
    _note(path)
    try:
        time.sleep(FOREVER_S)
    finally:
        time.sleep(seconds)
        with open(path, "a") as file:
            file.write("cleaned up\n")


def clean_up_slowly(path: str, seconds: float) -> str:
    """Take what interrupts it for no error, and return after a while."""
    _note(path)
    try:
        time.sleep(FOREVER_S)
    except SystemExit:
        time.sleep(seconds)
    return "a result that does not count"


def in_two_steps(path: str) -> None:
    """Clean up as long as it gets on with it; a second signal ends that as well."""
    _note(path)
    try:
        time.sleep(FOREVER_S)
    finally:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(FOREVER_S)
        finally:
            with open(path, "a") as file:
                file.write("cleaned up\n")


def note_then(path: str, seconds: float) -> None:
    """Write that it runs, and sleep."""
    _note(path)
    time.sleep(seconds)


def nap(seconds: float) -> None:
    """Sleep."""
    time.sleep(seconds)


def end_a_fork() -> int:
    """Tell a copy of this process to end; return its exit code."""
    pid = os.fork()
    if pid == 0:
        time.sleep(FOREVER_S)
    os.kill(pid, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _note(path: str, pid: int = 0) -> None:
    with open(path, "a") as file:
        file.write(f"{pid or os.getpid()}\n")


def _loop(_path: str = "") -> None:
    while True:
        pass


def _sleep(_path: str = "") -> None:
    time.sleep(FOREVER_S)


def _native(_path: str) -> None:
    sum(range(10**13))  # holds the lock of the interpreter, and looks for no signals


def _match(_path: str) -> None:
    re.match("(a+)+$", "a" * 60 + "b")


def _ignore(_path: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _loop()


def _handle(_path: str) -> None:
    signal.signal(signal.SIGTERM, lambda *_: None)
    _loop()


def _block(_path: str) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    _sleep()


def _catch(_path: str) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(FOREVER_S)


def _finally(_path: str) -> None:
    try:
        time.sleep(FOREVER_S)
    finally:
        _loop()


def _stop(_path: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)
    _sleep()


def _threads(_path: str) -> None:
    threads = [threading.Thread(target=_loop) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _command(path: str) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"]) as command:
        _note(path, command.pid)
        _loop()


def _session(path: str) -> None:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as command:
        _note(path, command.pid)
        _loop()


def _child(path: str, body: Callable[[], Any]) -> None:
    if os.fork() == 0:
        _note(path)
        body()
        os._exit(0)


def _deaf_child(path: str) -> None:
    def body() -> None:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _sleep()

    _child(path, body)
    _sleep()


def _stopped_child(path: str) -> None:
    _child(path, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    _sleep()


def _daemon(path: str) -> None:
    def body() -> None:
        os.setsid()
        _child(path, _sleep)

    _child(path, body)
    _sleep()


def _forks(path: str) -> None:
    """Fork on and on: each child begins a session, forks the next one and ends. The file tells of each."""
    for _ in range(3):
        if os.fork() == 0:
            while True:
                os.setsid()
                _note(path)
                if os.fork():
                    os._exit(0)
    _sleep()


def _trace(path: str, leave: Callable[[], object]) -> None:
    """Have a child trace this process, which then has ended for nobody else before the child has."""
    traced = os.getpid()

    def body() -> None:
        leave()
        ctypes.CDLL(None).ptrace(PTRACE_ATTACH, traced, 0, 0)
        _sleep()

    _child(path, body)
    _sleep()


def _ask_to_be_traced(_path: str) -> None:
    ctypes.CDLL(None).ptrace(PTRACE_TRACEME, 0, 0, 0)
    os.kill(os.getpid(), signal.SIGUSR1)
    _sleep()


KINDS: dict[str, Callable[[str], None]] = {
    "a loop": _loop,
    "a sleep": _sleep,
    "native code": _native,
    "a regular expression": _match,
    "an ignored signal": _ignore,
    "a handled signal": _handle,
    "blocked signals": _block,
    "an error that is caught": _catch,
    "a clean-up that loops": _finally,
    "a stopped process": _stop,
    "threads": _threads,
    "a command": _command,
    "a command in its own session": _session,
    "a child that ignores signals": _deaf_child,
    "a stopped child": _stopped_child,
    "a daemon": _daemon,
    "a child that traces it": lambda path: _trace(path, lambda: None),
    "a child that traces it from another group": lambda path: _trace(path, lambda: os.setpgid(0, 0)),
    "a child that traces it from another session": lambda path: _trace(path, os.setsid),
    "a process that its parent traces": _ask_to_be_traced,
    "processes that fork on and on": _forks,
}
