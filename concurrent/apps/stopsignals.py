"""What a node does about the signals that ask a program to stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

__all__ = ["StopSignals"]

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """While it is entered the first SIGINT or SIGTERM asks to stop, and the second one ends the process.

    In another thread than the main one, where Python has no signals, it does nothing.

    :param interrupt: called at the first signal, between any two instructions of the main thread.
    """

    def __init__(self, interrupt: Callable[[], object]) -> None:
        self._interrupt = interrupt
        self._count = 0
        self._handler_before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._handler_before = {number: signal.signal(number, self._take) for number in STOP_SIGNALS}
        if hasattr(signal, "pthread_sigmask"):  # who started this process may have blocked them
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handler_before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        """Only note it: a handler runs between any two instructions."""
        self._count += 1
        if self._count > 1:
            os._exit(128 + number)  # children die with this process
        self._interrupt()
