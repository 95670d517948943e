"""The loggers of the framework: log handlers, filters and factories of the program end no thread of ours."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from typing import Any

__all__ = ["get_log"]


def get_log(name: str) -> logging.Logger:
    """Return the logger of that name; whoever logs with it goes on, whatever code of the program raises."""
    log = logging.getLogger(name)
    if type(log) is logging.Logger:  # the program may have made it already, and has it in its hands
        log.__class__ = _GuardedLogger
    return log


class _GuardedLogger(logging.Logger):
    """Drops what code of the program raises for a record, and says so once; a Ctrl-C passes through."""

    _has_told = False

    def makeRecord(self, name: str, level: int, *rest: Any, **more: Any) -> logging.LogRecord:  # noqa: N802
        """Return a record, a plain one if the program's factory fails."""
        try:
            return super().makeRecord(name, level, *rest, **more)
        except BaseException as error:  # boundary: a factory of the program
            self._drop(error)
            record = logging.LogRecord(name, level, *rest[:5])
            record.__dict__.update((rest[6] if len(rest) > 6 else more.get("extra")) or {})
            return record

    def handle(self, record: logging.LogRecord) -> None:
        """Give a record to the filters and handlers."""
        try:
            super().handle(record)
        except BaseException as error:  # boundary: filters and handlers of the program
            self._drop(error)

    def _drop(self, error: BaseException) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and isinstance(error, KeyboardInterrupt):
            raise error
        if not self._has_told:
            self._has_told = True
            with contextlib.suppress(BaseException):  # boundary: sys.stderr may be foreign code, too
                sys.stderr.write(f"a log handler, filter or factory failed for a record of {self.name}:\n")
                traceback.print_exception(error)
