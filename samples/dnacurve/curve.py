"""Windows and values along the sequence: what the kernel's numbers mean. A pure module."""

from __future__ import annotations

from array import array
from typing import NamedTuple

__all__ = ["NUCLEOSOME_CURVATURE", "SMOOTHING", "Windows", "column", "points_of"]

NUCLEOSOME_CURVATURE = 0.0234
"""The curvature of the DNA that is wound around a nucleosome, in 1/angstrom; results are relative to it."""

SMOOTHING = 5
"""How many normals before and after its own are in a smoothed normal."""


class Windows(NamedTuple):
    """How many bases before and after a base its values look.

    :param curvature: about one helix turn, 10, for B-DNA.
    :param bend: for the local bend angle; 1 or 2.
    :param curve: for the angle between smoothed normals; about 15.
    """

    curvature: int = 10
    bend: int = 2
    curve: int = 15

    @property
    def reach(self) -> int:
        """How many neighbours on each side the values of a base need."""
        return max(self.curvature, self.bend, self.curve + SMOOTHING)

    def scales(self, rise: float) -> tuple[float, float, float]:
        """Return what curvature, bend angle and curvature angle are divided by: their values in a nucleosome.

        The angles are both related to what a nucleosome bends between the ends of the curve window.

        :param rise: in angstroms.
        """
        angle = NUCLEOSOME_CURVATURE * 2 * self.curve * rise
        return NUCLEOSOME_CURVATURE, angle, angle


def column(numbers: array[float], index: int, width: int) -> array[float]:
    """Return one column of a table that is stored row by row."""
    return numbers[index::width]


def points_of(frames: array[float]) -> array[float]:
    """Return position and normal of each frame: six numbers of its twelve."""
    points = array("d", bytes(4 * len(frames)))
    for target, source in enumerate((9, 10, 11, 2, 5, 8)):
        points[target::6] = frames[source::12]
    return points
