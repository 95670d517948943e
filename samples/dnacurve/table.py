"""The analysis as a table: the columns of the reference implementation's CSV file, in their order."""

from __future__ import annotations

import csv
from pathlib import Path

from .analysis import Analysis

__all__ = ["header", "write_csv"]

POINTS = ("Helix Axis", "Phosphate 1", "Phosphate 2", "Basepair Normal", "Smoothed Normal")


def header(analysis: Analysis) -> list[str]:
    """Return the names of the columns; those of values say what they are divided by, and their window."""
    windows = analysis.windows
    curvature, bend, curve = analysis.windows.scales(analysis.model.rise)
    return [
        "Sequence",
        "Index",
        f"Curvature / {curvature:.4f} [{windows.curvature}]",
        f"Bend Angle / {bend:.4f}  [{windows.bend}]",
        f"Curvature Angle / {curve:.4f}  [{windows.curve}]",
        *(f"{name} [{axis}]" for name in POINTS for axis in "xyz"),
    ]


def write_csv(path: Path, analysis: Analysis) -> None:
    """Write a line for each base. Lines end as RFC 4180 wants it.

    :raises OSError: if the file cannot be written.
    """
    with path.open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header(analysis))
        for base, letter in enumerate(analysis.sequence):
            values = [analysis.curvature[base], analysis.bend[base], analysis.curve[base]]
            for points in analysis.shape:
                values += points[3 * base : 3 * base + 3]
            writer.writerow([letter, base + 1, *(f"{value:.5f}" for value in values)])
