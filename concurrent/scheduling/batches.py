"""Cuts columns of tasks into messages of a reasonable size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from concurrent.transport.frames import Frame

__all__ = ["BATCH_BYTES", "BATCH_FRAMES", "CODE_BYTES_MAX", "slices"]

BATCH_BYTES = 4 << 20
"""Above this a message only gets longer, not cheaper for each byte."""

BATCH_FRAMES = 1000
"""Well below the number of raw frames that the transport lets into one message."""

CODE_BYTES_MAX = 256 << 20
"""How much code one owner may send."""


def slices(
    payloads: Sequence[Any], *, bytes_max: int = BATCH_BYTES, count_max: int = 10_000
) -> Iterable[slice]:
    """Return slices of the column, in order, each of at most so many bytes but of one payload at least.

    An empty column has none.

    :param payloads: ``bytes`` or ``Frame``.
    :param count_max: most payloads in one slice.
    """
    count = len(payloads)
    if 0 < count <= count_max and sum(map(len, payloads)) <= bytes_max:
        if count <= BATCH_FRAMES or Frame not in map(type, payloads):
            return (slice(0, count),)
    return _cut(payloads, bytes_max, count_max)


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
