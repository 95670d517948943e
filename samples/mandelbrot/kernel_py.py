"""The kernel in pure Python; ``_kernel.pyx`` does the same floating point operations in the same order.

Escape time algorithm: z = z * z + c, from z = 0, until abs(z) > 2; such a point is outside of the set
(B. Mandelbrot, 1980). Without the usual short cuts for points inside: the sample is about work.
"""

from __future__ import annotations

from array import array

from concurrent.apps.samples.mandelbrot.counts import packed

__all__ = ["count_rows", "escape_count"]


def escape_count(c_x: float, c_y: float, iterations: int) -> int:
    """Return after how many steps the point c_x + c_y i escapes; ``iterations`` if it has not by then."""
    x = 0.0
    y = 0.0
    count = 0
    while count < iterations:
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            break
        y = 2.0 * x * y + c_y
        x = xx - yy + c_x
        count += 1
    return count


def count_rows(xs: array[float], ys: array[float], iterations: int) -> bytes:
    """Return the packed counts of the points x + y i, for all ``xs`` of the first of ``ys``, and so on.

    :param xs: an array of doubles.
    :param ys: an array of doubles.
    :param iterations: 65535 at most.
    :raises OverflowError: if ``iterations`` is larger than that.
    """
    return packed(escape_count(x, y, iterations) for y in ys for x in xs)
