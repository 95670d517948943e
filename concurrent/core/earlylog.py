"""Keeps what a command logs before it knows where its log goes. Main thread."""

from __future__ import annotations

import logging
import sys
from types import TracebackType
from typing import Final

__all__ = ["ROOT", "EarlyLog"]

ROOT: Final = "concurrent"
"""The logger above all of the framework."""


class EarlyLog(logging.Handler):
    """Keeps records while the command reads its configuration; used in a ``with`` statement.

    A node's log takes them over when it starts. What nobody has taken over goes to standard error at the
    end, one line for each.
    """

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []

    def __enter__(self) -> EarlyLog:
        logging.getLogger(ROOT).addHandler(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _frames: TracebackType | None
    ) -> None:
        self.show()
        logging.getLogger(ROOT).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append(record)

    def show(self) -> None:
        """Write what is kept to standard error."""
        for record in self._records:
            sys.stderr.write(f"concurrent: {record.getMessage()}\n")
        self._records.clear()

    def take_over(self) -> list[logging.LogRecord]:
        """Return what is kept, and keep nothing from now on."""
        logging.getLogger(ROOT).removeHandler(self)
        records, self._records = self._records, []
        return records
