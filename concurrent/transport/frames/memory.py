"""The memory that an endpoint receives into: one bound for the incomplete messages of all connections.

A message that is larger than a little claims its whole size when it is announced. If that is not to be had,
its connection is not read until others have come to their end; those that wait get their turn in order.
Loop thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from concurrent.transport.frames.blocks import NewBlock, new_block_of

__all__ = ["UNCLAIMED_BYTES_MAX", "MemoryShare", "ReceiveMemory"]

UNCLAIMED_BYTES_MAX: Final = 256 * 1024
"""Messages up to this size are received without a claim."""


class ReceiveMemory:
    """The bound, and who waits for room below it.

    :param bytes_max: the sizes of all incomplete messages together, in bytes; one that is larger on its
        own is let in when there is no other.
    :param call_soon: the loop's, for telling those that wait.
    :param new_block: returns memory for a large payload frame.
    """

    def __init__(
        self,
        bytes_max: int,
        call_soon: Callable[[Callable[[], object]], object],
        new_block: NewBlock = new_block_of,
    ) -> None:
        self.new_block = new_block
        self._bytes_max = bytes_max
        self._call_soon = call_soon
        self._taken_bytes = 0
        self._waiting: dict[MemoryShare, None] = {}

    def claim(self, share: MemoryShare, size_bytes: int) -> bool:
        """Take memory, or wait in the row for it; tells which."""
        first = next(iter(self._waiting), share)
        if first is not share or (self._taken_bytes and self._taken_bytes + size_bytes > self._bytes_max):
            self._waiting[share] = None
            return False
        self._waiting.pop(share, None)
        self._taken_bytes += size_bytes
        self._wake_first()
        return True

    def give_back(self, share: MemoryShare, size_bytes: int) -> None:
        """Give memory back, and do not wait for any."""
        self._taken_bytes -= size_bytes
        self._waiting.pop(share, None)
        self._wake_first()

    def _wake_first(self) -> None:
        if self._waiting:
            self._call_soon(next(iter(self._waiting)).on_room)


class MemoryShare:
    """What one connection has of the memory of its endpoint.

    :param on_room: called when a claim that was refused should be made again.
    """

    def __init__(self, memory: ReceiveMemory, on_room: Callable[[], object]) -> None:
        self.on_room = on_room
        self.new_block = memory.new_block
        self._memory = memory
        self._size_bytes = 0

    def claim(self, size_bytes: int) -> bool:
        """Take memory for one message; if false, wait for ``on_room``."""
        if not self._memory.claim(self, size_bytes):
            return False
        self._size_bytes = size_bytes
        return True

    def release(self) -> None:
        """Give back what was taken, and do not wait any more. May be repeated."""
        size_bytes, self._size_bytes = self._size_bytes, 0
        self._memory.give_back(self, size_bytes)

    def close(self) -> None:
        """Give it back for good, and forget whom to call: what a connection had is freed with it."""
        self.release()
        self.on_room = _nobody


def _nobody() -> None:
    """Call nobody: the connection is closed."""
