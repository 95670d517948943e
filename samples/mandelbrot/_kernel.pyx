# cython: language_level=3, boundscheck=False, wraparound=False
"""The compiled kernel; see its twin kernel_py.py. Compile without fused multiply-add: it rounds differently."""

from cpython cimport array
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize

from concurrent.apps.samples.mandelbrot.counts import COUNT_MAX


cdef int _escape(double c_x, double c_y, int iterations) noexcept nogil:
    cdef double x = 0.0, y = 0.0, xx, yy
    cdef int count = 0
    while count < iterations:
        xx = x * x
        yy = y * y
        if xx + yy > 4.0:
            break
        y = 2.0 * x * y + c_y
        x = xx - yy + c_x
        count += 1
    return count


def escape_count(double c_x, double c_y, int iterations):
    """Return after how many steps the point c_x + c_y i escapes; ``iterations`` if it has not by then."""
    return _escape(c_x, c_y, iterations)


def count_rows(array.array xs not None, array.array ys not None, int iterations):
    """Return the packed counts of the points x + y i; other threads run meanwhile."""
    if xs.typecode != "d" or ys.typecode != "d":
        raise TypeError(f"xs and ys must be arrays of 'd', not {xs.typecode!r} and {ys.typecode!r}")
    if iterations > COUNT_MAX:
        raise OverflowError(f"iterations must be {COUNT_MAX} at most, not {iterations}")
    cdef Py_ssize_t width = len(xs), height = len(ys), row, column
    cdef double *x = xs.data.as_doubles
    cdef double *y = ys.data.as_doubles
    cdef bytes counts = PyBytes_FromStringAndSize(NULL, 2 * width * height)
    cdef unsigned char *out = <unsigned char *> PyBytes_AS_STRING(counts)
    cdef int count
    with nogil:
        for row in range(height):
            for column in range(width):
                count = _escape(x[column], y[row], iterations)
                out[0] = count & 0xFF
                out[1] = count >> 8
                out += 2
    return counts
