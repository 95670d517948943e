"""Payloads that have rows of their own in a journal. Loop thread."""

from __future__ import annotations

from collections.abc import Callable

from concurrent.core.errors import PayloadDamaged
from concurrent.transport.frames.frames import Frame, as_payload

__all__ = ["Shelf", "StoredPayload"]


class Shelf:
    """Where stored payloads are read; ``stored_bytes`` is the size of those that are on disk alone.

    :param read: returns the bytes of a row, by its number; may raise OSError.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self.read = read
        self.stored_bytes = 0


class StoredPayload:
    """Stands for a payload in a row of its own, which is read when it is needed.

    ``number`` is that of its row, 0 before it has one; ``data`` is in memory until it is on disk.

    :param size_bytes: how large it is.
    """

    __slots__ = ("_shelf", "_size_bytes", "data", "number")

    def __init__(
        self, shelf: Shelf, size_bytes: int, *, number: int = 0, data: bytes | Frame | None = None
    ) -> None:
        self._shelf = shelf
        self._size_bytes = size_bytes
        self.number = number
        self.data = data
        if data is None:
            shelf.stored_bytes += size_bytes

    def __len__(self) -> int:
        return self._size_bytes

    def __del__(self) -> None:
        if self.data is None:
            self._shelf.stored_bytes -= self._size_bytes

    def written(self) -> None:
        """Take note that it is on disk."""
        if self.data is not None:
            self.data = None
            self._shelf.stored_bytes += self._size_bytes

    def load(self) -> bytes | Frame:
        """Return the payload; waits for the disk.

        :raises PayloadDamaged: if it is not what was written.
        :raises OSError: if it cannot be read.
        """
        if self.data is not None:
            return self.data
        if not self.number:
            raise PayloadDamaged(
                f"a payload of {self._size_bytes} bytes is damaged on disk",
                remedy="See to the disk of the master, then push the task again",
            )
        return as_payload(self._shelf.read(self.number))
