"""What the tests have run on workers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading

from concurrent.scheduling import current_task


def square(number: int) -> int:
    return number**2


def add(first: int, second: int) -> int:
    return first + second


def size_and_copy(data: bytes) -> tuple[int, bytes]:
    return len(data), data


def fail(text: str) -> None:
    raise LookupError(text)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def square_or_die(number: int) -> int:
    if number == 5:
        die()
    return number**2


def lock() -> object:
    return threading.Lock()


def hold(port: int) -> int:
    """Wait at the gate of the test; return the pid of the worker."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as gate:
        gate.sendall(str(os.getpid()).encode())
        gate.recv(1)
    return os.getpid()


def hold_unless_zero(port: int) -> int:
    """Wait at the gate if there is one."""
    return hold(port) if port else 0


def say_and_hold(port: int) -> int:
    """Say how far it is, then wait at the gate of the test."""
    current_task().progress(3, 10, "training")
    return hold(port)
