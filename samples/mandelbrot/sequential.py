"""The baseline: the whole picture in one process with the same kernel, as one would write it without us."""

from __future__ import annotations

import time

from .kernel import count_points
from .view import View

__all__ = ["Baseline", "count_picture"]


def count_picture(view: View) -> bytes:
    """Return the packed counts of the whole picture, computed in the calling thread."""
    return _count_rows(view, range(view.height))


class Baseline:
    """A picture that is computed in two halves: one before the cluster's turn, one after it.

    Cores get faster and slower within a minute; what the cluster is compared with surrounds it. Each half is
    every second row, so that both take as long.
    """

    def __init__(self, view: View) -> None:
        self.seconds = 0.0
        self._view = view
        self._half_by_rows: dict[range, bytes] = {}

    def count_half(self) -> None:
        """Compute the next half in the calling thread."""
        rows = range(len(self._half_by_rows), self._view.height, 2)
        begin_s = time.perf_counter()
        self._half_by_rows[rows] = _count_rows(self._view, rows)
        self.seconds += time.perf_counter() - begin_s

    def is_identical(self, counts: bytes) -> bool:
        """Return whether the packed counts of a picture are those of both halves."""
        size = len(counts) // self._view.height
        is_whole = len(counts) == sum(map(len, self._half_by_rows.values()))
        return is_whole and all(
            half == b"".join(counts[size * row : size * (row + 1)] for row in rows)
            for rows, half in self._half_by_rows.items()
        )


def _count_rows(view: View, rows: range) -> bytes:
    return count_points(view.xs(range(view.width)), view.ys(rows), view.iterations)
