"""The kernel in pure Python; ``_kernel.pyx`` does the same floating point operations in the same order.

Escape time algorithm: z = z * z + c, from z = 0, until abs(z) is larger than a bailout; such a point is outside
of the set (B. Mandelbrot, 1980). Without the usual short cuts for points inside: the sample is about work.

The step n at which a point escapes makes a picture of bands. The normalised iteration count

    mu = n + 1 - log2(log(abs(z)) / log(bailout))

passes from one band to the next without a step, and the more exactly, the larger the bailout is (L. Vepstas,
"Renormalizing the Mandelbrot Escape", 1997; dividing by log(bailout) adds a constant to his formula, so that
mu is between n and n + 1). It is kept as a whole number of 1/256, so that machines agree on it to the bit.
"""

from __future__ import annotations

import math
from array import array

from .counts import INSIDE, ITERATIONS_MAX, PARTS, packed

__all__ = ["count_points", "smooth_count"]

BAILOUT_SQUARED = 65536.0
BAILOUT_SQUARED_LOG2 = 16.0


def smooth_count(c_x: float, c_y: float, iterations: int) -> int:
    """Return mu of the point c_x + c_y i in steps of 1/256, 0 if it has not escaped after ``iterations`` steps.

    At least 1 for a point that escapes, however far out it is.
    """
    x = 0.0
    y = 0.0
    count = 0
    while count < iterations:
        xx = x * x
        yy = y * y
        if xx + yy > BAILOUT_SQUARED:
            mu = count + 1.0 - math.log2(math.log2(xx + yy) / BAILOUT_SQUARED_LOG2)
            return max(1, int(max(0.0, PARTS * mu)))
        y = 2.0 * x * y + c_y
        x = xx - yy + c_x
        count += 1
    return INSIDE


def count_points(xs: array[float], ys: array[float], iterations: int) -> bytes:
    """Return the packed counts of the points x + y i, for all ``xs`` of the first of ``ys``, and so on.

    :param xs: an array of doubles.
    :param ys: an array of doubles.
    :param iterations: 16,777,215 at most.
    :raises OverflowError: if ``iterations`` is larger than that.
    """
    if iterations > ITERATIONS_MAX:
        raise OverflowError(f"iterations must be {ITERATIONS_MAX} at most, not {iterations}")
    return packed(smooth_count(x, y, iterations) for y in ys for x in xs)
