"""Runs a program on a terminal of its own, and tells what was to be seen there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

from tests.terminal import Emulator

__all__ = ["run_on_terminal"]


def run_on_terminal(
    command: Sequence[object],
    *,
    columns: int = 80,
    rows: int = 24,
    variables: Mapping[str, str] | None = None,
    timeout_s: float = 60.0,
) -> tuple[int, list[str], str]:
    """Run a program to its end; return its exit code, all lines of the terminal, and what was written to it."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm", **(variables or {})}
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)
    with subprocess.Popen(
        [str(word) for word in command], stdin=its, stdout=its, stderr=its, env=environment
    ) as program:
        os.close(its)
        written = b""
        try:
            while data := _read(ours):
                written += data
            code = program.wait(timeout_s)
        finally:
            program.kill()
            os.close(ours)
    text = written.decode()
    emulator = Emulator(columns, rows)
    emulator.feed(text)
    return code, emulator.lines(), text


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65536)
    except OSError:  # nobody has the other end any more
        return b""
