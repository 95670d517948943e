"""A log file that several processes write, and that is rotated without losing or tearing a record.

The nodes of an embedded cluster may write the same file. Each has it open for appending and writes a record at
once, so that records are never mixed. Whoever finds it full locks it and moves it away, unless another
process did so just before; the others, and those whose file somebody else has moved, see with their next record
that the file is another one, and open that. What they wrote meanwhile is in the one that was moved.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["SharedFileHandler"]

FILE_MODE: Final = 0o600
"""Nobody but this user may read a file that is new: it has what tasks have raised."""


class SharedFileHandler(logging.Handler):
    """See the module. On Windows, where open files cannot be moved, it is never rotated.

    What cannot be written is said once, on standard error, and counted in the file when that can be written
    again.

    :param file: the file; its older parts are called ``FILE.1`` and on, the newest first.
    :param size_bytes_max: it is moved away before it gets larger than this; 0: never.
    :param part_count: how many older parts are kept; 0: all.
    :raises OSError: if it cannot be opened.
    """

    def __init__(self, file: Path, size_bytes_max: int, part_count: int) -> None:
        super().__init__()
        self._file = os.fspath(file)
        self._size_bytes_max = size_bytes_max if sys.platform != "win32" else 0
        self._part_count = part_count
        self._lost_count = 0
        self._is_torn = False
        self._fd = self._open()
        self._is_open = True

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            data = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:  # boundary: the message of others does not fit its arguments
            self.handleError(record)
            return
        try:
            self._make_current(len(data))
            if self._lost_count:
                data = self._what_is_lost(record) + data
            self._write(data)
            self._lost_count = 0
        except OSError as error:
            self._lost_count += 1
            if self._lost_count == 1:
                _say(f"the log file {self._file} cannot be written: {error.strerror or error}")

    def close(self) -> None:
        """Close the file; may be repeated."""
        if self._is_open:
            self._is_open = False
            os.close(self._fd)
        super().close()

    def _open(self) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)

    def _reopen(self) -> None:
        """Write to the file that has the name now."""
        former, self._fd = self._fd, self._open()
        os.close(former)

    def _make_current(self, size_bytes: int) -> None:
        """Have the file be the one that others write too, with room for so much.

        :raises OSError: if it is another one now, which cannot be opened.
        """
        if not self._is_current():
            self._reopen()
        written_bytes = os.fstat(self._fd).st_size
        if not self._size_bytes_max or not written_bytes:
            return
        if written_bytes + size_bytes > self._size_bytes_max:
            try:
                self._rotate()
            except OSError as error:  # it goes on in this one
                self._size_bytes_max = 0
                _say(f"the log file {self._file} cannot be rotated, and grows: {error.strerror or error}")

    def _rotate(self) -> None:
        """Move the file away and open a new one, unless another process has done that meanwhile."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)  # until it is closed
        try:
            if self._is_current():
                self._move()
            self._reopen()
        except OSError:
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            raise

    def _move(self) -> None:
        """Let each part have the next number; the oldest makes room for the one before, if not all are kept."""
        count = 1
        while os.path.exists(self._part(count)) and count != self._part_count:
            count += 1
        for number in range(count, 1, -1):
            os.replace(self._part(number - 1), self._part(number))
        os.replace(self._file, self._part(1))

    def _part(self, number: int) -> str:
        return f"{self._file}.{number}"

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._file), os.fstat(self._fd))
        except FileNotFoundError:
            return False

    def _what_is_lost(self, before: logging.LogRecord) -> bytes:
        """Return a record that says how many could not be written before this one."""
        text = f"{self._lost_count} records are missing here: they could not be written"
        record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (), None)
        record.created, record.msecs = before.created, before.msecs
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")

    def _write(self, data: bytes) -> None:
        """Write a record, at once where the system does that."""
        if self._is_torn:  # the last one ends in the middle
            data = b"\n" + data
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
            self._is_torn = bool(rest)


def _say(text: str) -> None:
    """Say on standard error what the log cannot say."""
    try:
        sys.stderr.write(f"concurrent: {text}\n")
    except (OSError, ValueError, AttributeError):  # there is none, or nobody reads it
        return
