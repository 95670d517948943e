"""What the tests have their workers do; workers import it by name."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import signal
import socket
import stat
import subprocess
import sys
import threading
from typing import Any

from concurrent.scheduling import Task, current_task

CONNECT_TIMEOUT_S = 10.0
FLOOD_BYTES = 200_000


def square(number: int) -> int:
    return number * number


def fail(text: str) -> None:
    raise ValueError(text)


def echo(value: Any) -> Any:
    return value


def size_and_kind(value: Any) -> tuple[int, str]:
    return len(value), type(value).__name__


def hold(port: int, answer: Any = "released") -> Any:
    """Tell the gate that this runs, and return when it lets go."""
    with socket.create_connection(("127.0.0.1", port), CONNECT_TIMEOUT_S) as gate:
        gate.sendall(str(os.getpid()).encode())
        gate.settimeout(None)
        gate.recv(1)
    return answer


def hold_if(port: int, text: str = "") -> Any:
    """Print a text, if there is one, and return at once if there is no gate."""
    if text:
        print(text)
    return hold(port) if port else None


def hold_for_bytes(port: int, count: int) -> bytes:
    hold(port)
    return bytes(count)


def print_and_hold(text: str, port: int) -> Any:
    print(text)
    return hold(port)


def make_unpicklable() -> Any:
    return threading.Lock()


def print_lines(*lines: str) -> None:
    for line in lines:
        print(line)
    print("to stderr", file=sys.stderr)


def print_from_a_program(text: str) -> None:
    subprocess.run([sys.executable, "-c", f"print({text!r})"], check=True, timeout=20)


def die_by_signal(text: str) -> None:
    print(text)
    os.kill(os.getpid(), signal.SIGKILL)


def stop_self() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def die_by_exit(text: str) -> None:
    print(text)
    os._exit(3)


def die_by_segfault(text: str) -> None:
    print(text)
    ctypes.string_at(0)


def fork_and_go_on() -> str:
    """Leave a copy of the worker behind that must not go on as one."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return "parent"
    return "child"


def exit_politely() -> None:
    sys.exit("enough")


def daemonise(port: int) -> None:
    """Start a process that left session and parent, and wait; both tell the gate their pids."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            hold(port)
        os._exit(0)
    os.wait()
    hold(port)


class Block:
    """Data that supports buffers outside of the pickle, like an array."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __reduce_ex__(self, protocol: Any) -> Any:
        return Block, (pickle.PickleBuffer(self.data),)


def invert_in_place(block: Block) -> Block:
    view = memoryview(block.data)
    view[0] ^= 0xFF
    return block


_kept: list[Block] = []


def keep(block: Block) -> list[int]:
    """Keep a block, and return the first byte of each one so far; each byte must be as the first."""
    _kept.append(block)
    for kept in _kept:
        data = bytes(kept.data)
        assert data == data[:1] * len(data)
    return [kept.data[0] for kept in _kept]


def repeated(byte: int, count: int) -> bytes:
    return bytes([byte]) * count


class Cleaning(Task):
    """A task whose input does not travel home."""

    returns_task = True

    def __init__(self, data: bytes) -> None:
        super().__init__("cleaning")
        self.data = data

    def __call__(self) -> int:
        return len(self.data)

    def clean_up(self) -> None:
        self.data = b""


def _sockets() -> list[int]:
    """Return the descriptors of every socket that this process has."""
    found = []
    for fd in range(3, 64):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                found.append(fd)
    return found


def spoil_sockets(how: str, data: bytes = b"") -> None:
    """Do something to the sockets of this worker, and go on as if nothing had been."""
    for fd in _sockets():
        if how == "write":
            os.write(fd, data)
        elif how == "close":
            os.close(fd)
        else:
            with socket.socket(fileno=os.dup(fd)) as sock, contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def kill_parent() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()


def write_to_all_sockets(data: bytes) -> None:
    """Write to every socket that this process has, and then wait for the worst."""
    for fd in _sockets():
        with contextlib.suppress(OSError):
            os.write(fd, data)
    signal.pause()


def say(one: int) -> int:
    current_task().progress(one, 20, f"step {one}")
    print("this is", one)
    return one


def say_and_hold(port: int) -> None:
    task = current_task()
    print("first line")
    task.progress(1, 2, "holds")
    hold(port)
    print("last line")
    task.progress(2, 2)


def say_elsewhere(how: str, port: int) -> None:
    def speak() -> None:
        current_task().progress(1, 2, how)
        current_task().log(f"in the {how}")

    if how == "thread":
        thread = threading.Thread(target=speak)
        thread.start()
        thread.join()
    else:
        pid = os.fork()
        if not pid:
            speak()
            os._exit(0)
        os.waitpid(pid, 0)
    hold(port)


def flood_and_hold(port: int) -> None:
    line = "x" * 99 + "\n"
    sys.stdout.write(line * (FLOOD_BYTES // len(line)))
    print("the end")
    hold(port)


def close_all_and_say() -> None:
    """Say something when no file is open; the worker ends of that."""
    os.closerange(0, 1024)
    current_task().log("nobody reads it")
    current_task().progress(1, 1, "closed")
