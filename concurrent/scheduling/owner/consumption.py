"""Which outcomes an owner has consumed, and when the master is told: it keeps them until then.

The outcomes of a job are numbered from 1, in the order in which they come; a registration goes on behind the
last that the master took for consumed. They are consumed in the order in which they are given back; what is
not given back, such as a second outcome of a task, counts with the one before it. A master that knows no
numbers is told how many bytes were dealt with. Any thread may consume.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import Final

from concurrent.core.errors import LoopClosed
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_master
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["Consumption"]

CONSUMED_BYTES: Final = 4 << 20
CONSUMED_COUNT: Final = 4000
"""After so many bytes or outcomes the master is told that they were consumed."""

CONSUMED_S: Final = 0.5
"""After so long the master is told in any case, so that it keeps nothing for who is idle."""


class Consumption:
    """See the module. ``arrived_to`` is the number of the last outcome that has come."""

    def __init__(self, loop: NodeLoop, courier: Courier) -> None:
        self._loop = loop
        self._courier = courier
        self._lock = threading.Lock()
        self._handler: TCPHandler | None = None
        self._is_naming = False
        self._batches: deque[list[int]] = deque()  # what was given back: how many, and the last number by then
        self.arrived_to = 0
        self._consumed_to = 0
        self._told_to = 0
        self._untold_bytes = 0
        self._is_armed = False

    def begin(self, handler: TCPHandler, consumed_to: int = 0) -> None:
        """Number the outcomes of a registration, which has brought none so far. Loop thread only.

        What was given back of an earlier one and not consumed comes again, and counts by then.

        :param consumed_to: the number before the first that comes.
        """
        with self._lock:
            self._handler = handler
            self._is_naming = handler.peer_has(to_master.consumed_to.name)
            self.arrived_to = self._consumed_to = self._told_to = consumed_to
            self._untold_bytes = 0
            for batch in self._batches:  # those of an earlier registration
                batch[1] = consumed_to
        if self._is_naming:
            self._courier.cast(handler, to_master.consumed_to, consumed_to)

    def end(self) -> None:
        """The registration has ended. Loop thread only."""
        self._handler = None
        self._is_naming = False

    def arrived(self, count: int) -> None:
        """Take note that the master has sent so many outcomes, before they are given back. Loop thread only."""
        self.arrived_to += count

    def given_back(self, count: int, held_from: int = 0) -> None:
        """Take note that so many outcomes are given back, be they of the master or not. Loop thread only.

        :param held_from: the number of the first that has arrived and is given back later; 0 if none is.
        """
        number = held_from - 1 if held_from else self.arrived_to
        if count:
            self._batches.append([count, number])  # needs no lock, so a copy cannot inherit it held
            return
        with self._lock:
            if self._batches:
                self._batches[-1][1] = number
            else:
                self._consumed_to = number

    def consumed(self, size_bytes: int, count: int) -> None:
        """Take note that so many outcomes were dealt with, of so many bytes. Any thread."""
        with self._lock:
            self._untold_bytes += size_bytes
            batches = self._batches
            while batches and batches[0][0] <= count:
                given_back, self._consumed_to = batches.popleft()
                count -= given_back
            if count and batches:
                if batches[0][0] == batches[0][1] - self._consumed_to:  # each of them was given back
                    self._consumed_to += count
                batches[0][0] -= count
            untold_count = self._consumed_to - self._told_to if self._is_naming else 0
            if self._untold_bytes >= CONSUMED_BYTES or untold_count >= CONSUMED_COUNT:
                tell = self.tell
            elif self._is_armed or not self._is_naming:
                return
            else:
                self._is_armed = True
                tell = self._tell_late
        with suppress(LoopClosed):  # there is no master any more to be told
            self._loop.post(tell)

    def _tell_late(self) -> None:
        self._loop.call_later(CONSUMED_S, self._tell_now)

    def _tell_now(self) -> None:
        self._is_armed = False
        self.tell()

    def tell(self) -> None:
        """Tell the master what was consumed. Loop thread only."""
        with self._lock:
            size_bytes, self._untold_bytes = self._untold_bytes, 0
            is_news, self._told_to = self._consumed_to > self._told_to, self._consumed_to
        if self._handler is None:
            return
        if not self._is_naming:
            self._courier.cast(self._handler, to_master.consumed, size_bytes)
        elif is_news:
            self._courier.cast(self._handler, to_master.consumed_to, self._told_to)
