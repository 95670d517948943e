"""The bending models: how the helix turns from one base pair to the next, depending on its letters. Pure.

A model gives *twist*, *roll* and *tilt* in degrees for each group of two or three neighbouring bases, and
one *rise* in angstroms. A group that a table does not list has the angles of its reverse complement, which
is the same piece seen from the other strand: roll and twist stay, tilt changes its sign.

Sources of the angles, as in the tables of dnacurve 2026.1.8 (C. Gohlke), which the tests compare with:

- Goodsell and Dickerson, Nucleic Acids Research 22, 5497, 1994, table 1: ``nucleosome`` (a), ``calladine`` (b),
  ``trifonov`` (c; Bolshoy et al., PNAS 88, 2312, 1991), ``desantis`` (d), ``reversed`` (e)
- Ulanovsky and Trifonov's wedge of AA alone: ``aawedge`` (see Tan and Harvey, 1987)
- Munteanu et al., Trends in Biochemical Sciences 23, 341, 1998, table 1, consensus: ``trinucleotide``
"""

from __future__ import annotations

import functools
import itertools
import math
from array import array
from typing import NamedTuple

from .tables import ANGLES_BY_NAME, Angles, Table

__all__ = ["BASES", "MODEL_NAMES", "NUMBERS_PER_TURN", "Model", "model_named"]

BASES = "ACGT"
MODEL_NAMES = tuple(ANGLES_BY_NAME)
NUMBERS_PER_TURN = 10
"""A turn is a rotation, row by row, and the rise."""
BORDER = Angles(34.3, 0.0, 0.0)
"""The step at the end of a sequence whose group of three would reach over it."""

_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Model(NamedTuple):
    """A bending model, ready to walk with.

    :param title: what people call it.
    :param order: how many bases decide on one step: 2 or 3.
    :param rise: from one base pair to the next, in angstroms.
    :param turns: the turn of each kind of step, ten numbers for each.
    """

    name: str
    title: str
    order: int
    rise: float
    turns: array[float]

    def steps(self, sequence: str) -> bytes:
        """Return the kind of step that follows on each base: an index into the turns.

        The last base has none, which is a kind of its own: no turn and no rise.

        :param sequence: letters A, C, G, T, at least as many as the order.
        """
        kind_by_group = {group: kind for kind, group in enumerate(_groups(self.order))}
        border = len(kind_by_group)
        kinds = [
            kind_by_group[sequence[start : start + self.order]]
            for start in range(len(sequence) - self.order + 1)
        ]
        return bytes([*kinds, *[border] * (self.order - 2), border + 1])


@functools.cache
def model_named(name: str) -> Model:
    """Return a model; made once in each process.

    :param name: one of :data:`MODEL_NAMES`.
    """
    table = ANGLES_BY_NAME[name]
    turns = array("d")
    for group in _groups(table.order):
        turns.extend(_turn(_angles(table, group), table.rise))
    turns.extend(_turn(BORDER, table.rise))
    turns.extend(_turn(Angles(0.0, 0.0, 0.0), 0.0))
    return Model(name, table.title, table.order, table.rise, turns)


def _groups(order: int) -> list[str]:
    return ["".join(letters) for letters in itertools.product(BASES, repeat=order)]


def _angles(table: Table, group: str) -> Angles:
    found = table.angles_by_group.get(group)
    if found is not None:
        return found
    twist, roll, tilt = table.angles_by_group[group.translate(_COMPLEMENT)[::-1]]
    return Angles(twist, roll, -tilt)


def _turn(angles: Angles, rise: float) -> list[float]:
    """Return the rotation Rz(twist) Ry(-tilt) Rx(-roll), row by row, and the rise."""
    twist, roll, tilt = map(math.radians, angles)
    sin_z, cos_z = math.sin(twist), math.cos(twist)
    sin_y, cos_y = math.sin(-tilt), math.cos(-tilt)
    sin_x, cos_x = math.sin(-roll), math.cos(-roll)
    return [
        cos_z * cos_y, cos_z * sin_y * sin_x - sin_z * cos_x, cos_z * sin_y * cos_x + sin_z * sin_x,
        sin_z * cos_y, sin_z * sin_y * sin_x + cos_z * cos_x, sin_z * sin_y * cos_x - cos_z * sin_x,
        -sin_y, cos_y * sin_x, cos_y * cos_x,
        rise,
    ]  # fmt: skip
