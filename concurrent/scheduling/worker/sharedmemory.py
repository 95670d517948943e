"""Memory that a slave shares with its workers, so that large payloads are copied less often.

A socket copies each byte twice on its way between a slave and a worker. Instead, a slave receives large
arguments from its master into memory that its workers can read, and a worker writes large results into memory
that the slave can read; the socket only says where they are. There is one memory of arguments for each
slave, and one of results for each worker. What finds no room there travels through the socket, and so does
everything on systems that have no such memory.

The memory of results begins with the board of the worker (``board.py``), in a grain of its own, and the results
that it has not sent yet (``held.py``).

A block of arguments is free again when nothing at the slave refers to it any more, which is after the outcome
of its task. A block of results is free when nothing at the slave refers to it and the worker was told so.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
import sys
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from typing import Any, Final

from concurrent.core.errors import MalformedMessage
from concurrent.scheduling.worker.board import BOARD_BYTES
from concurrent.scheduling.worker.extents import GRAIN_BYTES, Extents, whole_bytes
from concurrent.scheduling.worker.held import HELD_BYTES, HeldResult, HeldResults, read_held
from concurrent.transport.frames.blocks import new_block
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Frame

if sys.platform != "win32":
    import fcntl

__all__ = ["ArgumentMemory", "ReadMemory", "ResultMemory", "TrackedMemory", "receive_memory"]

MIB: Final = 1024 * 1024
ARGUMENT_BYTES: Final = 1024 * MIB
RESULT_BYTES: Final = 256 * MIB
"""How much there can be in all. No more is taken from the system than what is written to."""

RESULT_BYTES_MIN: Final = 8 * MIB
RESULT_BYTES_MAX: Final = 64 * MIB
"""What one worker has of it at least, however many there are, and at most."""

HELD_END: Final = GRAIN_BYTES + HELD_BYTES
"""Where what a worker holds back ends, and the blocks of results begin."""

KEPT_BYTES: Final = 64 * MIB
"""Pages up to here are kept for the next blocks; those behind go back to the system with their block."""

CAN_SHARE: Final = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")
"""Whether this interpreter knows of such memory; what is built for old systems does not."""

FILES_MAX: Final = 2
SHARED: Final = b"1"
NOT_SHARED: Final = b"0"


class TrackedMemory:
    """Gives views of shared memory and notes when nobody has them any more.

    One thread, but the views may be dropped by any.

    :param fd: what ``_new_memory`` returned; only needed here.
    :raises OSError: if there is no room in the address space.
    """

    def __init__(self, fd: int) -> None:
        self.size_bytes = os.fstat(fd).st_size
        self._map = mmap.mmap(fd, self.size_bytes)
        self._address = _address_of(memoryview(self._map))
        self._refs: dict[int, weakref.ref[Any]] = {}
        self._dropped: deque[int] = deque()

    def view(self, position: int, size_bytes: int) -> memoryview:
        """Return a view of a block, which counts as dropped when no view of it and no object over one is left.

        :raises MalformedMessage: if there can be no such block; the position may come from another process.
        """
        end = _checked_end(position, size_bytes, self.size_bytes)
        block = _array_type(end - position).from_buffer(self._map, position)
        self._refs[position] = weakref.ref(block, partial(self._drop, position, end))
        return memoryview(block).cast("B")[:size_bytes]

    def position_of(self, frame: Frame) -> int | None:
        """Return where a frame lies, None if it is not here, or not in one piece."""
        pieces = frame.pieces
        if frame.nbytes < FRAME_BYTES_MIN or len(pieces) != 1:
            return None
        if type(pieces[0]) is not memoryview or pieces[0].readonly:
            return None
        position = _address_of(pieces[0]) - self._address
        return position if 0 <= position < self.size_bytes else None

    def read_board(self) -> bytes:
        """Return what is at the beginning of it, where a worker says how far its task is."""
        return self._map[:BOARD_BYTES]

    def read_held(self, numbers: Sequence[int]) -> list[HeldResult]:
        """Return the results of these tasks that a worker holds back, see ``held.py``."""
        with memoryview(self._map) as view, view[GRAIN_BYTES:HELD_END] as held:
            return read_held(held, numbers)

    def take_dropped(self) -> list[int]:
        """Return the positions of the blocks that were dropped since the last call."""
        dropped = self._dropped
        return [dropped.popleft() for _ in range(len(dropped))]

    def _drop(self, position: int, end: int, _ref: weakref.ref[Any]) -> None:
        self._refs.pop(position, None)
        start = max(position, KEPT_BYTES)
        if end > start:
            with suppress(OSError):  # then they are kept
                self._map.madvise(mmap.MADV_REMOVE, start, end - start)
        self._dropped.append(position)


class ArgumentMemory:
    """A slave's memory of arguments. One thread, but the blocks may be dropped by any.

    Without shared memory on this system, blocks are of the usual kind.

    :param workers: how many workers share it.
    """

    def __init__(self, workers: int) -> None:
        share_bytes = RESULT_BYTES // workers // MIB * MIB
        self._result_bytes = min(RESULT_BYTES_MAX, max(RESULT_BYTES_MIN, share_bytes))
        self._extents = Extents(ARGUMENT_BYTES)
        self._reader_fd = -1
        self._memory: TrackedMemory | None = None
        fd = _new_memory(ARGUMENT_BYTES)
        if fd is not None:
            with suppress(OSError):  # no /proc, no descriptors or no address space
                self._reader_fd = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
                self._memory = TrackedMemory(fd)
            os.close(fd)

    def new_block(self, size_bytes: int) -> memoryview:
        """Return memory that can be written to, and holds anything before that; free with its last view."""
        memory = self._memory
        if memory is None:
            return new_block(size_bytes)
        for position in memory.take_dropped():
            self._extents.give_back(position)
        start = self._extents.take(size_bytes)
        return new_block(size_bytes) if start is None else memory.view(start, size_bytes)

    def position_of(self, frame: Frame) -> int | None:
        """Return where workers find a frame; None if that is in no block of this memory."""
        return self._memory.position_of(frame) if self._memory is not None else None

    def share(self, sock: socket.socket) -> TrackedMemory | None:
        """Let the worker at the other end read this memory, and give it one for results, which is returned.

        The first thing that is sent to a worker; see :func:`receive_memory`.

        :returns: None if nothing can be shared.
        :raises OSError: if that cannot be sent.
        """
        fd = _new_memory(HELD_END + self._result_bytes) if self._memory is not None else None
        results: TrackedMemory | None = None
        try:
            if fd is not None:
                with suppress(OSError):  # no descriptors or no address space
                    results = TrackedMemory(fd)
            if fd is None or results is None:
                sock.send(NOT_SHARED)
            else:
                socket.send_fds(sock, [SHARED], [self._reader_fd, fd])
        finally:
            if fd is not None:
                os.close(fd)
        return results

    def close(self) -> None:
        """Take no more workers. The memory itself goes with the last one who uses it."""
        self._memory = None
        if self._reader_fd >= 0:
            os.close(self._reader_fd)
            self._reader_fd = -1


class ReadMemory:
    """A worker's view of the arguments. One thread."""

    def __init__(self, fd: int) -> None:
        self._view = memoryview(mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ))

    def view(self, position: int, size_bytes: int) -> memoryview:
        """Return a block, to be read until the outcome of its task has been sent."""
        return self._view[position : position + size_bytes]


