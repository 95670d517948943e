# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""The compiled kernel; see its twin walk_py.py. Compile without fused multiply-add: it rounds differently."""

from cpython cimport array
from libc.math cimport acos, fabs, sqrt

import array as arrays

cdef array.array EMPTY = arrays.array("d")


cdef inline void _product(const double *m, const double *n, double *out) noexcept nogil:
    """Multiply two rotations; out is neither of them."""
    cdef int row
    for row in range(0, 9, 3):
        out[row] = m[row] * n[0] + m[row + 1] * n[3] + m[row + 2] * n[6]
        out[row + 1] = m[row] * n[1] + m[row + 1] * n[4] + m[row + 2] * n[7]
        out[row + 2] = m[row] * n[2] + m[row + 1] * n[5] + m[row + 2] * n[8]


cdef double *_doubles(array.array numbers) except NULL:
    if numbers.typecode != "d":
        raise TypeError(f"an array of 'd' is needed, not of {numbers.typecode!r}")
    return numbers.data.as_doubles


def walked(bytes steps not None, array.array turns not None):
    """Return the frame of each base of a walk, seen from where the walk ends."""
    cdef Py_ssize_t count = len(steps), base
    cdef const unsigned char *kinds = steps
    if count and 10 * (max(steps) + 1) > len(turns):
        raise IndexError("there is a step of a kind that has no turn")
    cdef array.array frames = array.clone(EMPTY, 12 * count, zero=False)
    cdef double *out = frames.data.as_doubles
    cdef const double *table = _doubles(turns)
    cdef const double *turn
    cdef double start[12]
    cdef double *last = start
    start[:] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]
    with nogil:
        for base in range(count - 1, -1, -1):
            turn = table + 10 * kinds[base]
            _product(last, turn, out + 12 * base)
            out[12 * base + 9] = last[9] + last[2] * turn[9]
            out[12 * base + 10] = last[10] + last[5] * turn[9]
            out[12 * base + 11] = last[11] + last[8] * turn[9]
            last = out + 12 * base
    return frames


def placed(array.array frame not None, array.array frames not None):
    """Return frames that are seen from where another walk ends: the product of ``frame`` and each."""
    if len(frame) != 12 or len(frames) % 12:
        raise ValueError("a frame has twelve numbers")
    cdef Py_ssize_t count = len(frames) // 12, base
    cdef array.array result = array.clone(EMPTY, 12 * count, zero=False)
    cdef const double *m = _doubles(frame)
    cdef const double *n = _doubles(frames)
    cdef double *out = result.data.as_doubles
    with nogil:
        for base in range(count):
            _product(m, n, out)
            out[9] = m[0] * n[9] + m[1] * n[10] + m[2] * n[11] + m[9]
            out[10] = m[3] * n[9] + m[4] * n[10] + m[5] * n[11] + m[10]
            out[11] = m[6] * n[9] + m[7] * n[10] + m[8] * n[11] + m[11]
            n += 12
            out += 12
    return result


def bends(array.array points not None, Py_ssize_t first, Py_ssize_t size, own, windows):
    """Return six numbers for each base: curvature, bend angle, curvature angle, and the smoothed normal."""
    cdef Py_ssize_t start = own.start, stop = own.stop, base
    cdef Py_ssize_t window, bend_window, curve_window
    window, bend_window, curve_window = windows
    cdef Py_ssize_t reach = max(window, bend_window, curve_window + 5)
    if own.step != 1 or not 0 <= start <= stop <= size or min(windows) < 1:
        raise ValueError("the bases to return are no part of the sequence")
    if first > max(0, start - reach) or first + len(points) // 6 < min(size, stop + reach):
        raise ValueError("points are missing that the windows reach")
    cdef array.array result = array.clone(EMPTY, 6 * (stop - start), zero=False)
    cdef const double *p = _doubles(points) - 6 * first
    cdef double *out = result.data.as_doubles
    cdef double before[3]
    cdef double after[3]
    with nogil:
        for base in range(start, stop):
            out[0] = out[1] = out[2] = 0.0
            if window <= base < size - window:
                out[0] = _curvature(p + 6 * (base - window), p + 6 * base, p + 6 * (base + window))
            if bend_window <= base < size - bend_window:
                out[1] = _angle(p + 6 * (base - bend_window) + 3, p + 6 * (base + bend_window) + 3)
            if curve_window <= base < size - curve_window:
                _smooth(p, size, base - curve_window, before)
                _smooth(p, size, base + curve_window, after)
                out[2] = _angle(before, after)
            _smooth(p, size, base, out + 3)
            out += 6
    return result


cdef double _curvature(const double *a, const double *b, const double *c) noexcept nogil:
    cdef double abx = b[0] - a[0], aby = b[1] - a[1], abz = b[2] - a[2]
    cdef double acx = c[0] - a[0], acy = c[1] - a[1], acz = c[2] - a[2]
    cdef double bcx = c[0] - b[0], bcy = c[1] - b[1], bcz = c[2] - b[2]
    cdef double x = aby * acz - abz * acy, y = abz * acx - abx * acz, z = abx * acy - aby * acx
    cdef double sides = (
        sqrt(abx * abx + aby * aby + abz * abz)
        * sqrt(bcx * bcx + bcy * bcy + bcz * bcz)
        * sqrt(acx * acx + acy * acy + acz * acz)
    )
    return 2.0 * sqrt(x * x + y * y + z * z) / sides if sides > 0.0 else 0.0


cdef double _angle(const double *a, const double *b) noexcept nogil:
    cdef double cosine
    if _is_close(a[0], b[0]) and _is_close(a[1], b[1]) and _is_close(a[2], b[2]):
        return 0.0
    cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return acos(max(-1.0, min(1.0, cosine)))


cdef bint _is_close(double a, double b) noexcept nogil:
    return fabs(a - b) <= 1e-8 + 1e-5 * fabs(b)


cdef void _smooth(const double *p, Py_ssize_t size, Py_ssize_t base, double *out) noexcept nogil:
    cdef double x = 0.0, y = 0.0, z = 0.0, weight, length
    cdef Py_ssize_t near
    if size <= 10:
        out[0] = out[1] = out[2] = 0.0
        return
    for near in range(max(<Py_ssize_t>0, base - 5), min(size, base + 6)):
        weight = 0.05 if near - base == 5 or base - near == 5 else 0.1
        x += weight * p[6 * near + 3]
        y += weight * p[6 * near + 4]
        z += weight * p[6 * near + 5]
    if 5 <= base < size - 5:
        length = sqrt(x * x + y * y + z * z)
        x /= length
        y /= length
        z /= length
    out[0] = x
    out[1] = y
    out[2] = z
