"""Messages out of a byte stream, with at most one copy of small frames and none of large ones.

All connections of a loop receive into one scratch buffer. What is left of an unfinished message
moves to the connection's own memory; a large frame gets memory of its own size at once and the rest
of it is received straight into that. Pure: it is told how many bytes were put where it said.
"""

from __future__ import annotations

from typing import Final

from concurrent.transport.frames.blocks import new_block, new_block_of
from concurrent.transport.frames.frames import FRAME_BYTES_MIN, Buffer
from concurrent.transport.frames.memory import UNCLAIMED_BYTES_MAX, MemoryShare
from concurrent.transport.session.envelope import PREFIX_BYTES, SIZE_BYTES, read_frame_sizes
from concurrent.transport.session.limits import Limits

__all__ = ["GREETING_LIMITS", "SCRATCH_BYTES", "FrameReader"]

SCRATCH_BYTES: Final = 512 * 1024
AHEAD_BYTES: Final = 32 * 1024
"""How much is read at first behind a very large frame: another may follow, and what is read ahead is copied."""

GREETING_BYTES_MAX: Final = 4096
GREETING_LIMITS: Final = Limits(
    message_bytes_max=GREETING_BYTES_MAX, header_bytes_max=GREETING_BYTES_MAX, frames_max=1
)
"""What is accepted from a peer that has not greeted yet."""


class FrameReader:
    """Cuts one connection's stream of bytes into messages.

    :param limits: what is accepted now; while it is ``GREETING_LIMITS``, ``advance`` stops behind
        each message, for what follows may be accepted under other limits: see ``go_on``.
    :param scratch: memory to receive into; used only between ``space`` and ``advance``.
    :param share: where memory for large messages is claimed; None: there is enough.

    While ``is_held_up`` nothing more may be received: call ``go_on`` when the share has room.
    """

    def __init__(self, limits: Limits, scratch: memoryview, share: MemoryShare | None = None) -> None:
        self.limits = limits
        self.is_held_up = False
        self._share = share
        self._new_block = share.new_block if share is not None else new_block_of
        self._has_claimed = False
        self._scratch = scratch
        self._rest = b""
        self._sizes: tuple[int, ...] | None = None
        self._frames: list[Buffer] = []
        self._ahead_bytes = SCRATCH_BYTES
        self._large: memoryview | None = None
        self._filled = 0

    @property
    def is_amid_message(self) -> bool:
        """Whether a message has begun that is not complete."""
        return self._sizes is not None or bool(self._rest)

    def space(self) -> memoryview:
        """Return the memory to receive into now."""
        if self._large is not None:
            return self._large[self._filled :]
        start = len(self._rest)
        if start:
            self._scratch[:start] = self._rest
        return self._scratch[start : start + self._ahead_bytes]

    def advance(self, count: int) -> list[list[Buffer]]:  # noqa: C901  one loop, as each call costs
        """Return the messages that are complete after ``count`` bytes more.

        :raises ProtocolError: if the stream is not one of messages, or one exceeds the limits;
            nothing more can be read from it then.
        """
        messages: list[list[Buffer]] = []
        if self._large is not None:
            self._filled += count
            if self._filled < len(self._large):
                return messages
            self._frames.append(self._large)
            self._large = None
            self._finish(messages)
            count = 0  # nothing of it is in the scratch memory; empty frames may still follow
        if count >= AHEAD_BYTES:
            self._ahead_bytes = SCRATCH_BYTES
        end = len(self._rest) + count
        view = self._scratch[:end]
        position = 0
        while position < end or self._sizes is not None:
            sizes = self._sizes
            if sizes is None:
                sizes = self._sizes = read_frame_sizes(view, position, self.limits)
                if sizes is None:
                    break
                position += PREFIX_BYTES + SIZE_BYTES * len(sizes)
            available = end - position
            size = sizes[len(self._frames)]
            if len(sizes) == 1 and size <= available and size < FRAME_BYTES_MIN and not self.is_held_up:
                messages.append([bytes(view[position : position + size])])  # small and whole, as nearly all are
                self._sizes = None
                position += size
                if self.limits is GREETING_LIMITS:
                    break
                continue
            if not self._frames and not self._has_memory(sizes, available):
                break
            if available < size:
                if size >= FRAME_BYTES_MIN:
                    self._begin_large(view[position:], size)
                    position = end
                break
            frame = view[position : position + size]
            self._frames.append(bytes(frame) if size < FRAME_BYTES_MIN else self._copied(frame, size))
            position += size
            self._finish(messages)
            if messages and self.limits is GREETING_LIMITS:
                break
        self._rest = bytes(view[position:]) if position < end else b""
        return messages

    def go_on(self) -> list[list[Buffer]]:
        """Return more messages of what was received before; raises ProtocolError."""
        if self._large is not None or not (self._rest or self.is_held_up):
            return []
        self.space()
        return self.advance(0)

    def close(self) -> None:
        """Forget what has arrived of a message; nothing may be received any more."""
        self._large = None
        self._frames = []
        self._sizes = None
        self._rest = b""

    def _has_memory(self, sizes: tuple[int, ...], available: int) -> bool:
        """Claim memory for a message, unless it is small or has arrived whole."""
        size_bytes = sizes[0] if len(sizes) == 1 else sum(sizes)
        if size_bytes > available and size_bytes > UNCLAIMED_BYTES_MAX:
            if self._share is not None and not self._has_claimed:
                self._has_claimed = self._share.claim(size_bytes)
                self.is_held_up = not self._has_claimed
        return not self.is_held_up

    def _begin_large(self, received: memoryview, size: int) -> None:
        self._large = self._copied(received, size)
        if size >= SCRATCH_BYTES // 2:
            self._ahead_bytes = AHEAD_BYTES
        self._filled = len(received)

    def _copied(self, received: memoryview, size: int) -> memoryview:
        """Return new memory for a frame that begins with what was received."""
        block = self._new_block(size, self._frames[0]) if self._frames else new_block(size)
        block[: len(received)] = received
        return block

    def _finish(self, messages: list[list[Buffer]]) -> None:
        assert self._sizes is not None
        if len(self._frames) == len(self._sizes):
            if self._share is not None and self._has_claimed:
                self._share.release()
                self._has_claimed = False
            messages.append(self._frames)
            self._frames = []
            self._sizes = None
