"""A folder of images to try it with, some of them faulty, and what these do to a worker. Needs Pillow."""

from __future__ import annotations

import math
import os
import signal
import struct
import time
import zlib
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

__all__ = ["FAULTS", "act_up", "make_folder"]

WIDTH, HEIGHT = 320, 240
HUGE = 16_000
"""So many pixels wide and high: 32 kB in the file, and a gigabyte in memory."""

FAULTS = {
    "crashes.png": "kills the process that decodes it, as a fault in a decoder does",
    "empty.png": "has no bytes",
    "endless.png": "takes for ever",
    "huge.png": "needs far more memory than it looks",
    "letter.png": "is a text",
    "truncated.png": "ends in the middle, as a copy that was interrupted",
}


def make_folder(folder: Path, count: int) -> None:
    """Write good images, and one of each kind of fault.

    :raises OSError: if a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        _picture(number).save(folder / f"picture-{number:03}.png")
    whole = (folder / "picture-000.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "letter.png").write_text("Dear editor, please find the image attached.\n")
    (folder / "huge.png").write_bytes(_huge(HUGE))
    for name, fault in (("crashes.png", "crash"), ("endless.png", "endless")):
        info = PngInfo()
        info.add_text("fault", fault)
        _picture(count).save(folder / name, pnginfo=info)


def act_up(fault: str | None) -> None:
    """Do what the fault of an image does in a decoder; most have none. On a worker."""
    if fault == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    while fault == "endless":
        time.sleep(1)


def _picture(number: int) -> Image.Image:
    """Return waves, others for each number."""
    image = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    bands = []
    for band in range(3):
        turns = 1 + (number * (band + 2)) % 7
        table = [int(127.5 + 127.5 * math.sin(turns * level / 40 + number + 2 * band)) for level in range(256)]
        bands.append(image.rotate(30 * number + 60 * band).point(table))
    return Image.merge("RGB", bands)


def _huge(side: int) -> bytes:
    """Return a white PNG image of one bit a pixel, made row by row. W3C, Portable Network Graphics, 2003."""
    packer = zlib.compressobj()
    row = b"\x00" + b"\xff" * (side // 8)
    rows = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
