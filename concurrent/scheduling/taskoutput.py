"""What tasks print: a file in memory that a process writes and its owner can read at any time.

The file survives the process, so the last lines of a worker that was killed are still there. Nobody has
to read it for the process to go on, and a task that prints nothing costs nothing.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from typing import Any, Final

__all__ = ["OUTPUT_BYTES_MAX", "TAIL_BYTES", "CapturedOutput", "OutputFile", "without_own_frames"]

TAIL_BYTES: Final = 16384
"""How much of the end of a task's output is kept as evidence: the stack of a crash fits in."""

SHIP_BYTES_MAX: Final = 65536
"""How much of the end of one task's output goes to the log."""

OUTPUT_BYTES_MAX: Final = 16 * 1024 * 1024
"""A file that grows beyond this is emptied: what floods the log helps nobody."""

OWN_FRAME: Final = "concurrent/scheduling/batch.py"
"""Where every task is called from."""

if sys.platform == "win32":
    APPEND_FLAG = 0
else:
    import fcntl

    APPEND_FLAG = os.O_APPEND


def _read_at(fd: int, count: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(fd, count, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, count)


def without_own_frames(text: str) -> str:
    """Return the output of a crash without the frames below the task's own.

    ``faulthandler`` writes the stack of a process that crashes, the newest frame first; below the task's
    frames it is that of the worker and of everything that it was forked from.
    """
    lines = text.split("\n")
    for first, line in enumerate(lines):
        if OWN_FRAME in line.replace(os.sep, "/"):
            rest = first
            while rest < len(lines) and lines[rest].startswith("  File "):
                rest += 1
            return "\n".join([*lines[:first], *lines[rest:]])
    return text


class OutputFile:
    """The owner's side of the output of one process. One thread.

    :param name: a name for the file, seen in lists of open files.
    """

    def __init__(self, name: str) -> None:
        if hasattr(os, "memfd_create"):
            self._fd = os.memfd_create(name, os.MFD_CLOEXEC)
        else:
            with tempfile.TemporaryFile(prefix=name) as file:
                self._fd = os.dup(file.fileno())
        if sys.platform != "win32":
            fcntl.fcntl(self._fd, fcntl.F_SETFL, fcntl.fcntl(self._fd, fcntl.F_GETFL) | APPEND_FLAG)

    def fileno(self) -> int:
        """Return the file descriptor that becomes the standard output of the process."""
        return self._fd

    def read_from(self, offset: int) -> tuple[bytes, int]:
        """Return the end of what was written behind ``offset``, and the offset to go on from.

        A file that has become too large is emptied.
        """
        size_bytes = os.fstat(self._fd).st_size
        if size_bytes <= offset:
            return b"", size_bytes
        count = min(size_bytes - offset, SHIP_BYTES_MAX)
        data = _read_at(self._fd, count, size_bytes - count)
        if size_bytes > OUTPUT_BYTES_MAX:
            os.ftruncate(self._fd, 0)
            size_bytes = 0
        return data, size_bytes

    def tail(self) -> str:
        """Return the last ``TAIL_BYTES`` bytes as text."""
        size_bytes = os.fstat(self._fd).st_size
        data = _read_at(self._fd, TAIL_BYTES, max(0, size_bytes - TAIL_BYTES))
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        """Free the file; may be repeated."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class _NotingFile(io.RawIOBase):
    """A raw file that notes that something was written."""

    def __init__(self, fd: int, owner: CapturedOutput) -> None:
        super().__init__()
        self._fd = fd
        self._owner = owner

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._owner.is_written = True
        return os.write(self._fd, data)


class CapturedOutput:
    """The worker's side: takes over ``sys.stdout`` and ``sys.stderr``. Main thread of a worker.

    The descriptors 1 and 2 must be the output file already. ``is_written`` is set when Python code
    prints; what C code and subprocesses print is found by looking at the size of the file.
    """

    def __init__(self) -> None:
        self.is_written = False
        self._fd = os.dup(1)
        sys.stdout = self._stream(1)
        sys.stderr = self._stream(2)

    def _stream(self, fd: int) -> io.TextIOWrapper:
        raw: Any = _NotingFile(fd, self)
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)

    def peek(self, count: int) -> bytes:
        """Return up to ``count`` bytes of the end of what was printed."""
        size_bytes = os.fstat(self._fd).st_size
        return _read_at(self._fd, count, max(0, size_bytes - count)) if size_bytes else b""

    def take(self) -> tuple[int, bytes]:
        """Empty the file; return how many bytes were printed since the last call, and the end of them."""
        self.is_written = False
        size_bytes = os.fstat(self._fd).st_size
        if not size_bytes:
            return 0, b""
        data = self.peek(SHIP_BYTES_MAX)
        os.ftruncate(self._fd, 0)
        return size_bytes, data
