"""A terminal on which a command draws whole pictures and reads single keys. Main thread.

Whatever ends the command, the terminal is as it was before: an exception, Ctrl-C, SIGTERM, the end of the
connection. While it is suspended with Ctrl-Z, too.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

if sys.platform != "win32":
    import termios
    import tty

__all__ = ["DOWN", "UP", "KeyTerminal"]

UP: Final = "up"
DOWN: Final = "down"
KEYS: Final = {b"\x1b[A": UP, b"\x1bOA": UP, b"\x1b[B": DOWN, b"\x1bOB": DOWN, b"k": UP, b"j": DOWN}

BEGIN: Final = "\x1b[?1049h\x1b[?25l"
"""Goes to the other screen and hides the cursor."""
END: Final = "\x1b[?25h\x1b[?1049l"
HOME: Final = "\x1b[H"
CLEAR_LINE: Final = "\x1b[K"
CLEAR_BELOW: Final = "\x1b[J"

KEY_BYTES_MAX: Final = 32


class KeyTerminal:
    """See the module; a context. Standard input and output have to be terminals."""

    def __init__(self) -> None:
        self._in = sys.stdin.fileno()
        self._before: list[Any] = []
        self._typed = b""
        self._handlers: dict[int, Any] = {}
        self._resized, self._on_resize = os.pipe()
        os.set_blocking(self._on_resize, False)

    def __enter__(self) -> KeyTerminal:
        self._before = termios.tcgetattr(self._in)
        takes = {
            signal.SIGTERM: self._ended,
            signal.SIGHUP: self._ended,
            signal.SIGTSTP: self._suspended,
            signal.SIGWINCH: self._changed,
        }
        self._handlers = {number: signal.signal(number, take) for number, take in takes.items()}
        self._begin()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._restore()
        os.close(self._resized)
        os.close(self._on_resize)

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines in the place of what was there."""
        text = f"{CLEAR_LINE}\r\n".join(lines)
        sys.stdout.write(f"{HOME}{text}{CLEAR_LINE}{CLEAR_BELOW}")
        sys.stdout.flush()

    def key(self, timeout_s: float) -> str:
        """Wait for a key and return it; empty if none comes in time, or the terminal has another size now."""
        if not self._typed:
            ready, _, _ = select.select([self._in, self._resized], [], [], timeout_s)
            if self._resized in ready:
                os.read(self._resized, KEY_BYTES_MAX)
            if self._in not in ready:
                return ""
            self._typed = os.read(self._in, KEY_BYTES_MAX)
            if not self._typed:  # the terminal is gone
                raise SystemExit(128 + signal.SIGHUP)
        found = next((one for one in KEYS if self._typed.startswith(one)), self._typed[:1])
        self._typed = self._typed[len(found) :]
        return KEYS.get(found, found.decode("ascii", "replace"))

    def _begin(self) -> None:
        tty.setcbreak(self._in)
        sys.stdout.write(BEGIN)
        sys.stdout.flush()

    def _restore(self) -> None:
        with suppress(OSError, termios.error):  # it may be closed
            sys.stdout.write(END)
            sys.stdout.flush()
        with suppress(termios.error):
            termios.tcsetattr(self._in, termios.TCSADRAIN, self._before)

    def _ended(self, number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    def _suspended(self, _number: int, _frame: FrameType | None) -> None:
        self._restore()
        os.kill(os.getpid(), signal.SIGSTOP)  # goes on here when the shell says so
        self._begin()
        self._changed(0, None)

    def _changed(self, _number: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):
            os.write(self._on_resize, b"x")
