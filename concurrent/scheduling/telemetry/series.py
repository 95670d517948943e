"""Figures of a cluster over time: each second of the last 15 minutes, each minute of the last day. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["MINUTE_S", "SECOND_S", "Points", "Series"]

SECOND_S: Final = 1
MINUTE_S: Final = 60
"""The resolutions."""

KEPT_COUNT: Final = {SECOND_S: 900, MINUTE_S: 1440}
"""How many points are kept of each."""

SET_BACK_S: Final = 5


class Points(NamedTuple):
    """A part of a series.

    :param resolution_s: how far the points are apart, in seconds.
    :param at: when each was, in seconds since the epoch: a multiple of the resolution.
    :param values: the figures at these times, by name.
    """

    resolution_s: int
    at: list[int]
    values: dict[str, list[float]]


class Series:
    """See the module. What lies between two points is their mean; where nobody looked there is no point.

    :param names: those of the figures.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._begin()

    def _begin(self) -> None:
        width = len(self.names)
        self._rings = {resolution: _Ring(width, count) for resolution, count in KEPT_COUNT.items()}
        self._minute = 0
        self._sums = [0.0] * width
        self._summed = 0

    def add(self, at: float, figures: Mapping[str, float]) -> None:
        """Keep the figures of a second; nothing happens if there are some of that second, or of a later one.

        If the clock was set back by more than that, all begins anew.

        :param at: when that is, in seconds since the epoch.
        :param figures: each of the names has a finite number.
        """
        second = int(at)
        values = [float(figures[name]) for name in self.names]
        if second < self._rings[SECOND_S].last_at - SET_BACK_S:
            self._begin()
        if not self._rings[SECOND_S].add(second, values):
            return
        minute = second - second % MINUTE_S
        if minute != self._minute:
            self._end_minute()
            self._minute = minute
        self._sums = [total + value for total, value in zip(self._sums, values, strict=True)]
        self._summed += 1

    def points(self, resolution_s: int = SECOND_S, after: float = 0.0) -> Points:
        """Return the points behind a time, the oldest first.

        :param resolution_s: :data:`SECOND_S` or :data:`MINUTE_S`. A minute is there when it is over.
        :param after: seconds since the epoch. If that is long behind the last point the clock was set back
            since, and all points are new.
        :raises KeyError: if there is no such resolution.
        """
        ring = self._rings[resolution_s]
        is_ahead = after > ring.last_at + SET_BACK_S + 2 * resolution_s
        at, columns = ring.after(0.0 if is_ahead else after)
        return Points(resolution_s, at, dict(zip(self.names, columns, strict=True)))

    def _end_minute(self) -> None:
        if self._summed:
            self._rings[MINUTE_S].add(self._minute, [total / self._summed for total in self._sums])
            self._sums = [0.0] * len(self.names)
            self._summed = 0


class _Ring:
    """The newest points of one resolution."""

    def __init__(self, width: int, count_max: int) -> None:
        self._at = array("q")
        self._columns: list[array[Any]] = [array("d") for _ in range(width)]
        self._count_max = count_max
        self._next = 0

    @property
    def last_at(self) -> int:
        """When the last point was; 0 if there is none."""
        return self._at[self._next - 1] if self._at else 0

    def add(self, at: int, values: Sequence[float]) -> bool:
        """Keep a point behind the others; returns whether it is later than they are."""
        if at <= self.last_at:
            return False
        if len(self._at) < self._count_max:
            self._at.append(at)
            for column, value in zip(self._columns, values, strict=True):
                column.append(value)
        else:
            self._at[self._next] = at
            for column, value in zip(self._columns, values, strict=True):
                column[self._next] = value
        self._next = (self._next + 1) % self._count_max
        return True

    def after(self, at: float) -> tuple[list[int], list[list[float]]]:
        """Return the times behind one and their values, the oldest first."""
        start = self._next if len(self._at) == self._count_max else 0
        times = [*self._at[start:], *self._at[:start]]
        first = next((place for place, time in enumerate(times) if time > at), len(times))
        columns = [[*column[start:], *column[:start]][first:] for column in self._columns]
        return times[first:], columns
