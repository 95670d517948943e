"""The rights of a worker to start tasks: bytes on a socket, which a slave can read back. Loop thread only.

See ``workerlink.py`` for the picture. The slave keeps a duplicate of the worker's end: a token that it reads
there is a task which the worker has not started and never will.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from concurrent.scheduling.worker.worker import CAN_TAKE_BACK, NO_WAIT
from concurrent.transport.loop.sockets import child_sockets

__all__ = ["Tokens"]

TOKENS_READ: Final = 65536
GENERATIONS: Final = 256

TAKEN_BACK_MAX: Final = 100
"""How often tasks can be taken back between two results. What a result leaves behind in the worker's queue is
at most twice that many generations old, so that a number of a generation never means two of them."""


class Tokens:
    """See the module. ``generation`` is that of the tasks which are given now.

    :raises OSError: if there are no descriptors.

    ``its_end`` is for the worker.
    """

    __slots__ = ("_far", "_near", "_taken_back_count", "_unsent", "generation", "its_end")

    def __init__(self) -> None:
        self.generation = 0
        self._taken_back_count = 0
        self._unsent = b""
        with contextlib.ExitStack() as undo:
            self._near, self.its_end = child_sockets()
            undo.callback(self._near.close)
            undo.callback(self.its_end.close)
            self._far = self.its_end.dup()
            undo.pop_all()
        self._near.setblocking(False)

    def give(self, count: int) -> None:
        """Let the worker start so many tasks more; those that find no room go with later results."""
        self._unsent += bytes((self.generation,)) * count
        self.send()

    def send(self) -> None:
        """Send what has found no room so far."""
        if self._unsent:
            try:
                sent = self._near.send(self._unsent)
                self._unsent = self._unsent[sent:]
            except OSError:
                pass  # no room: tried again when results come; or the worker has died, which is reported soon

    @property
    def can_take_back(self) -> bool:
        """Whether :meth:`take_back` takes anything."""
        return CAN_TAKE_BACK and self._taken_back_count < TAKEN_BACK_MAX

    def take_back(self) -> int:
        """Take back all rights that the worker has not used, and begin a generation; returns how many."""
        count = self.take_rest() if self.can_take_back else 0
        if count:
            self.generation = (self.generation + 1) % GENERATIONS
            self._taken_back_count += 1
        return count

    def take_rest(self) -> int:
        """Return how many rights a worker that has died did not use. Call it once."""
        count = len(self._unsent) + self._read(flags=0)
        self._unsent = b""
        return count

    def unused_count(self) -> int:
        """Return how many rights the worker has not used yet."""
        return len(self._unsent) + self._read(socket.MSG_PEEK)

    def note_results(self) -> None:
        """Take note that the worker has reported results: it can follow generations again."""
        self._taken_back_count = 0
        self.send()

    def finish(self) -> None:
        """Let the worker end when it has used its rights."""
        self._near.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the sockets of the slave."""
        self._near.close()
        self._far.close()

    def _read(self, flags: int) -> int:
        if not CAN_TAKE_BACK:
            return 0
        try:
            return len(self._far.recv(TOKENS_READ, NO_WAIT | flags))
        except BlockingIOError:
            return 0
