"""Turns counts into a picture and writes it as PNG; needs nothing but the standard library."""

from __future__ import annotations

import math
import struct
import zlib
from functools import lru_cache
from pathlib import Path

from .counts import INSIDE, PARTS, unpacked
from .view import View

__all__ = ["colour_of", "write_png"]

STOPS = ((8, 12, 48), (24, 82, 160), (120, 200, 220), (255, 244, 214), (240, 150, 40), (110, 24, 60))
"""The colours of a round, each red, green, blue; after the last one comes the first again."""
STOPS_PER_DOUBLING = 0.9
"""How many stops to go on where the count doubles."""
KEPT_COLOURS = 1 << 16


@lru_cache(KEPT_COLOURS)
def colour_of(count: int) -> bytes:
    """Return red, green and blue of a smooth count; black for the inside.

    Goes round the stops with the logarithm of the count: slow far out, where counts change fast.
    """
    if count == INSIDE:
        return bytes(3)
    position = STOPS_PER_DOUBLING * math.log2(count / PARTS + 1)
    index = int(position)
    share = position - index
    here, there = STOPS[index % len(STOPS)], STOPS[(index + 1) % len(STOPS)]
    return bytes(round(a + (b - a) * share) for a, b in zip(here, there, strict=True))


def write_png(path: Path, view: View, counts: bytes) -> None:
    """Write a picture as PNG with 8 bits for each of red, green and blue (ISO/IEC 15948, 3rd edition).

    :param counts: packed counts of all pixels.
    :raises OSError: if the file cannot be written.
    """
    pixels = unpacked(counts)
    no_filter = b"\0"
    rows = []
    for start in range(0, len(pixels), view.width):
        row = pixels[start : start + view.width]
        rows.append(no_filter + b"".join(map(colour_of, row)))
    header = struct.pack(">IIBBBBB", view.width, view.height, 8, 2, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", header))
        file.write(_chunk(b"IDAT", zlib.compress(b"".join(rows))))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
