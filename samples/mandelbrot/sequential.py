"""The baseline: the whole picture in one process with the same kernel, as one would write it without us."""

from __future__ import annotations

from concurrent.apps.samples.mandelbrot.kernel import count_points
from concurrent.apps.samples.mandelbrot.view import View

__all__ = ["count_picture"]


def count_picture(view: View) -> bytes:
    """Return the packed counts of the whole picture, computed in the calling thread."""
    return count_points(view.xs(range(view.width)), view.ys(range(view.height)), view.iterations)
