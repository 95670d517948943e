"""The kernel in pure Python; ``_walk.pyx`` does the same floating point operations in the same order.

A *frame* is where a base pair is and how it is turned: twelve numbers, a rotation row by row and then the
position of the helix axis. The frame of base j is M(k) ... M(j+1) M(j) for the turns M that follow on it;
the last base of a walk stands at the origin. Bend and curvature are those of Goodsell and Dickerson
(Nucleic Acids Research 22, 5497, 1994).

Points are six numbers for each base: its position and the normal of its base pair.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable

__all__ = ["bends", "placed", "walked"]

Vector = tuple[float, float, float]


def walked(steps: bytes, turns: array[float]) -> array[float]:
    """Return the frame of each base of a walk, seen from where the walk ends.

    :param steps: the kind of step that follows on each base.
    :param turns: ten numbers for each kind of step.
    """
    frames = array("d", bytes(96 * len(steps)))
    a, b, c, d, e, f, g, h, i = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0
    x = y = z = 0.0
    for base in range(len(steps) - 1, -1, -1):
        at = 10 * steps[base]
        r0, r1, r2, r3, r4, r5, r6, r7, r8, rise = turns[at : at + 10]
        x, y, z = x + c * rise, y + f * rise, z + i * rise
        a, b, c = a * r0 + b * r3 + c * r6, a * r1 + b * r4 + c * r7, a * r2 + b * r5 + c * r8
        d, e, f = d * r0 + e * r3 + f * r6, d * r1 + e * r4 + f * r7, d * r2 + e * r5 + f * r8
        g, h, i = g * r0 + h * r3 + i * r6, g * r1 + h * r4 + i * r7, g * r2 + h * r5 + i * r8
        frames[12 * base : 12 * base + 12] = array("d", (a, b, c, d, e, f, g, h, i, x, y, z))
    return frames


def placed(frame: array[float], frames: array[float]) -> array[float]:
    """Return frames that are seen from where another walk ends: the product of ``frame`` and each.

    :param frame: where these frames have their origin.
    """
    a, b, c, d, e, f, g, h, i, x, y, z = frame
    out = array("d", bytes(8 * len(frames)))
    for at in range(0, len(frames), 12):
        r0, r1, r2, r3, r4, r5, r6, r7, r8, u, v, w = frames[at : at + 12]
        out[at : at + 12] = array(
            "d",
            (
                a * r0 + b * r3 + c * r6, a * r1 + b * r4 + c * r7, a * r2 + b * r5 + c * r8,
                d * r0 + e * r3 + f * r6, d * r1 + e * r4 + f * r7, d * r2 + e * r5 + f * r8,
                g * r0 + h * r3 + i * r6, g * r1 + h * r4 + i * r7, g * r2 + h * r5 + i * r8,
                a * u + b * v + c * w + x, d * u + e * v + f * w + y, g * u + h * v + i * w + z,
            ),
        )  # fmt: skip
    return out


def bends(
    points: array[float], first: int, size: int, own: range, windows: tuple[int, int, int]
) -> array[float]:
    """Return six numbers for each base: curvature, bend angle, curvature angle, and the smoothed normal.

    Curvature is one over the radius of the circle through three positions, in 1/angstrom: that of the base
    and those one window before and after it. The bend angle is that between the normals one window before
    and after, the curvature angle that between the smoothed normals there, both in radians. All are 0
    where a window reaches over an end of the sequence.

    A smoothed normal is the mean over one helix turn of 10 base pairs: 11 normals, the outer two with half
    weight. Near an end, where some are missing, it is shorter than one; so the method defines it.

    :param points: of the bases from ``first`` on; those of ``own`` and all that their windows reach.
    :param size: how many bases the whole sequence has.
    :param own: the bases to return, counted in the whole sequence.
    :param windows: for curvature, bend angle and curvature angle.
    """
    normals = [tuple(points[at + 3 : at + 6]) for at in range(0, len(points), 6)]
    smoothed_by_base: dict[int, Vector] = {}

    def normal(base: int) -> Vector:
        return normals[base - first]  # type: ignore[return-value]

    def smoothed(base: int) -> Vector:
        found = smoothed_by_base.get(base)
        if found is None:
            found = smoothed_by_base[base] = _smoothed(normals, first, size, base)
        return found

    out = array("d")
    window, bend_window, curve_window = windows
    for base in own:
        value = 0.0
        if window <= base < size - window:
            at = 6 * (base - first)
            value = _curvature(points, at - 6 * window, at, at + 6 * window)
        out.append(value)
        out.append(_angle(normal, base, bend_window, size))
        out.append(_angle(smoothed, base, curve_window, size))
        out.extend(smoothed(base))
    return out


def _curvature(points: array[float], a: int, b: int, c: int) -> float:
    """Return the curvature of the circle through three points: 4 areas by the product of the sides."""
    abx, aby, abz = points[b] - points[a], points[b + 1] - points[a + 1], points[b + 2] - points[a + 2]
    acx, acy, acz = points[c] - points[a], points[c + 1] - points[a + 1], points[c + 2] - points[a + 2]
    bcx, bcy, bcz = points[c] - points[b], points[c + 1] - points[b + 1], points[c + 2] - points[b + 2]
    x, y, z = aby * acz - abz * acy, abz * acx - abx * acz, abx * acy - aby * acx
    sides = (
        math.sqrt(abx * abx + aby * aby + abz * abz)
        * math.sqrt(bcx * bcx + bcy * bcy + bcz * bcz)
        * math.sqrt(acx * acx + acy * acy + acz * acz)
    )
    return 2.0 * math.sqrt(x * x + y * y + z * z) / sides if sides > 0.0 else 0.0


def _angle(vector: Callable[[int], Vector], base: int, window: int, size: int) -> float:
    """Return the angle between the vectors one window before and after a base; 0 for practically equal ones."""
    if not window <= base < size - window:
        return 0.0
    (x, y, z), (u, v, w) = vector(base - window), vector(base + window)
    if _is_close(x, u) and _is_close(y, v) and _is_close(z, w):
        return 0.0
    cosine = x * u + y * v + z * w
    return math.acos(max(-1.0, min(1.0, cosine)))


def _is_close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-8 + 1e-5 * abs(b)


def _smoothed(normals: list[tuple[float, ...]], first: int, size: int, base: int) -> Vector:
    if size <= 10:
        return 0.0, 0.0, 0.0
    x = y = z = 0.0
    for near in range(max(0, base - 5), min(size, base + 6)):
        weight = 0.05 if abs(near - base) == 5 else 0.1
        u, v, w = normals[near - first]
        x += weight * u
        y += weight * v
        z += weight * w
    if 5 <= base < size - 5:
        length = math.sqrt(x * x + y * y + z * z)
        return x / length, y / length, z / length
    return x, y, z
