"""What travels on the work queue of push/pull: tasks of one owner that are taken together."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, Final, NamedTuple

from concurrent.core.dependencies import installed_first
from concurrent.core.errors import MalformedMessage, SchedulingError
from concurrent.scheduling.tasks.runterms import USUAL, RunTerms, read_run_terms
from concurrent.transport.frames.frames import Frame

with installed_first("msgpack"):
    import msgpack

__all__ = ["SESSION", "Chunk", "SendChunk", "decode_chunk", "encode_chunk"]

SESSION: Final = "session"
"""The kind of a work queue that slaves ask over their sessions; other kinds name the carriers to pull with."""

PAYLOAD_TYPES: Final = frozenset((bytes, Frame))

NONSENSE: Final = (
    ValueError, TypeError, AttributeError, StopIteration, IndexError, SchedulingError, msgpack.UnpackException,
)  # fmt: skip
"""What is raised when a message is read that is none."""


class Chunk(NamedTuple):
    """Tasks of one owner that are taken together."""

    owner: int
    code_count: int
    numbers: list[int]
    payloads: list[bytes | Frame]
    terms: RunTerms = USUAL

    def without(self, dropped: Set[int]) -> Chunk:
        """Return it without the tasks of these numbers."""
        if dropped.isdisjoint(self.numbers):
            return self
        kept = [
            (number, payload)
            for number, payload in zip(self.numbers, self.payloads, strict=True)
            if number not in dropped
        ]
        return self._replace(numbers=[n for n, _ in kept], payloads=[payload for _, payload in kept])


SendChunk = Callable[[Chunk], None]
"""Sends tasks to one slave."""


def encode_chunk(chunk: Chunk) -> list[Any]:
    """Return the message of a chunk: a msgpack header, and a frame for each large payload."""
    frames: list[Any] = []
    inline: list[bytes | None] = []
    for payload in chunk.payloads:
        if type(payload) is Frame:
            inline.append(None)
            frames.append(payload.buffer)
        else:
            inline.append(payload)  # type: ignore[arg-type]
    fields = [chunk.owner, chunk.code_count, chunk.numbers, inline]
    if chunk.terms is not USUAL:
        fields.append(chunk.terms.as_map())
    return [msgpack.packb(fields), *frames]


def decode_chunk(message: Sequence[Any]) -> Chunk:
    """Return the chunk of a message; large payloads are views of what was received.

    :raises MalformedMessage: if it is none.
    """
    try:
        owner, code_count, numbers, inline, *more = msgpack.unpackb(message[0])
        terms = read_run_terms(more[0]) if more else USUAL
        frames = iter(message[1:])
        payloads = [Frame(next(frames)) if payload is None else payload for payload in inline]
        is_good = set(map(type, (owner, code_count, *numbers))) == {int}
    except NONSENSE as error:
        raise MalformedMessage("a message on the work socket is not a chunk of tasks") from error
    if not is_good or not PAYLOAD_TYPES.issuperset(map(type, payloads)):
        raise MalformedMessage("a chunk of tasks has values of other types than numbers and payloads")
    if len(numbers) != len(payloads):
        raise MalformedMessage("a chunk of tasks has columns of different lengths")
    return Chunk(owner, code_count, list(numbers), payloads, terms)
