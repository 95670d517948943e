"""A program that goes on when its terminal is closed."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any, Final

__all__ = ["OutlivesTerminal"]

STANDARD: Final = (0, 1, 2)
"""The descriptors of standard input, output and error."""


class OutlivesTerminal:
    """While it is entered, SIGHUP does not end the process: what it reads and writes there comes from nowhere.

    Nothing changes in another thread than the main one, where there is no such signal, or if it is ignored
    already, as ``nohup`` does.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._terminals: list[int] = []

    def __enter__(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        if not is_main or not hasattr(signal, "SIGHUP") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            return
        self._terminals = [one for one in STANDARD if os.isatty(one)]
        self._before = signal.signal(signal.SIGHUP, self._hung_up)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGHUP, self._before)

    def _hung_up(self, _number: int, _frame: FrameType | None) -> None:
        """Leave the terminal, which fails whoever writes to it."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for one in self._terminals:
            os.dup2(nowhere, one)
        os.close(nowhere)
