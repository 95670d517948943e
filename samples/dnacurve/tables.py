"""The angles of the bending models, as they were published; ``models.py`` says where. Pure data."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ANGLES_BY_NAME", "Angles", "Table"]


class Angles(NamedTuple):
    """How one base pair is turned against the one before, in degrees."""

    twist: float
    roll: float
    tilt: float


class Table(NamedTuple):
    """A model as published.

    :param order: how many bases a group has.
    :param rise: in angstroms.
    """

    title: str
    order: int
    rise: float
    angles_by_group: dict[str, Angles]


def _pairs(title: str, text: str) -> Table:
    """Read lines of group, twist, roll and tilt."""
    rows = [line.split() for line in text.strip().splitlines()]
    return Table(title, 2, 3.38, {row[0]: Angles(*map(float, row[1:])) for row in rows})


def _triples(title: str, twist: float, rise: float, text: str) -> Table:
    """Read groups, each followed by its roll; twist is the same for all, and nothing tilts."""
    words = text.split()
    roll_by_group = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    return Table(title, 3, rise, {group: Angles(twist, roll, 0.0) for group, roll in roll_by_group.items()})


DINUCLEOTIDES = ("AA", "AC", "AG", "AT", "CA", "CG", "GA", "GC", "GG", "TA")

ANGLES_BY_NAME = {
    "straight": Table(
        "Straight",
        2,
        3.38,
        {group: Angles(360 / 10.5, 0.0, 0.0) for group in DINUCLEOTIDES},
    ),
    "aawedge": _pairs(
        "AA wedge",
        """
        AA 35.62 -8.4 2.4
        AC 34.4 0 0
        AG 27.7 0 0
        AT 31.5 0 0
        CA 34.5 0 0
        CG 29.8 0 0
        GA 36.9 0 0
        GC 40.0 0 0
        GG 33.67 0 0
        TA 36.0 0 0
        """,
    ),
    "calladine": _pairs(
        "Calladine and Drew",
        """
        AA 35 0 0
        AC 34 3.3 0
        AG 34 3.3 0
        AT 34 3.3 0
        CA 34 3.3 0
        CG 34 3.3 0
        GA 34 3.3 0
        GC 34 3.3 0
        GG 34 3.3 0
        TA 34 6.6 0
        """,
    ),
    "trifonov": _pairs(
        "Bolshoy and Trifonov",
        """
        AA 35.62 -6.5 3.2
        AC 34.4 -0.9 -0.7
        AG 27.7 8.4 -0.3
        AT 31.5 2.6 0
        CA 34.5 1.6 3.1
        CG 29.8 6.7 0
        GA 36.9 -2.7 -4.6
        GC 40.0 -5.0 0
        GG 33.67 1.2 -1.8
        TA 36.0 0.9 0
        """,
    ),
    "desantis": _pairs(
        "Cacchione and De Santis",
        """
        AA 35.9 -5.4 -0.5
        AC 34.6 -2.4 -2.7
        AG 35.6 1.0 -1.6
        AT 35.0 -7.3 0
        CA 34.5 6.7 0.4
        CG 33.7 4.6 0
        GA 35.8 2.0 -1.7
        GC 33.3 -3.7 0
        GG 33.0 1.3 -0.6
        TA 34.6 8.0 0
        """,
    ),
    "reversed": _pairs(
        "Reversed Calladine and Drew",
        """
        AA 35 3.3 0
        AC 34 0 0
        AG 34 0 0
        AT 34 0 0
        CA 34 0 0
        CG 34 0 0
        GA 34 0 0
        GC 34 0 0
        GG 34 0 0
        TA 34 -3.3 0
        """,
    ),
    # The table gives GCA and its complement TGC different values; all others agree.
    "nucleosome": _triples(
        "Nucleosome positioning",
        34.3,
        3.38,
        """
        AAA 0.0  AAC 3.7  AAG 5.2  AAT 0.7  ACA 5.2  ACC 5.4  ACG 5.4  ACT 5.8
        AGA 3.3  AGC 7.5  AGG 5.4  ATA 2.8  ATC 5.3  ATG 6.7  CAA 3.3  CAC 6.5
        CAG 4.2  CCA 5.4  CCC 6.0  CCG 4.7  CGA 8.3  CGC 7.5  CTA 2.2  CTC 5.4
        GAA 3.0  GAC 5.4  GCA 5.4  GCC 10.0 GGA 3.8  GTA 3.7  TAA 2.0  TCA 5.4
        TGC 6.0
        """,
    ),
    "trinucleotide": _triples(
        "DNase I consensus",
        36.0,
        3.4,
        """
        AAA 0.05  AAC 2.65  AAG 4.7   AAT 0.35  ACA 5.5   ACC 5.3   ACG 5.3   ACT 3.9
        AGA 4.9   AGC 6.9   AGG 5.05  ATA 6.25  ATC 4.45  ATG 7.7   CAA 4.75  CAC 6.65
        CAG 6.9   CCA 3.05  CCC 5.85  CCG 3.85  CGA 7.05  CGC 5.9   CTA 5.0   CTC 6.0
        GAA 4.05  GAC 5.5   GCA 6.75  GCC 9.1   GGA 5.0   GTA 5.05  TAA 4.65  TCA 7.7
        """,
    ),
}
"""The published tables by the names that options use."""
