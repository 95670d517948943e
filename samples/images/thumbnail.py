"""What is done with one image, on a worker. Needs Pillow.

The file ``mark.png`` lies beside this module, wherever that is: in a copy of the sample it travels with the
modules if it is included.
"""

from __future__ import annotations

import io
from pathlib import Path

from concurrent.scheduling import Task

__all__ = ["ThumbnailTask"]

MARK = Path(__file__).with_name("mark.png")


class ThumbnailTask(Task):
    """Makes a small picture of an image, with a mark in its corner.

    The bytes travel with the task, so no worker needs the folder. A worker that dies of it may have died of
    something else, so it gets a second one.

    :param name: of the image, in its folder.
    :param data: what is in the file.
    :param side: of the square that the thumbnail fits into, in pixels.
    """

    attempts_max = 2

    def __init__(self, name: str, data: bytes, side: int) -> None:
        super().__init__(name)
        self.data = data
        self.side = side

    def __call__(self) -> bytes:
        """Return the thumbnail as a PNG file; whatever is raised is the error of this task alone."""
        from PIL import Image, UnidentifiedImageError

        from .faults import act_up

        if not self.data:
            raise ValueError("the file is empty")
        Image.MAX_IMAGE_PIXELS = None  # large images are fine: the limit of memory is what protects
        try:
            image = Image.open(io.BytesIO(self.data))
        except UnidentifiedImageError:
            raise ValueError("it is no image, or of a kind that Pillow does not know") from None
        act_up(image.info.get("fault"))
        small = image.convert("RGB")
        small.thumbnail((self.side, self.side))
        with Image.open(MARK) as mark:
            small.paste(mark, (3, 3), mark)
        written = io.BytesIO()
        small.save(written, "PNG")
        return written.getvalue()

    def clean_up(self) -> None:
        """Do not send the image back."""
        self.data = b""
