"""Statistics of one node: counters, gauges, and averages with percentiles.

Any thread may add; each call holds a lock for less than a microsecond.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

__all__ = ["IEventCounter", "Stats", "percentile"]

RECENT_COUNT = 1024

UNIT_BY_SUFFIX = (("_s", "seconds"), ("_bytes", "bytes"))


class IEventCounter(Protocol):
    """What counts events: the statistics of a node, as the rooms below it see them."""

    def add_count(self, name: str) -> object:
        """Count one event."""


class Stats:
    """What a node counts and measures, by name.

    :param recent_count: over how many of the last values of a name percentiles are taken.
    """

    def __init__(self, recent_count: int = RECENT_COUNT) -> None:
        self._lock = threading.Lock()
        self._recent_count = recent_count
        self._count_by_name: dict[str, int] = {}
        self._gauge_by_name: dict[str, float] = {}
        self._average_by_name: dict[str, _Average] = {}

    def add_count(self, name: str, count: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._count_by_name[name] = self._count_by_name.get(name, 0) + count

    def set_gauge(self, name: str, value: float) -> None:
        """Set what something is now."""
        with self._lock:
            self._gauge_by_name[name] = value

    def add_avg(self, name: str, value: float = 1.0) -> None:
        """Add a value of which count, mean, extremes and percentiles are kept.

        :param value: in the unit that the name ends in (``reply_s``); without one the name counts.
        """
        with self._lock:
            average = self._average_by_name.get(name)
            if average is None:
                average = self._average_by_name[name] = _Average(self._recent_count)
            average.add(value)

    def snapshot(self) -> dict[str, Any]:
        """Return ``counts``, ``gauges``, ``averages`` and the ``units`` of these two, as plain values."""
        with self._lock:
            return {
                "counts": dict(self._count_by_name),
                "gauges": dict(self._gauge_by_name),
                "averages": {name: average.snapshot() for name, average in self._average_by_name.items()},
                "units": {name: _unit(name) for name in (*self._gauge_by_name, *self._average_by_name)},
            }


def _unit(name: str) -> str:
    """Return what a value is measured in, which its name ends in."""
    return next((unit for suffix, unit in UNIT_BY_SUFFIX if name.endswith(suffix)), "count")


class _Average:
    def __init__(self, recent_count: int) -> None:
        self.count = 0
        self.total = 0.0
        self.minimum = float("inf")
        self.maximum = float("-inf")
        self.recent: deque[float] = deque(maxlen=recent_count)

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        self.recent.append(value)

    def snapshot(self) -> dict[str, float]:
        ordered = sorted(self.recent)
        return {
            "count": self.count,
            "mean": self.total / self.count,
            "min": self.minimum,
            "max": self.maximum,
            "p50": percentile(ordered, 50),
            "p90": percentile(ordered, 90),
            "p99": percentile(ordered, 99),
        }


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value at a percentile by the nearest-rank method.

    :param ordered: at least one value, ascending.
    :param percent: 0 to 100.
    """
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
