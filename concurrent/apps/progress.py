"""How far the work is: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from typing import Final, TextIO

__all__ = ["Progress"]

BAR_WIDTH: Final = 40
REDRAW_S: Final = 0.1
LINES: Final = 10
"""How many lines are printed in all where there is no terminal."""


class Progress:
    """Shows one count on the way to its total. One thread.

    :param what: what is counted.
    :param stream: where it is shown; standard error by default.
    """

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self.latest: tuple[int, int] | None = None
        """What was shown last: how much is done, of how much. Any thread may read it."""
        self._what = what
        self._stream = stream if stream is not None else sys.stderr
        self._is_terminal = self._stream.isatty()
        self._drawn_at = 0.0
        self._last_step = 0
        self._is_open = False

    def show(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are finished."""
        self.latest = (done, total)
        total = max(total, 1)
        if self._is_terminal:
            now = time.monotonic()
            if done >= total or now - self._drawn_at >= REDRAW_S:
                self._drawn_at = now
                filled = BAR_WIDTH * done // total
                bar = "#" * filled + "." * (BAR_WIDTH - filled)
                self._stream.write(f"\r{self._what} [{bar}] {done}/{total}")
                self._stream.flush()
                self._is_open = True
            if done >= total:
                self.close()
        elif (step := LINES * done // total) > self._last_step:
            self._last_step = step
            self._stream.write(f"{self._what}: {done} of {total}\n")
            self._stream.flush()

    def close(self) -> None:
        """End the line of the bar; may be repeated."""
        if self._is_open:
            self._is_open = False
            self._stream.write("\n")
            self._stream.flush()
