"""What tasks print: a file in memory that a process writes and its owner can read at any time.

The file survives the process, so the last lines of a worker that was killed are still there. Nobody has
to read it for the process to go on, and a task that prints nothing costs nothing.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from typing import Any, Final

__all__ = ["OUTPUT_BYTES_MAX", "TAIL_BYTES", "CapturedOutput", "OutputFile", "shown_end", "without_own_frames"]

TAIL_BYTES: Final = 16384
"""How much of the end of a task's output is kept as evidence: the stack of a crash fits in."""

SHIP_BYTES_MAX: Final = 65536
"""How much of a task's output goes to the log at once; of more the beginning and the end, half of it each."""

OUTPUT_BYTES_MAX: Final = 16 * 1024 * 1024
"""A file that grows beyond this is emptied, and that is logged: what floods the log helps nobody."""

OWN_FRAME: Final = "concurrent/scheduling/pickling/batch.py"
"""Where every task is called from."""

if sys.platform == "win32":
    APPEND_FLAG = 0
else:
    import fcntl

    APPEND_FLAG = os.O_APPEND

PLACE: Final = 1 << 40 if APPEND_FLAG else 0
"""Where nobody reads or writes another file. What is written to ours comes to its end, wherever this is."""


def _read_at(fd: int, count: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(fd, count, offset)
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, count)


def _ends(fd: int, start: int, end: int) -> tuple[bytes, bytes]:
    """Return the beginning and the end of a part of a file; the beginning is empty if the end is all of it."""
    if end - start <= SHIP_BYTES_MAX:
        return b"", _read_at(fd, end - start, start)
    half = SHIP_BYTES_MAX // 2
    return _read_at(fd, half, start), _read_at(fd, half, end - half)


def shown_end(tail: bytes, size_bytes: int) -> str:
    """Return the end of what a task has printed as text, with a line that says how much is left out before it.

    :param size_bytes: how much it has printed in all.
    """
    tail = tail[-TAIL_BYTES:]
    left_out_bytes = size_bytes - len(tail)
    if left_out_bytes <= 0:
        return tail.decode("utf-8", "replace")
    start = tail.find(b"\n", 0, -1) + 1  # a line that is there in part is left out too, if others follow
    notice = f"... {left_out_bytes + start} bytes of its output are left out here ...\n"
    return notice + tail[start:].decode("utf-8", "replace")


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
        self._seen_bytes = 0
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

    def read_from(self, offset: int) -> tuple[bytes, int, bytes, int]:
        """Return what was written behind ``offset``, and the offset to go on from.

        It comes as its beginning, how many bytes are left out, and its end. A line that is being written is
        left for the next time, unless it has not grown since. A file that has become too large is emptied.
        """
        size_bytes = os.fstat(self._fd).st_size
        if size_bytes <= offset:
            return b"", 0, b"", size_bytes
        has_grown = size_bytes != self._seen_bytes
        self._seen_bytes = size_bytes
        is_too_large = size_bytes > OUTPUT_BYTES_MAX
        head, tail = _ends(self._fd, offset, size_bytes)
        left_out_bytes = size_bytes - offset - len(head) - len(tail)
        if is_too_large:
            left_out_bytes += max(0, os.fstat(self._fd).st_size - size_bytes)
            os.ftruncate(self._fd, 0)
            return head, left_out_bytes, tail, 0
        if has_grown:
            kept = max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1
            if kept or len(tail) < SHIP_BYTES_MAX // 2:
                size_bytes -= len(tail) - kept
                tail = tail[:kept]
        return head, left_out_bytes, tail, size_bytes

    def end(self, emptied_bytes: int = 0) -> str:
        """Return the end of what is there, see :func:`shown_end`.

        :param emptied_bytes: how much was there before the file was emptied.
        """
        size_bytes = os.fstat(self._fd).st_size
        data = _read_at(self._fd, TAIL_BYTES, max(0, size_bytes - TAIL_BYTES))
        return shown_end(data, emptied_bytes + size_bytes)

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
    """A raw file that notes that something was written.

    :param fd: the descriptor that it says it has.
    :param to: the one that it writes to, which tasks do not know and so do not close.
    """

    def __init__(self, fd: int, to: int, owner: CapturedOutput) -> None:
        super().__init__()
        self._fd = fd
        self._to = to
        self._owner = owner

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._owner.is_written = True
        return os.write(self._to, data)


class CapturedOutput:
    """The worker's side: takes over ``sys.stdout`` and ``sys.stderr``. Main thread of a worker.

    The descriptors 1 and 2 must be the output file already. ``is_written`` is set when Python code
    prints; what C code and subprocesses print is found by looking at the size of the file. What one task does
    to its streams and descriptors is undone for the next ones.
    """

    def __init__(self) -> None:
        self.is_written = False
        self._fd = os.dup(1)
        self._inode = os.fstat(1).st_ino
        self._open_streams()

    def _open_streams(self) -> None:
        self.stdout = sys.stdout = self._stream(1)
        self.stderr = sys.stderr = self._stream(2)

    def _stream(self, fd: int) -> io.TextIOWrapper:
        raw: Any = _NotingFile(fd, self._fd, self)
        return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)

    def write_line(self, text: str) -> None:
        """Write a line behind what was printed, whatever the streams are now. Any thread.

        :raises OSError: if a task has closed the file.
        """
        os.write(self._fd, f"{text}\n".encode("utf-8", "backslashreplace"))
        self.is_written = True

    def restore_streams(self) -> None:
        """Have ``sys.stdout`` and ``sys.stderr`` lead here again; a task has put something else there."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(BaseException):  # boundary: it is foreign, or None
                stream.flush()
        if self.stdout.closed or self.stderr.closed:
            self._open_streams()
        sys.stdout, sys.stderr = self.stdout, self.stderr

    def restore_files(self) -> None:
        """Have the descriptors 0 to 2 lead where they should, if a task has closed or redirected them.

        One that is not inherited by commands is somebody's file that got the number of a closed one: it stays.
        Streams that a task has closed are opened anew.
        """
        if self.stdout.closed or self.stderr.closed:
            self.restore_streams()
        if not self._lead_here():
            self._restore(1)
            self._restore(2)
        try:
            os.get_inheritable(0)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)  # the lowest free number is 0

    def _lead_here(self) -> bool:
        """Tell whether the descriptors 1 and 2 are still copies of ours, with which they share their place."""
        os.lseek(self._fd, PLACE, os.SEEK_SET)
        try:
            return os.lseek(1, 0, os.SEEK_CUR) == PLACE == os.lseek(2, 0, os.SEEK_CUR)
        except OSError:  # closed, or a pipe
            return False

    def _restore(self, fd: int) -> None:
        try:
            if os.fstat(fd).st_ino != self._inode and os.get_inheritable(fd):
                os.dup2(self._fd, fd)
        except OSError:
            os.dup2(self._fd, fd)

    def peek(self, count: int) -> bytes:
        """Return up to ``count`` bytes of the end of what was printed."""
        size_bytes = os.fstat(self._fd).st_size
        return _read_at(self._fd, count, max(0, size_bytes - count)) if size_bytes else b""

    def take(self) -> tuple[int, bytes, bytes]:
        """Empty the file; return how many bytes were printed since the last call, their beginning and end.

        The beginning is empty if the end is all of it.
        """
        self.is_written = False
        size_bytes = os.lseek(self._fd, 0, os.SEEK_END)  # fstat takes four times as long
        if not size_bytes:
            return 0, b"", b""
        head, tail = _ends(self._fd, 0, size_bytes)
        os.ftruncate(self._fd, 0)
        return size_bytes, head, tail
