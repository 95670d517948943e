"""The whole analysis of a sequence, and how to do it in one process. A pure module."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from .curve import Windows, column, points_of
from .models import Model, model_named
from .shape import Shape, shape_of
from .walk import bends, walked

__all__ = ["Analysis", "Measured", "analysed", "difference", "measured"]


class Measured(NamedTuple):
    """What is computed along the helix; see the kernel.

    :param frames: twelve numbers for each base.
    :param bends: six numbers for each base.
    """

    frames: array[float]
    bends: array[float]


class Analysis(NamedTuple):
    """What is known of a sequence; curvature and angles are relative to those in a nucleosome.

    :param curvature: one number for each base, as in the two that follow.
    :param bend: the local bend angle.
    :param curve: the curvature angle.
    """

    sequence: str
    model: Model
    windows: Windows
    curvature: array[float]
    bend: array[float]
    curve: array[float]
    shape: Shape


def measured(sequence: str, model_name: str, windows: Windows) -> Measured:
    """Measure a sequence in the calling thread, in one piece: the baseline."""
    model = model_named(model_name)
    frames = walked(model.steps(sequence), model.turns)
    size = len(sequence)
    return Measured(frames, bends(points_of(frames), 0, size, range(size), windows))


def analysed(sequence: str, model_name: str, windows: Windows, found: Measured) -> Analysis:
    """Return the analysis that follows from what was measured."""
    model = model_named(model_name)
    smoothed = array("d", bytes(len(found.bends) * 4))
    for index in range(3):
        smoothed[index::3] = column(found.bends, 3 + index, 6)
    curvature, bend, curve = (
        array("d", [value / scale for value in column(found.bends, index, 6)])
        for index, scale in enumerate(windows.scales(model.rise))
    )
    shape = shape_of(found.frames, smoothed)
    return Analysis(sequence, model, windows, curvature, bend, curve, shape)


def difference(one: Measured, other: Measured) -> float:
    """Return the largest difference of two measurements, each number relative to the larger of it and 1."""
    pairs = [(one.frames, other.frames), (one.bends, other.bends)]
    return max(abs(a - b) / max(1.0, abs(b)) for left, right in pairs for a, b in zip(left, right, strict=True))