class ResultMemory:
    """A worker's memory of results. One thread, but any may write to the ``board``.

    ``held`` has the results that it has not sent yet.
    """

    def __init__(self, fd: int) -> None:
        size_bytes = os.fstat(fd).st_size
        self._view = memoryview(mmap.mmap(fd, size_bytes))
        self._extents = Extents(size_bytes)
        self._extents.take(HELD_END)
        self.board = self._view[:BOARD_BYTES]
        self.held = HeldResults(mmap.mmap(fd, HELD_BYTES, offset=GRAIN_BYTES))

    def put(self, frame: Frame) -> int | None:
        """Write a frame; returns where, or None if there is no room."""
        start = self._extents.take(frame.nbytes)
        if start is not None:
            position = start
            for piece in frame.pieces:
                end = position + len(piece)
                self._view[position:end] = piece
                position = end
        return start

    def give_back(self, positions: Iterable[int]) -> None:
        """Free blocks that the slave has dropped."""
        for position in positions:
            self._extents.give_back(position)


def receive_memory(sock: socket.socket) -> tuple[ReadMemory, ResultMemory] | None:
    """Take what the slave shares, the first thing that comes; None if it shares nothing.

    :raises EOFError: if the slave is gone.
    :raises OSError: if there are no descriptors or there is no address space for it.
    """
    data, fds, _flags, _address = socket.recv_fds(sock, len(SHARED), FILES_MAX)
    try:
        if not data:
            raise EOFError
        if data == SHARED and len(fds) != FILES_MAX:
            raise OSError(errno.EMFILE, "no descriptors for the memory of the slave")
        return (ReadMemory(fds[0]), ResultMemory(fds[1])) if data == SHARED else None
    finally:
        for fd in fds:
            os.close(fd)


def _new_memory(size_bytes: int) -> int | None:
    """Return the descriptor of memory that can be shared, for the caller to close; None if there is none.

    Nobody can make it shorter: who reads beyond the end of a file is killed.
    """
    if not CAN_SHARE:
        return None
    try:
        fd = os.memfd_create("concurrent", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:  # no descriptors, or forbidden
        return None
    try:
        os.ftruncate(fd, size_bytes)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    except OSError:
        os.close(fd)
        return None
    return fd


def _checked_end(position: Any, size_bytes: Any, memory_bytes: int) -> int:
    """Return where the pages of a block end."""
    if type(position) is int and type(size_bytes) is int and not position % GRAIN_BYTES:
        end = position + whole_bytes(size_bytes)
        if 0 <= position < end <= memory_bytes:
            return end
    raise MalformedMessage(f"a block of {size_bytes} bytes at {position} in a memory of {memory_bytes}")


@cache
def _array_type(size_bytes: int) -> Any:
    """Return the type of a block: one of so many bytes, of which there can be weak references."""
    return ctypes.c_char * size_bytes


def _address_of(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))
