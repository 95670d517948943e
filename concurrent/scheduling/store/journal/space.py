"""How much room a journal has: on its disk, and of its quota.

The thread of the writer. ``problem`` may be read in any thread.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.store.journal.database import Database
from concurrent.scheduling.store.journal.place import JournalPlace

__all__ = ["Space"]

RESERVE: Final = "reserve"
RESERVE_BYTES: Final = 32 << 20
"""A file of this size is given up when the disk is full, for what ends work and makes room."""

FREE_BYTES_MIN: Final = 64 << 20
"""Below this much on the disk no new work is taken."""

log = get_log(__name__)


class Space:
    """See the module.

    ``problem`` says why no new work may be taken, by name, path and figures; nothing if it may. ``used_bytes``
    is the size of the file without what is free in it.
    """

    def __init__(self, place: JournalPlace) -> None:
        self.problem = ""
        self.used_bytes = 0
        self._folder = place.folder
        self._bytes_max = place.bytes_max
        self._has_reserve = self._reserve.exists()  # it is, if the last owner was killed
        self._reserve_bytes = RESERVE_BYTES
        self._free_bytes_min = FREE_BYTES_MIN

    @property
    def _reserve(self) -> Path:
        return self._folder / RESERVE

    def look(self, database: Database) -> None:
        """See how much room there is, and make the reserve if there is none."""
        self.used_bytes = database.used_bytes()
        found = os.statvfs(self._folder)
        free_bytes = found.f_bavail * found.f_frsize
        if not self._has_reserve and free_bytes > self._free_bytes_min + self._reserve_bytes:
            self._has_reserve = self._make_reserve()
        if not self._has_reserve or free_bytes < self._free_bytes_min:
            self._say(
                f"the disk of the journal {self._folder} is full: {free_bytes} bytes are free, and "
                f"{self._free_bytes_min + self._reserve_bytes * (not self._has_reserve)} have to be"
            )
        elif self.used_bytes > self._bytes_max:
            self._say(
                f"the journal {self._folder} is full: it has {self.used_bytes} bytes, and "
                f"journal.bytes_max = {self._bytes_max}"
            )
        else:
            self._say("")

    def is_full(self, error: BaseException) -> bool:
        """Tell whether an error means that there was no room, and take note of it if it does."""
        is_full = isinstance(error, sqlite3.OperationalError) and "is full" in str(error)
        if is_full:
            self._say(f"the disk of the journal {self._folder} is full: a transaction had no room")
        return is_full

    def use_reserve(self) -> bool:
        """Give up the reserve; tells whether there was one."""
        had, self._has_reserve = self._has_reserve, False
        self._reserve.unlink(missing_ok=True)
        return had

    def close(self) -> None:
        """Give the room of the reserve back."""
        self._reserve.unlink(missing_ok=True)

    def _make_reserve(self) -> bool:
        file = os.open(self._reserve, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, self._reserve_bytes)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)
        return True

    def _say(self, problem: str) -> None:
        if problem and not self.problem:
            log.error("no new work is taken: %s", problem)
        elif self.problem and not problem:
            log.warning("there is room again in %s", self._folder)
        self.problem = problem
