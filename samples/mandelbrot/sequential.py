"""The baseline: the whole picture in one process with the same kernel, as one would write it without us."""

from __future__ import annotations

from collections.abc import Callable

from concurrent.apps.samples.mandelbrot.kernel import count_rows
from concurrent.apps.samples.mandelbrot.view import View

__all__ = ["count_picture"]

ROWS_PER_STEP = 32


def count_picture(view: View, progress: Callable[[int, int], None]) -> bytes:
    """Return the packed counts of the whole picture, computed in the calling thread.

    :param progress: called now and then with the rows done and the rows of the picture.
    """
    xs = view.xs()
    parts = []
    for rows in view.blocks(ROWS_PER_STEP):
        parts.append(count_rows(xs, view.ys(rows), view.iterations))
        progress(rows.stop, view.height)
    return b"".join(parts)
