"""The last lines that a process has logged, for those who cannot read its file. Any thread.

What tasks print is not among them, nor are tracebacks: whoever may see that a node works may read these lines.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Final, NamedTuple

from concurrent.core.logformat import CONTROLS
from concurrent.core.logs import TASK_OUTPUT

__all__ = ["LinesPart", "LogRing"]

LINES_MAX: Final = 1000
LINE_CHARS_MAX: Final = 500
"""So much is kept: half a megabyte at most."""

HAS_TRACEBACK: Final = " (the traceback is in the log itself)"


class LinesPart(NamedTuple):
    """Lines that follow one another.

    :param after: the number of the last of them, from 1 on; what to ask for to get those behind it.
    :param total: how many there are to be had.
    """

    lines: list[str]
    after: int
    total: int


class LogRing(logging.Handler):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        self._lines: deque[str] = deque(maxlen=LINES_MAX)
        self._count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if record.name == TASK_OUTPUT:
            return
        plain = logging.makeLogRecord(
            {**record.__dict__, "exc_info": None, "exc_text": None, "stack_info": None}
        )
        line = self.format(plain).translate(CONTROLS)
        if len(line) > LINE_CHARS_MAX:
            line = f"{line[:LINE_CHARS_MAX]} ..."
        self._lines.append(f"{line}{HAS_TRACEBACK}" if record.exc_info or record.exc_text else line)
        self._count += 1

    def part(self, after: int = 0) -> LinesPart:
        """Return the lines behind one; all that are kept if those right behind it are not there any more.

        :param after: its number; 0: before all of them.
        """
        self.acquire()
        try:
            new = self._count - after if 0 <= after <= self._count else self._count
            lines = list(self._lines)
            return LinesPart(lines[len(lines) - min(new, len(lines)) :], self._count, len(lines))
        finally:
            self.release()
