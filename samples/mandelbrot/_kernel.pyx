# cython: language_level=3, boundscheck=False, wraparound=False
"""The compiled kernel; see its twin kernel_py.py. Compile without fused multiply-add: it rounds differently."""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport log2
from libc.stdint cimport uint32_t

from concurrent.apps.samples.mandelbrot.counts import ITERATIONS_MAX


cdef uint32_t _smooth_count(double c_x, double c_y, int iterations) noexcept nogil:
    cdef double x = 0.0, y = 0.0, xx, yy, parts
    cdef int count = 0
    while count < iterations:
        xx = x * x
        yy = y * y
        if xx + yy > 65536.0:
            parts = 256.0 * (count + 1.0 - log2(log2(xx + yy) / 16.0))
            return <uint32_t> parts if parts >= 1.0 else 1
        y = 2.0 * x * y + c_y
        x = xx - yy + c_x
        count += 1
    return 0


def smooth_count(double c_x, double c_y, int iterations):
    """Return mu of the point c_x + c_y i in steps of 1/256, 0 if it has not escaped."""
    return _smooth_count(c_x, c_y, iterations)


def count_points(array.array xs not None, array.array ys not None, int iterations):
    """Return the packed counts of the points x + y i; other threads run meanwhile."""
    if xs.typecode != "d" or ys.typecode != "d":
        raise TypeError(f"xs and ys must be arrays of 'd', not {xs.typecode!r} and {ys.typecode!r}")
    if iterations > ITERATIONS_MAX:
        raise OverflowError(f"iterations must be {ITERATIONS_MAX} at most, not {iterations}")
    cdef Py_ssize_t width = len(xs), height = len(ys), row, column
    cdef double *x = xs.data.as_doubles
    cdef double *y = ys.data.as_doubles
    cdef bytes counts = PyBytes_FromStringAndSize(NULL, 4 * width * height)
    cdef unsigned char *out = <unsigned char *> PyBytes_AS_STRING(counts)
    cdef uint32_t count
    with nogil:
        for row in range(height):
            for column in range(width):
                count = _smooth_count(x[column], y[row], iterations)
                out[0] = count & 0xFF
                out[1] = (count >> 8) & 0xFF
                out[2] = (count >> 16) & 0xFF
                out[3] = count >> 24
                out += 4
    return counts
