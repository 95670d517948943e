"""Locks that threads hold while they run code of the user, seen from a loop, which must never wait for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from concurrent.transport.loop.loop import NodeLoop

__all__ = ["when_free"]

AGAIN_S: Final = 0.01
"""After how many seconds a lock that is held is tried again."""


def when_free(lock: threading.RLock, loop: NodeLoop, call: Callable[[], object]) -> None:
    """Make a call that holds a lock: now, or as soon as nobody else holds it. Loop thread only; never waits."""
    if not lock.acquire(blocking=False):
        loop.call_later(AGAIN_S, when_free, lock, loop, call)
        return
    try:
        call()
    finally:
        lock.release()
