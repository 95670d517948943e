"""All thumbnails on one picture. Needs Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

__all__ = ["write_sheet"]

GAP = 8


def write_sheet(path: Path, thumbnails: Sequence[Path], side: int) -> None:
    """Write a contact sheet, about as wide as it is high, with a cross for each thumbnail that is not there.

    :param side: of the square that each thumbnail fits into, in pixels.
    :raises OSError: if a file cannot be read or written.
    """
    columns = max(1, math.ceil(math.sqrt(len(thumbnails) * 3 / 4)))
    rows = max(1, math.ceil(len(thumbnails) / columns))
    cell = side + GAP
    sheet = Image.new("RGB", (columns * cell + GAP, rows * cell + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for index, file in enumerate(thumbnails):
        left, top = GAP + index % columns * cell, GAP + index // columns * cell
        if not file.exists():
            draw.rectangle((left, top, left + side, top + side), "#eee")
            draw.line((left, top, left + side, top + side), "#c22", 2)
            draw.line((left, top + side, left + side, top), "#c22", 2)
            continue
        with Image.open(file) as image:
            sheet.paste(image, (left + (side - image.width) // 2, top + (side - image.height) // 2))
    sheet.save(path)
