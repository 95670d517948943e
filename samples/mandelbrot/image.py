"""Turns counts into a picture and writes it as PNG; needs nothing but the standard library."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

from concurrent.apps.samples.mandelbrot.counts import unpacked
from concurrent.apps.samples.mandelbrot.view import View

__all__ = ["palette", "write_png"]

INSIDE = bytes(3)
STOPS = ((8, 12, 48), (24, 82, 160), (120, 200, 220), (255, 244, 214), (240, 150, 40), (110, 24, 60))
"""The colours of a round, each red, green, blue; after the last one comes the first again."""
STOPS_PER_DOUBLING = 0.9
"""How many stops to go on where the count doubles."""


def palette(iterations: int) -> list[bytes]:
    """Return the colour of each count from 0 to ``iterations``, which is inside: red, green, blue."""
    return [_colour(count) for count in range(iterations)] + [INSIDE]


def _colour(count: int) -> bytes:
    """Go round the stops with the logarithm of the count: slow far out, where counts change fast."""
    position = STOPS_PER_DOUBLING * math.log2(count + 1)
    index = int(position)
    share = position - index
    here, there = STOPS[index % len(STOPS)], STOPS[(index + 1) % len(STOPS)]
    return bytes(round(a + (b - a) * share) for a, b in zip(here, there, strict=True))


def write_png(path: Path, view: View, counts: bytes) -> None:
    """Write a picture as PNG with 8 bits for each of red, green and blue (ISO/IEC 15948, 3rd edition).

    :param counts: packed counts of all pixels.
    :raises OSError: if the file can not be written.
    """
    colours = palette(view.iterations)
    pixels = unpacked(counts)
    no_filter = b"\0"
    rows = []
    for start in range(0, len(pixels), view.width):
        row = pixels[start : start + view.width]
        rows.append(no_filter + b"".join([colours[count] for count in row]))
    header = struct.pack(">IIBBBBB", view.width, view.height, 8, 2, 0, 0, 0)
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", header))
        file.write(_chunk(b"IDAT", zlib.compress(b"".join(rows))))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
