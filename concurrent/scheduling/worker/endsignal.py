"""SIGTERM in a worker, which tells it to end: handled there, and in no copy that a task forks. Main thread."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["EndSignal"]


class EndSignal:
    """Handles SIGTERM until :meth:`die`. A copy of this process dies of it, as any process does.

    The signal waits while the process is being copied: Python forgets one that comes to a copy too early.

    :param handler: called as Python calls handlers of signals.
    """

    def __init__(self, handler: Callable[[int, FrameType | None], object]) -> None:
        self._handler = handler
        self._mask_by_thread: dict[int, set[int | signal.Signals]] = {}
        signal.signal(signal.SIGTERM, handler)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._be_copy)

    def die(self) -> None:
        """Die of the signal, as who is told to end and does not expect it."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)

    def _hold(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self._mask_by_thread[threading.get_ident()] = before

    def _release(self) -> None:
        before = self._mask_by_thread.pop(threading.get_ident(), None)
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _be_copy(self) -> None:
        if signal.getsignal(signal.SIGTERM) == self._handler:  # else a task has one of its own
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._release()
