"""The data socket of a worker at its slave: tasks go out here and results come in. Loop thread only.

A task may write anything to that socket, or close it, so nothing that comes is trusted.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from concurrent.core.foreign import shown
from concurrent.scheduling.slave.crew import Application
from concurrent.scheduling.worker.held import HeldResult
from concurrent.scheduling.worker.sharedmemory import TrackedMemory
from concurrent.scheduling.worker.workerwire import MessageReader, pack_message
from concurrent.transport.frames.frames import Buffer
from concurrent.transport.frames.gather import send_some
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.loop.sockets import child_sockets

__all__ = ["WorkerData"]

SOCKET_BYTES: Final = 4 * 1024 * 1024
READS_PER_TURN: Final = 16
MESSAGE_BYTES_MAX: Final = 1 << 30
"""The longest message that a worker may send, in bytes."""

STALLED_LOOKS: Final = 10
"""How many looks in a row a worker may be in the middle of the same message, or without its socket."""


class WorkerData:
    """See the module. ``its_end`` is for the worker.

    :param on_message: called with the kind and the fields of each message; what it raises is nonsense too.
    :param on_nonsense: called with the reason when what comes makes no sense; nothing more is read then.
    :raises OSError: if there are no descriptors.
    """

    __slots__ = (
        "_is_blocked", "_is_cut", "_is_paused", "_is_reading", "_loop", "_memory", "_on_message",
        "_on_nonsense", "_outbox", "_place", "_reader", "_sock", "_stalled_count", "its_end",
    )  # fmt: skip

    def __init__(
        self, loop: NodeLoop, on_message: Callable[..., object], on_nonsense: Callable[[str], object]
    ) -> None:
        self._loop = loop
        self._on_message = on_message
        self._on_nonsense = on_nonsense
        self._sock, self.its_end = child_sockets()
        self._sock.setblocking(False)
        for sock in (self._sock, self.its_end):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        self._reader: MessageReader | None = None
        self._memory: TrackedMemory | None = None
        self._place: Callable[..., int | None] | None = None
        self._outbox: deque[Buffer] = deque()
        self._is_blocked = False
        self._is_paused = False
        self._is_reading = False
        self._is_cut = False
        self._stalled_count = 0

    def join(self, app: Application) -> None:
        """Share memory with the worker, as all of its application do, and begin to read.

        :raises OSError: if there are no descriptors, or the worker has ended.
        """
        self._memory = app.memory.share(self._sock)
        view_of = None
        if self._memory is not None:
            view_of, self._place = self._memory.view, app.memory.position_of
        self._reader = MessageReader(self._sock, MESSAGE_BYTES_MAX, view_of)
        self._is_reading = True
        if not self._is_paused:
            self._loop.add_reader(self._sock, self._read)

    def read_board(self) -> bytes:
        """Return what the worker says of its task, see ``board.py``; empty if they share no memory."""
        return self._memory.read_board() if self._memory is not None else b""

    def read_held(self, numbers: Sequence[int]) -> list[HeldResult]:
        """Return the results that the worker holds back, see ``held.py``; none if they share no memory.

        :param numbers: the tasks that have ended since the last results were sent, oldest first.
        """
        return self._memory.read_held(numbers) if self._memory is not None else []

    def take_dropped(self) -> Sequence[int]:
        """Return the positions of results that nobody needs any more, to be told to the worker."""
        return self._memory.take_dropped() if self._memory is not None else ()

    def send(self, *fields: Any) -> None:
        """Send a message, as soon as there is room."""
        self._outbox += pack_message(*fields, place=self._place)
        if not self._is_blocked:
            self._write()

    def pause(self, *, is_paused: bool) -> None:
        """Read no more for now, so that the worker has to wait with more; or go on."""
        if is_paused == self._is_paused:
            return
        self._is_paused = is_paused
        if self._is_reading:
            if is_paused:
                self._loop.remove_reader(self._sock)
            else:
                self._loop.add_reader(self._sock, self._read)

    def look(self) -> None:
        """Find nonsense in a message that has begun and does not go on, or a socket that the worker has closed.

        Call it every second or so.
        """
        if not ((self.is_amid_message and not self._is_paused) or self._is_cut):
            self._stalled_count = 0
            return
        self._stalled_count += 1
        if self._stalled_count > STALLED_LOOKS:
            self._stop_reading()
            self._on_nonsense("it has closed its socket" if self._is_cut else "it does not finish a message")

    def read_what_came(self) -> None:
        """Read what has come by now, though it may be that nothing more is wanted for a while."""
        if self._is_reading:
            self._read()

    def read_rest(self) -> str:
        """Read what a worker that has ended has sent; returns what makes no sense in it, mostly nothing."""
        reader = self._reader
        try:
            while reader is not None:
                for message in reader.read():
                    self._on_message(*message)
        except (OSError, EOFError):
            pass
        except Exception as error:  # boundary: a task can write anything to its worker's socket
            return shown(error)
        return ""

    def hang_up(self) -> None:
        """Let a worker that belongs to nobody end."""
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket of the slave, and know nobody any more."""
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        self._is_reading = self._is_cut = False
        self._reader = self._memory = self._place = None
        self._on_message = self._on_nonsense = _ignore

    @property
    def is_amid_message(self) -> bool:
        """Whether the worker has begun a message and the rest has not come."""
        return self._is_reading and self._reader is not None and self._reader.is_amid_message

    def _write(self) -> None:
        outbox = self._outbox
        while outbox:
            try:
                send_some(self._sock, outbox)
            except BlockingIOError:
                if not self._is_blocked:
                    self._is_blocked = True
                    self._loop.add_writer(self._sock, self._write)
                return
            except OSError:  # the worker died, its exit is reported soon
                outbox.clear()
                break
        if self._is_blocked:
            self._is_blocked = False
            self._loop.remove_writer(self._sock)

    def _read(self) -> None:
        reader = self._reader
        assert reader is not None, "nothing is read from a worker that belongs to nobody"
        try:
            for _ in range(READS_PER_TURN):
                for message in reader.read():
                    self._stalled_count = 0
                    self._on_message(*message)
                if reader.is_drained:
                    return
        except BlockingIOError:
            pass
        except (OSError, EOFError):  # its end is reported soon, or a task has closed the socket
            self._is_cut = True
            self._stop_reading()
        except Exception as error:  # boundary: a task can write anything to its worker's socket
            self._stop_reading()
            self._on_nonsense(shown(error))

    def _stop_reading(self) -> None:
        """Read nothing more, for good."""
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._sock)


def _ignore(*_: object) -> None:
    """Nobody listens any more."""
