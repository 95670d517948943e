"""The push-back of a bounded queue: who fills it faster than it empties has to wait.

On the loop thread nothing ever waits, so there the bound is a claim to look at (``has_room``) and a
callback (``on_room``). Other threads are stopped in ``claim`` until there is room. No lock is
needed: the loop thread alone counts what is queued, and what other threads have claimed but the
loop has not taken over yet is a deque of sizes, whose single operations are atomic.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from concurrent.core.errors import QueueFull

__all__ = ["PushBack"]

CLAIMS_MAX: Final = 256
"""How many messages of other threads may be on their way to the loop."""


class PushBack:
    """The bound of one peer's queue. While it ``is_full`` :meth:`shrank` is to be told what leaves it.

    ``on_room`` is what whoever calls :meth:`shrank` calls on the loop thread when that says so.

    :param bytes_max: the bound in bytes.
    :param timeout_s: how long another thread waits for room, in seconds.
    """

    def __init__(self, bytes_max: int, timeout_s: float) -> None:
        self._bytes_max = bytes_max
        self._timeout_s = timeout_s
        self._claims: deque[int] = deque()
        self.is_full = False
        self.on_room: Callable[[], None] | None = None
        self._room = threading.Event()
        self._room.set()

    def claim(self, nbytes: int, queued_bytes: int, peer: str) -> None:
        """Wait for room; then the thread must post one message that ends in ``settle_claim``.

        Any thread but the loop's.

        :raises QueueFull: if there is no room in time.
        """
        if not self._room.wait(self._timeout_s):
            raise QueueFull(
                f"the queue for {peer or 'the peer'} had no room for {self._timeout_s} s",
                thing="outbox_bytes_max",
                value=queued_bytes,
                remedy="Send less at a time, or see why the peer does not take its messages.",
            )
        claims = self._claims
        claims.append(nbytes)
        if len(claims) >= CLAIMS_MAX or queued_bytes + sum(claims) >= self._bytes_max:
            self._room.clear()  # before the post, so that the post finds it cleared

    def settle_claim(self) -> None:
        """The message of one claim is queued, or dropped. Loop thread only."""
        self._claims.popleft()
        if not self._claims and not self.is_full:
            self._room.set()

    def grew(self, queued_bytes: int) -> None:
        """Something was queued. Loop thread only."""
        if queued_bytes >= self._bytes_max and not self.is_full:
            self.is_full = True
            self._room.clear()

    def shrank(self, queued_bytes: int) -> bool:
        """Something left the queue; tells whether it was full and is half empty now."""
        if not self.is_full or queued_bytes >= self._bytes_max // 2:
            return False
        self.is_full = False
        if not self._claims:
            self._room.set()
        return True
