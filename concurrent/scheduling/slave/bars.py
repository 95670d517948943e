"""What the workers of a slave have run lately, merged into bars for people to look at. A pure module.

A worker reports outcomes in batches, with how long they took together; so a bar is made for a batch and not for
a task. Short runs of one function that follow each other on a worker are one bar with a count. Of each worker a
bounded number of bars waits to be sent: when there are more, each two next to each other become one. A bar says
how long its runs took, so that the time between them is not taken for work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from concurrent.scheduling.tasks.outcome import FINISHED

__all__ = ["BARS_PER_S", "GAP_S", "MIXED", "SHORT_S", "BarColumns", "Bars", "HasPid"]

GAP_S: Final = 0.02
"""So soon a run follows another one that is drawn as one with it."""

SHORT_S: Final = 0.02
"""Longer runs have bars of their own."""

BARS_PER_S: Final = 50
"""So many bars of a worker are sent at once, each second."""

TOTAL_MAX: Final = 400
"""So many of all workers together, but two of each."""

TOLD_MAX: Final = 100
"""So many batches wait to be made bars of, which is quicker together than one by one."""

PARTS_MAX: Final = 8
"""So many functions in one batch are told apart."""

MIXED: Final = "(several)"
"""The name of a bar that stands for runs of different functions."""


COUNTS: Final = 4
"""So many columns of bars are whole numbers, those before the times."""


class HasPid(Protocol):
    """A worker."""

    @property
    def pid(self) -> int:
        """Its process; 0 until that is known."""


_Told = tuple[HasPid, int, Sequence[str], Sequence[int], float, float, float]
"""What :meth:`Bars.ran` is told, in its order."""


class BarColumns(NamedTuple):
    """Bars as they travel; see ``to_master.bars``."""

    names: list[str]
    jobs: list[int]
    counts: list[list[int]]
    times: list[list[float]]


@dataclass(slots=True)
class _Bar:
    """One bar that waits to be sent."""

    name: str
    start: float
    end: float
    busy_s: float
    runs: int
    failed: int

    def add(self, later: _Bar) -> None:
        """Stand for another bar too, which follows."""
        if later.name != self.name:
            self.name = MIXED
        self.end = later.end
        self.busy_s += later.busy_s
        self.runs += later.runs
        self.failed += later.failed


class Bars:
    """See the module.

    :param size: how many workers there are, about.
    """

    def __init__(self, size: int) -> None:
        self._most = max(2, min(BARS_PER_S, TOTAL_MAX // max(1, size)))
        self._bars_by_worker: dict[tuple[int, int], list[_Bar]] = {}
        self._told: list[_Told] = []

    def ran(
        self,
        worker: HasPid,
        job: int,
        names: Sequence[str],
        statuses: Sequence[int],
        *,
        since: float,
        now: float,
        busy_s: float,
    ) -> None:
        """Take note of runs that have ended.

        :param worker: where they ran; its results may come before its process is known.
        :param job: the number of the owner of the tasks.
        :param names: what each of them is, and ``statuses`` how it has ended; one at least.
        :param since: before that none of them began, in seconds of any clock, and ``now`` they have ended.
        :param busy_s: how long they took together, as the worker says.
        """
        self._told.append((worker, job, names, statuses, since, now, busy_s))
        if len(self._told) >= TOLD_MAX:
            self._draw()

    def _draw(self) -> None:
        """Make bars of what was told."""
        told, self._told = self._told, []
        for one in told:
            process, job, names, statuses, since, now, busy_s = one
            worker = process.pid
            if not worker:
                self._told.append(one)
                continue
            if not 0.0 <= busy_s <= now - since:
                busy_s = max(0.0, min(busy_s, now - since))
            bars = self._bars_by_worker.get((worker, job))
            if bars is None:
                bars = self._bars_by_worker[worker, job] = []
            runs, name, start = len(statuses), names[0], now - busy_s
            if runs > 1 and names.count(name) != runs:
                self._put_parts(bars, names, statuses, start, busy_s)
                continue
            failed = runs - statuses.count(FINISHED)
            last = bars[-1] if bars else None
            if (
                last is not None
                and name == last.name
                and start - last.end <= GAP_S
                and busy_s <= SHORT_S * runs
                and last.busy_s <= SHORT_S * last.runs
            ):  # drawn as one, as most are: so nothing is made or called for them
                last.end = now
                last.busy_s += busy_s
                last.runs += runs
                last.failed += failed
            else:
                self._put(bars, _Bar(name, start, now, busy_s, runs, failed))

    def take(self, now: float) -> BarColumns | None:
        """Return the bars that wait, which do so no more; None if there are none.

        :param now: the time of the same clock.
        """
        self._draw()
        if not self._bars_by_worker:
            return None
        waiting, self._bars_by_worker = self._bars_by_worker, {}
        rows: list[tuple[int, int, int, int, float, float, float]] = []
        place_by_function: dict[tuple[int, str], int] = {}
        for (worker, job), bars in waiting.items():
            for bar in bars:
                place = place_by_function.setdefault((job, bar.name), len(place_by_function))
                times = max(0.0, now - bar.start), max(0.0, bar.end - bar.start), bar.busy_s
                rows.append((worker, place, bar.runs, bar.failed, *times))
        columns: list[Any] = list(map(list, zip(*rows, strict=True)))
        jobs, names = zip(*place_by_function, strict=True)
        return BarColumns(list(names), list(jobs), columns[:COUNTS], columns[COUNTS:])

    def _put_parts(
        self, bars: list[_Bar], names: Sequence[str], statuses: Sequence[int], start: float, busy_s: float
    ) -> None:
        """Add a bar for each function of a batch, one behind the other, as long as it has runs."""
        for name, (runs, failed) in _parts(names, statuses).items():
            part_s = busy_s * runs / len(statuses)
            self._put(bars, _Bar(name, start, start + part_s, part_s, runs, failed))
            start += part_s

    def _put(self, bars: list[_Bar], bar: _Bar) -> None:
        """Add a bar behind the others of its worker."""
        bars.append(bar)
        if len(bars) > self._most:
            bars[:] = _halved(bars)


def _halved(bars: list[_Bar]) -> list[_Bar]:
    """Return bars of which each stands for two."""
    for first, second in zip(bars[::2], bars[1::2], strict=False):
        first.add(second)
    return bars[::2]


def _parts(names: Sequence[str], statuses: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return how many runs of each name there are in a batch, and how many of these have failed."""
    parts: dict[str, tuple[int, int]] = {}
    for name, status in zip(names, statuses, strict=True):
        if name not in parts and len(parts) >= PARTS_MAX - 1:
            name = MIXED
        runs, failed = parts.get(name, (0, 0))
        parts[name] = runs + 1, failed + (status != FINISHED)
    return parts
