"""What a curve means: where a sequence bends most, and where its A-tracts are. A pure module.

DNA with several A-tracts, one in each turn of the helix, is bent as a whole: each tract bends it a little, and
after a full turn in the same direction.
"""

from __future__ import annotations

import math
import re
from array import array
from typing import NamedTuple

from .curve import SMOOTHING

__all__ = ["Stretch", "a_tracts", "most_bent", "shortest"]

TRACT_MIN = 4
"""From so many bases on a run counts as an A-tract."""


class Stretch(NamedTuple):
    """A part of a sequence.

    :param bases: counted from 0.
    :param degrees: the angle between the directions of the helix at both ends.
    """

    bases: range
    degrees: float


def shortest(size: int) -> int:
    """Return how many bases a sequence needs that shall have a stretch of ``size``."""
    return size + 2 * SMOOTHING + 1


def most_bent(bends: array[float], size: int) -> Stretch:
    """Return the stretch with the largest angle.

    :param bends: six numbers for each base, as the kernel gives them; the last three are the smoothed normal.
    :param size: how many bases the stretch has; the sequence has at least :func:`shortest`.
    """
    xs, ys, zs = bends[3::6], bends[4::6], bends[5::6]
    cosines = {
        base: xs[base] * xs[base + size] + ys[base] * ys[base + size] + zs[base] * zs[base + size]
        for base in range(SMOOTHING, len(xs) - SMOOTHING - size)
    }
    first = min(cosines, key=lambda base: cosines[base])
    angle = math.degrees(math.acos(max(-1.0, min(1.0, cosines[first]))))
    return Stretch(range(first, first + size), angle)


def a_tracts(sequence: str) -> list[range]:
    """Return the runs of at least four A and T that have no step from T to A, which would end a tract."""
    runs = re.finditer("A+T*|T+", sequence)
    return [range(*run.span()) for run in runs if run.end() - run.start() >= TRACT_MIN]
