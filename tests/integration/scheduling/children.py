"""Entries of processes that the tests launch."""

from __future__ import annotations

import atexit
import os
import socket
import sys
import threading
from typing import Any

from concurrent.scheduling.processes import processend
from tests.integration.scheduling import workloads


def answer(sock: socket.socket, *args: Any) -> None:
    """Send the arguments and what the process looks like back."""
    with sock:
        sock.sendall(repr((args, os.getpid(), threading.active_count())).encode())


def hash_of(sock: socket.socket, text: str) -> None:
    """Send the hash of a text."""
    with sock:
        sock.sendall(repr(hash(text)).encode())


def open_files(sock: socket.socket) -> None:
    """Send where the open descriptors lead to, other than the null device."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue
    with sock:
        sock.sendall(repr([path for path in found if path != os.devnull]).encode())


def exit_with(code: int) -> None:
    print("leaving")
    sys.exit(code)


def fail() -> None:
    raise ValueError("an entry that fails")


def end_slowly() -> None:
    """Have something to do at the end that takes too long."""
    processend.FINISH_S = 0.2  # type: ignore[misc]
    atexit.register(threading.Event().wait, 60)


def hold(port: int) -> None:
    workloads.hold(port)


def daemonise(port: int) -> None:
    workloads.daemonise(port)
