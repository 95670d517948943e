"""Columns of tasks: cut into messages of a reasonable size, and checked when they come from a peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from concurrent.core.errors import InvalidArguments
from concurrent.scheduling.tasks.outcome import STATUSES
from concurrent.scheduling.tasks.weights import OVERHEAD_BYTES
from concurrent.transport.frames.frames import Frame

__all__ = [
    "BATCH_BYTES",
    "BATCH_FRAMES",
    "BLOB_BYTES",
    "CODE_BYTES_MAX",
    "OVERHEAD_BYTES",
    "Payload",
    "check_columns",
    "check_statuses",
    "each_of",
    "slices",
]

Payload = bytes | Frame
"""A pickled task or outcome as it travels; small ones inside the message, large ones beside it."""

BATCH_BYTES = 4 << 20
"""Above this a message only gets longer, not cheaper for each byte."""

BATCH_FRAMES = 1000
"""Well below the number of raw frames that the transport lets into one message."""

CODE_BYTES_MAX = 256 << 20
"""How much code one owner may send, ``BLOB_BYTES`` for each blob included."""

ONLY = (slice(0, 1),)
"""The slices of a column of one payload."""

BLOB_BYTES = 1024
"""What a blob of code counts for besides its size."""


def slices(
    payloads: Sequence[Any], *, bytes_max: int = BATCH_BYTES, count_max: int = 10_000
) -> Iterable[slice]:
    """Return slices of the column, in order, each of at most so many bytes but of one payload at least.

    An empty column has none.

    :param payloads: ``bytes`` or ``Frame``.
    :param count_max: most payloads in one slice.
    """
    count = len(payloads)
    if count == 1:
        return ONLY
    if 0 < count <= count_max and sum(map(len, payloads)) <= bytes_max:
        if count <= BATCH_FRAMES or Frame not in map(type, payloads):
            return (slice(0, count),)
    return _cut(payloads, bytes_max, count_max)


def each_of(part: slice) -> list[slice]:
    """Return slices of one place each.

    :param part: with a beginning and an end, as :func:`slices` makes them.
    """
    return [slice(place, place + 1) for place in range(part.start, part.stop)]


def check_columns(*columns: Sequence[Any]) -> None:
    """Raise InvalidArguments if the columns of a peer's message differ in length."""
    if len(set(map(len, columns))) > 1:
        lengths = list(map(len, columns))
        raise InvalidArguments(
            f"the columns must be of one length, but have {lengths}", thing="columns", value=lengths
        )


def check_statuses(statuses: Sequence[int]) -> None:
    """Raise InvalidArguments unless all of them say how an attempt can end."""
    if not STATUSES.issuperset(statuses):
        unknown = set(statuses) - STATUSES
        raise InvalidArguments(f"there is no status {min(unknown)}", thing="status", value=min(unknown))


def _cut(payloads: Sequence[Any], bytes_max: int, count_max: int) -> Iterator[slice]:
    """Yield the slices of a column that does not fit into one."""
    start = size = frames = 0
    for end, payload in enumerate(payloads):
        is_frame = type(payload) is Frame
        is_full = size + len(payload) > bytes_max or end - start >= count_max or frames >= BATCH_FRAMES
        if end > start and is_full:
            yield slice(start, end)
            start, size, frames = end, 0, 0
        size += len(payload)
        frames += is_frame
    if start < len(payloads):
        yield slice(start, len(payloads))
