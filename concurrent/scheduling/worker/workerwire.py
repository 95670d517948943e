"""Messages between a pool and its worker: the format, for both ends.

One message is a prelude (bytes that follow, bytes of the body), a msgpack body and raw frames::

    body = [kind, fields ..., payloads, lengths]

``payloads`` is a list of byte strings. One that is large is ``nil`` there. It travels as a raw frame behind
the body, beginning at a multiple of 16 bytes from the start of the body, or lies in memory that both ends see
(``sharedmemory.py``); ``lengths`` has the size of each in bytes, or its position there and its size. The kinds
and their fields:

=========== ========================================== ==================================================
``OWNER``   owner, environment, group, []              to the worker, before all others: the application that it
                                                       belongs to, [variables, variables that are set unless
                                                       they are], and where it enters its control group by
                                                       writing 0, or nothing
``TASKS``   generation, numbers, hold_s, dropped,      to the worker: tasks, in the order of their tokens;
            terms, payloads                            their results may wait ``hold_s`` seconds for others.
                                                       ``dropped`` has positions of results, free again;
                                                       ``terms`` has [place, map] from where on tasks ask for
                                                       something: ``retry_on``, names of exceptions
``CODE``    index, [blob]                              to the worker: code that later payloads refer to
``RESULTS`` numbers, statuses, busy_s, output,         from the worker: how attempts ended, in the order
            payloads                                   of the tokens; ``output`` has [number, bytes
                                                       printed, their beginning, their end, progress] for
                                                       tasks that print or say how far they are; the
                                                       beginning is empty if the end is all, and progress
                                                       is a record of ``board.py`` or empty
=========== ========================================== ==================================================
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import MalformedMessage
from concurrent.transport.frames.blocks import new_block
from concurrent.transport.frames.frames import Buffer, Frame, gathered

with installed_first("msgpack"):
    import msgpack

__all__ = ["CODE", "OWNER", "RESULTS", "TASKS", "MessageReader", "Place", "View", "pack_message"]

Place = Callable[[Frame], "int | None"]
"""Returns where the other end sees a payload, None if it does not."""

View = Callable[[int, int], memoryview]
"""Returns what the other end has put at a position, so many bytes."""

TASKS: Final = 0
CODE: Final = 1
OWNER: Final = 2
RESULTS: Final = 3

PRELUDE: Final = struct.Struct("!QI")
ALIGNMENT: Final = 16
READ_BYTES: Final = 262144
"""How much is read at once; a longer message gets a buffer of its own size."""

AHEAD_BYTES: Final = 32768
"""How much is read at first behind a long message: another one may follow, and what is read ahead is copied."""

WAIT_ALL: Final = getattr(socket, "MSG_WAITALL", 0)


def pack_message(*fields: Any, place: Place | None = None) -> list[Buffer]:
    """Return the pieces of one message; large payloads are not copied. Any thread.

    :param fields: the kind and its fields; the last one is the list of payloads.
    :param place: puts or finds a large payload in memory that the other end can see.
    """
    frames: list[Frame] = []
    lengths: list[int | tuple[int, int]] = []

    def set_aside(frame: Frame) -> None:
        position = place(frame) if place is not None else None
        if position is not None:
            lengths.append((position, frame.nbytes))
        else:
            frames.append(frame)
            lengths.append(frame.nbytes)

    # The lengths are packed last, when every frame has been met.
    body: bytes = msgpack.packb([*fields, lengths], default=set_aside)
    size = len(body)
    if not frames:
        return [PRELUDE.pack(size, size) + body]
    parts: list[bytes | Frame] = [body, *frames]
    buffers: list[Buffer | Frame] = []
    total = 0
    for part in parts:
        buffers += (part, bytes(-len(part) % ALIGNMENT))
        total += _aligned(len(part))
    return gathered([PRELUDE.pack(total, size), *buffers])


def _unpack(view: memoryview, body_bytes: int, view_of: View) -> list[Any]:
    """Return the fields of one message; large payloads are views of ``view`` or of shared memory."""
    message: list[Any] = msgpack.unpackb(view[:body_bytes], use_list=True)
    lengths = message.pop()
    if lengths:
        payloads, start = message[-1], _aligned(body_bytes)
        sizes = iter(lengths)
        for index, payload in enumerate(payloads):
            if payload is None:
                size = next(sizes)
                if type(size) is list:
                    payloads[index] = Frame(view_of(*size))
                else:
                    payloads[index] = Frame(view[start : start + size])
                    start += _aligned(size)
    return message


def _nothing_shared(position: int, size: int) -> memoryview:
    raise MalformedMessage(f"a payload of {size} bytes at {position}, but no memory is shared")


def _aligned(size: int) -> int:
    return size + -size % ALIGNMENT


class MessageReader:
    """Reads messages from a connected socket. One thread.

    :param sock: the socket; blocking or not, the reader leaves that as it is.
    :param message_bytes_max: a longer message is refused before there is room for it.
    :param view_of: returns what lies in memory that is shared with the other end.

    ``is_drained`` tells whether the last read has taken all that there was.
    """

    def __init__(
        self,
        sock: socket.socket,
        message_bytes_max: int = 1 << 62,
        view_of: View | None = None,
    ) -> None:
        self.is_drained = False
        self._view_of = view_of or _nothing_shared
        self._sock = sock
        self._message_bytes_max = message_bytes_max
        self._rest = b""
        self._ahead_bytes = READ_BYTES
        self._large = memoryview(b"")
        self._large_body_bytes = 0
        self._filled = 0

    @property
    def is_amid_message(self) -> bool:
        """Whether a message has begun to arrive that is not complete."""
        return bool(self._rest or self._large)

    def read(self) -> list[list[Any]]:
        """Receive once and return the messages that are complete now, possibly none.

        :raises MalformedMessage: if what came is no message, or a too long one.
        :raises EOFError: if the other end is closed.
        :raises BlockingIOError: if the socket does not block and nothing is there.
        """
        if self._large:
            return self._fill()
        data = self._sock.recv(self._ahead_bytes)
        size = len(data)
        if not size:
            raise EOFError
        self.is_drained = size < self._ahead_bytes
        if size >= AHEAD_BYTES:
            self._ahead_bytes = READ_BYTES
        return self._split(self._rest + data if self._rest else data)

    def _split(self, data: bytes) -> list[list[Any]]:
        messages: list[list[Any]] = []
        view, start, available = memoryview(data), 0, len(data)
        while available - start >= PRELUDE.size:
            total, body_bytes = PRELUDE.unpack_from(data, start)
            if body_bytes > total or total > self._message_bytes_max:
                raise MalformedMessage(f"a message of {total} bytes with a body of {body_bytes}")
            first = start + PRELUDE.size
            if first + total > available:
                if total > READ_BYTES:
                    self._begin_large(total, body_bytes, view[first:])
                    start = available
                break
            messages.append(_unpack(view[first : first + total], body_bytes, self._view_of))
            start = first + total
        self._rest = data[start:]
        return messages

    def _begin_large(self, total: int, body_bytes: int, begin: memoryview) -> None:
        # Arrays which are rebuilt over it can be written to.
        self._large = new_block(total)
        self._large_body_bytes = body_bytes
        self._filled = len(begin)
        self._large[: self._filled] = begin
        self._ahead_bytes = AHEAD_BYTES

    def _fill(self) -> list[list[Any]]:
        count = self._sock.recv_into(self._large[self._filled :], 0, WAIT_ALL)
        if not count:
            raise EOFError
        self._filled += count
        self.is_drained = self._filled < len(self._large)
        if self.is_drained:
            return []
        view, self._large = self._large, memoryview(b"")
        return [_unpack(view, self._large_body_bytes, self._view_of)]
