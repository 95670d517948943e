"""The lowest lines of a terminal, where bars stay while everything else appears above them.

Between two writings the cursor is at the beginning of the first bar. Whoever writes from there clears to the
end of the screen, writes lines, and leaves the cursor behind them, where the bars are drawn again: nobody has
to know how many there are, other processes neither. While bars are shown ``sys.stdout``, ``sys.stderr`` and the
log handlers of this process that write there do so through :class:`AboveBars`; the logs of the processes of an
embedded cluster do it by themselves, and the bars come back with the next drawing.

A line that is not ended yet, such as a question, keeps the bars away until it is.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TextIO, cast

from concurrent.core.earlylog import ROOT
from concurrent.core.logs import CLEAR_LINE

__all__ = ["AboveBars", "Screen"]

CLEAR_TO_LINE_END: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"


class Screen:
    """See the module. Any thread.

    :param stream: the terminal.
    :param size: returns its size.
    """

    def __init__(self, stream: TextIO, size: Callable[[], os.terminal_size] = shutil.get_terminal_size) -> None:
        self._stream = stream
        self._size = size
        self._lock = threading.RLock()  # a signal handler may print too
        self._pid = os.getpid()
        self._lines_of: dict[object, list[str]] = {}
        self._is_amid_line = False
        self._held: dict[tuple[int, int], str] = {}
        """What threads have given streams of lines that have not ended."""
        self._handlers: list[tuple[Any, TextIO]] = []

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """Return the screen of a terminal: the one that has bars there already, if there is one."""
        return stream.screen if isinstance(stream, AboveBars) else cls(stream)

    @property
    def columns(self) -> int:
        """How many columns a line may have: one is left free, or the terminal would begin a new line."""
        return max(1, self._size().columns - 1)

    def show(self, owner: object, lines: Sequence[str]) -> None:
        """Show lines in the place of those that this owner had. They must not be longer than ``columns``."""
        with self._lock:
            if not self._lines_of:
                self._begin()
            self._lines_of[owner] = [*lines]
            if not self._is_amid_line:
                self._write(self._stream, self._block())

    def leave(self, owner: object) -> None:
        """Take the lines of an owner away; nothing happens if it has none."""
        with self._lock:
            if self._lines_of.pop(owner, None) is None:
                return
            try:
                if not self._is_amid_line:
                    self._write(self._stream, f"{CLEAR_LINE}{self._block()}")
            finally:
                if not self._lines_of:
                    self._end()

    def print_above(self, text: str) -> None:
        """Write whole lines above the bars."""
        self.write_above(self._stream, text)

    def write_above(self, stream: TextIO, text: str) -> None:
        """Write text for a stream of the program, above the bars: whole lines, as a terminal's stream does."""
        if os.getpid() != self._pid:  # a forked copy has no bars, and one thread
            stream.write(text if self._is_amid_line else f"{CLEAR_LINE}{text}")
            self._is_amid_line = not text.endswith("\n")
            return
        with self._lock:
            held = self._held.pop(_key(stream), "")
            if text.startswith(CLEAR_LINE):  # the log begins a line of its own
                text = text.removeprefix(CLEAR_LINE)
                held += "\n" if held or self._is_amid_line else ""
            whole, end, rest = f"{held}{text}".rpartition("\n")
            if "\r" in rest:  # something that is drawn again and again on one line
                whole, rest = whole + end + rest, ""
            else:
                whole += end
                if rest:
                    self._held[_key(stream)] = rest
            self._put(stream, whole)

    def flush(self, stream: TextIO) -> None:
        """Write what a stream of the program was given of a line that has not ended."""
        if os.getpid() != self._pid:
            stream.flush()
            return
        with self._lock:
            self._put(stream, self._held.pop(_key(stream), ""))
            stream.flush()

    def _put(self, stream: TextIO, text: str) -> None:
        """Write text where the cursor is; the bars are drawn again behind the end of a line."""
        if text:
            begin = "" if self._is_amid_line else CLEAR_LINE
            self._is_amid_line = not text.endswith("\n")
            self._write(stream, f"{begin}{text}{'' if self._is_amid_line else self._block()}")

    def _block(self) -> str:
        """Return what draws all lines from the cursor on, and brings it back there."""
        lines = [line for lines in self._lines_of.values() for line in lines]
        rows = max(1, self._size().lines - 1)
        if len(lines) > rows:
            lines = [*lines[: rows - 1], f"... and {len(lines) - rows + 1} more"[: self.columns]]
        if not lines:
            return ""
        text = "\n".join(f"{line}{CLEAR_TO_LINE_END}" for line in lines)
        up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        return f"\r{text}{CLEAR_BELOW}{up}\r"

    def _write(self, stream: TextIO, text: str) -> None:
        stream.write(text)
        stream.flush()

    def _begin(self) -> None:
        """Have what this process writes to the terminal appear above from now on."""
        streams = [stream for stream in (sys.stdout, sys.stderr) if self._is_here(stream)]
        above_of = {id(stream): cast("TextIO", AboveBars(self, stream)) for stream in streams}
        sys.stdout = above_of.get(id(sys.stdout), sys.stdout)
        sys.stderr = above_of.get(id(sys.stderr), sys.stderr)
        for logger in (logging.getLogger(), logging.getLogger(ROOT)):
            for handler in logger.handlers:
                above = above_of.get(id(getattr(handler, "stream", None)))
                if isinstance(handler, logging.StreamHandler) and above is not None:
                    self._handlers.append((handler, handler.stream))
                    handler.setStream(above)

    def _end(self) -> None:
        """Give back what was taken, as far as nobody else has it now."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, AboveBars) and stream.screen is self:
                for key in [one for one in self._held if one[0] == id(stream.stream)]:
                    stream.stream.write(self._held.pop(key))
        for handler, stream in self._handlers:
            if isinstance(handler.stream, AboveBars):
                handler.setStream(stream)
        self._handlers.clear()
        if isinstance(sys.stdout, AboveBars) and sys.stdout.screen is self:
            sys.stdout = sys.stdout.stream
        if isinstance(sys.stderr, AboveBars) and sys.stderr.screen is self:
            sys.stderr = sys.stderr.stream

    def _is_here(self, stream: Any) -> bool:
        """Tell whether what is written to a stream appears on this terminal."""
        if stream is self._stream:
            return True
        try:
            mine, its = os.fstat(self._stream.fileno()), os.fstat(stream.fileno())
        except (OSError, ValueError, AttributeError):
            return False
        return mine.st_rdev == its.st_rdev and bool(stream.isatty())


def _key(stream: TextIO) -> tuple[int, int]:
    """Return what stands for the line that this thread writes to a stream."""
    return id(stream), threading.get_ident()


class AboveBars:
    """A stream of the program whose text appears above the bars; in all else it is that stream.

    :param stream: the stream.
    """

    def __init__(self, screen: Screen, stream: TextIO) -> None:
        self.screen = screen
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text."""
        self.screen.write_above(self.stream, text)
        return len(text)

    def writelines(self, lines: Sequence[str]) -> None:
        """Write texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what there is of a line that has not ended, too."""
        self.screen.flush(self.stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
