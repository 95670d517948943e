"""A log file that several processes write, and that is rotated without losing a line.

The nodes of an embedded cluster write the same file. Each has it open for appending, so that lines are never
mixed. Whoever finds it full locks it and moves it away, unless another process did so just before; the others
see with their next line that the file is another one, and open that. What they wrote meanwhile is in the one
that was moved.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

__all__ = ["SharedFileHandler"]

FILE_MODE: Final = 0o600


class SharedFileHandler(logging.handlers.RotatingFileHandler):
    """See the module. On Windows, where open files cannot be moved, it is for one process only.

    :param file: the file; its older parts are called ``FILE.1`` and on.
    :param size_bytes_max: it is moved away before it gets larger than this; 0: never.
    :param part_count: how many older parts are kept.
    :raises OSError: if it cannot be opened.
    """

    def __init__(self, file: Path, size_bytes_max: int, part_count: int) -> None:
        super().__init__(file, maxBytes=size_bytes_max, backupCount=part_count, encoding="utf-8")

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802
        """Tell whether the file is full, when it is the one that others write too."""
        if self.stream is not None and not self._is_current(self.stream.fileno()):
            self.stream.close()
            self.stream = self._open()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802
        """Move the file away and open a new one, unless another process has done that meanwhile."""
        if sys.platform == "win32":
            super().doRollover()
            return
        full, self.stream = self.stream, None  # or it would be closed too early
        assert full is not None, "shouldRollover() has opened it"
        with full:
            fcntl.flock(full, fcntl.LOCK_EX)  # until it is closed
            if self._is_current(full.fileno()):
                super().doRollover()
            else:
                self.stream = self._open()

    def _open(self) -> TextIOWrapper:
        """Open the file, which nobody but this user may read if it is new: it has what tasks have raised."""
        opener = partial(os.open, mode=FILE_MODE)
        return open(self.baseFilename, "a", encoding=self.encoding, errors=self.errors, opener=opener)

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.stat(self.baseFilename), os.fstat(fd))
        except FileNotFoundError:
            return False
