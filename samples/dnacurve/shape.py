"""The shape in space: turns a walk so that people can look at it. A pure module.

The ends of the helix axis come to lie on the x-axis, the point that is farthest from the line between them
is in the direction of z, and the box around axis and phosphates has its middle at the origin.
"""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

__all__ = ["Shape", "shape_of"]

Vector = tuple[float, float, float]

# The phosphate of the 5'-3' strand in a base pair's frame: distance from the axis and from the plane of
# the pair in angstroms, and the angle around the axis in degrees.
_DISTANCE, _ANGLE, _HEIGHT = 8.91, -5.2, 2.08
_X = _DISTANCE * math.cos(math.radians(_ANGLE))
_Y = _DISTANCE * math.sin(math.radians(_ANGLE))
STRAIGHT = 1e-9
"""A helix counts as straight if it leaves the line between its ends by less than so much of its length."""
EQUAL = 1e-9
"""Squared distances that differ by less than this share count as equal."""


class Shape(NamedTuple):
    """Three numbers for each base in each of the arrays.

    :param axis: the helix axis, in angstroms.
    :param strand: the phosphates of the 5'-3' strand, in angstroms.
    :param antistrand: the phosphates of the other strand, in angstroms.
    :param normals: of the base pairs.
    :param smoothed: mean normals over one turn of the helix.
    """

    axis: array[float]
    strand: array[float]
    antistrand: array[float]
    normals: array[float]
    smoothed: array[float]


def shape_of(frames: array[float], smoothed: array[float]) -> Shape:
    """Return the shape that the frames of all bases make.

    :param frames: twelve numbers for each base.
    :param smoothed: three numbers for each base: the smoothed normal, in the same coordinates.
    """
    axis = array("d", bytes(2 * len(frames)))
    for index in range(3):
        axis[index::3] = frames[9 + index :: 12]
    rows = _orientation(axis)
    strands = [_atoms(frames, _X, _Y, _HEIGHT), _atoms(frames, -_X, _Y, -_HEIGHT)]
    axis, strand, antistrand = (_turned(rows, points) for points in (axis, *strands))
    for index in range(3):
        columns = [points[index::3] for points in (axis, strand, antistrand)]
        middle = (min(map(min, columns)) + max(map(max, columns))) / 2
        for points, numbers in zip((axis, strand, antistrand), columns, strict=True):
            points[index::3] = array("d", [number - middle for number in numbers])
    return Shape(axis, strand, antistrand, _turned(rows, _atoms(frames, 0, 0, 1, 0)), _turned(rows, smoothed))


def _atoms(frames: array[float], x: float, y: float, z: float, share: float = 1.0) -> array[float]:
    """Return a point of each frame; with no share of the frame's position, a direction."""
    out = array("d")
    for at in range(0, len(frames), 12):
        a, b, c, d, e, f, g, h, i, u, v, w = frames[at : at + 12]
        out.append(a * x + b * y + c * z + share * u)
        out.append(d * x + e * y + f * z + share * v)
        out.append(g * x + h * y + i * z + share * w)
    return out


def _turned(rows: tuple[Vector, Vector, Vector], points: array[float]) -> array[float]:
    out = array("d", bytes(8 * len(points)))
    for index, (a, b, c) in enumerate(rows):
        columns = zip(points[0::3], points[1::3], points[2::3], strict=True)
        out[index::3] = array("d", [a * x + b * y + c * z for x, y, z in columns])
    return out


def _orientation(axis: array[float]) -> tuple[Vector, Vector, Vector]:
    """Return the rotation that orients the axis, row by row."""
    last = _at(axis, len(axis) // 3 - 1)
    to_first = _minus(_at(axis, 0), last)
    length = math.sqrt(_dot(to_first, to_first))
    e = _scaled(to_first, 1 / length) if length > 0 else (-1.0, 0.0, 0.0)
    along, away, direction = _farthest(axis, last, e)
    is_straight = away <= STRAIGHT * max(length, 1.0)
    if is_straight:  # any direction will do: the y-axis of the last base
        sideways = _minus((0.0, 1.0, 0.0), _scaled(e, e[1]))
        direction = _scaled(sideways, 1 / math.sqrt(_dot(sideways, sideways)))
    row_x = _scaled(e, -1.0)
    row_y = _cross(direction, row_x)
    angle = 0.0 if is_straight else _correction(length, along, away)
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        _minus(_scaled(row_x, cosine), _scaled(direction, sine)),
        row_y,
        _minus(_scaled(direction, cosine), _scaled(row_x, -sine)),
    )


def _farthest(axis: array[float], last: Vector, e: Vector) -> tuple[float, float, Vector]:
    """Return the point farthest from the line of the ends: how far along, how far away, and in which direction.

    Of points that are equally far but for rounding, as regular helices have them, it is the first one.
    """
    best, found = 0.0, (0.0, 0.0, 0.0)
    for base in range(len(axis) // 3):
        point = _minus(_at(axis, base), last)
        across = _cross(e, point)
        if (square := _dot(across, across)) > best * (1 + EQUAL):
            best, found = square, point
    along, away = _dot(found, e), math.sqrt(best)
    direction = _minus(found, _scaled(e, along))
    return along, away, _scaled(direction, 1 / away) if away > 0 else direction


def _correction(length: float, along: float, away: float) -> float:
    """Return by how many radians to turn in the plane of the three points; 0 in the usual case.

    The method superimposes both ends and the farthest point on three points of the plane of x and z, as well
    as can be (W. Kabsch, Acta Crystallographica A32, 922, 1976). These take the farthest point to be between
    the ends. Where it is beyond the last one, the triangles differ, and the best fit is a little turned.
    """
    if along >= 0:
        return 0.0
    ours = ((-length, 0.0), (-along, away), (0.0, 0.0))
    target = ((-length, 0.0), (along, away), (0.0, 0.0))
    sine = cosine = 0.0
    for (a, b), (c, d) in zip(_centred(ours), _centred(target), strict=True):
        sine += a * d - b * c
        cosine += a * c + b * d
    return math.atan2(sine, cosine)


def _centred(points: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    x, z = (sum(numbers) / len(points) for numbers in zip(*points, strict=True))
    return [(a - x, b - z) for a, b in points]


def _at(points: array[float], index: int) -> Vector:
    return points[3 * index], points[3 * index + 1], points[3 * index + 2]


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _scaled(a: Vector, factor: float) -> Vector:
    return a[0] * factor, a[1] * factor, a[2] * factor


def _dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
