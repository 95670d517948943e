"""The newest bars of a cluster: which worker ran what from when to when. A pure module.

A bar stands for one run of a task, or for several short ones that followed each other on a worker. Bars are
kept in arrays of plain numbers, in a ring: 36 bytes each. They are numbered in the order in which they came, so
that whoever looks again asks for what is new; numbers of a later timeline are above all of an earlier one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from concurrent.scheduling.telemetry.functions import Function, Functions
from concurrent.scheduling.telemetry.numbered import Numbered

__all__ = ["BARS_MAX", "Bar", "BarColumns", "BarsPart", "Timeline"]

BARS_MAX: Final = 100_000

SLAVES_MAX: Final = 10_000
"""So many names of slaves are kept at once."""

TYPES: Final = "IiIdffII"
"""What the columns are kept as: numbers of slaves, processes, numbers of functions, beginnings, durations, busy
times, runs, failed runs."""


class Bar(NamedTuple):
    """One bar.

    :param number: its own, from 1 on, in the order in which bars came.
    :param slave: the name of the slave.
    :param worker: the process that ran it.
    :param start_at: when the first run began, in seconds since the epoch.
    :param duration_s: from there to the end of the last run, in seconds.
    :param busy_s: how long the runs took together; between them the worker waited.
    :param runs: how many there were.
    :param failed: how many of them raised, were ended, or killed their worker.
    """

    number: int
    slave: str
    worker: int
    function: Function
    start_at: float
    duration_s: float
    busy_s: float
    runs: int
    failed: int

    @property
    def stop_at(self) -> float:
        """When the last run ended."""
        return self.start_at + self.duration_s


class BarColumns(NamedTuple):
    """Bars of one slave that came together, as columns of one length; see :class:`Bar`. All are in bounds."""

    workers: Sequence[int]
    functions: Sequence[int]
    starts_at: Sequence[float]
    durations_s: Sequence[float]
    busy_s: Sequence[float]
    runs: Sequence[int]
    failed: Sequence[int]


class BarsPart(NamedTuple):
    """A copy of some bars, oldest first.

    :param first_number: that of the first one.
    :param columns: numbers of slaves, processes, numbers of functions, beginnings, durations, busy times,
        counts, counts of failures.
    :param slaves: the names of slaves by their numbers, and ``functions`` what functions are by theirs.
    """

    first_number: int
    columns: Sequence[array[Any]]
    slaves: Mapping[int, str]
    functions: Mapping[int, Function]

    def bars(self) -> Iterator[Bar]:
        """Iterate over them; each takes about two microseconds."""
        rows = zip(*self.columns, strict=True)
        for number, (slave, worker, function, *rest) in enumerate(rows, self.first_number):
            yield Bar(number, self.slaves[slave], worker, self.functions[function], *rest)


class Timeline:
    """See the module.

    :param functions: gives functions their numbers; what no bar has is forgotten when there is no more room.
    :param bars_max: how many bars are kept.
    :param began_at: seconds since the epoch. Numbers begin above those of timelines that began before, as fewer
        than ``bars_max`` bars come in a second.
    """

    def __init__(self, functions: Functions, bars_max: int = BARS_MAX, began_at: float = 0.0) -> None:
        self._functions = functions
        self._slaves: Numbered[str] = Numbered("other", SLAVES_MAX)
        self._bars_max = bars_max
        self._columns: list[array[Any]] = [array(kind) for kind in TYPES]
        self._added = self._tidied = int(began_at) * bars_max

    def __len__(self) -> int:
        """Return how many bars are kept."""
        return len(self._columns[0])

    @property
    def first_number(self) -> int:
        """The number of the oldest bar that is kept."""
        return self._added - len(self) + 1

    @property
    def next_number(self) -> int:
        """The number that the next bar will have."""
        return self._added + 1

    def add(self, slave: str, bars: BarColumns) -> None:
        """Keep bars of a slave, in the place of the oldest ones if there is no more room."""
        count = len(bars.workers)
        kept = min(count, self._bars_max)
        self._added += count
        at = (self._added - kept) % self._bars_max
        slaves = [self._slaves.number(slave)] * count
        for column, values in zip(self._columns, (slaves, *bars), strict=True):
            _put(column, at, array(column.typecode, values[count - kept :]), self._bars_max)
        self._tidy()

    def _newest(self, column: array[Any], count: int) -> array[Any]:
        """Return the last values of a column, in the order of the bars."""
        end = self._added % self._bars_max if len(column) == self._bars_max else len(column)
        start = end - count
        return column[start:end] if start >= 0 else column[start:] + column[:end]

    def part(self, first: int) -> BarsPart:
        """Return a copy of the columns of the bars from one on, with the names that they need.

        :param first: the number of the first one, which is kept or the next one to come.
        """
        columns = [self._newest(column, self.next_number - first) for column in self._columns]
        slaves = {number: self._slaves.key(number) for number in set(columns[0])}
        functions = {number: self._functions.key(number) for number in set(columns[2])}
        return BarsPart(first, columns, slaves, functions)

    def _tidy(self) -> None:
        """Forget names that no bar has, if they are many; it takes some milliseconds, so not too often."""
        if self._added - self._tidied < self._bars_max // 10:
            return
        for numbered, column in ((self._slaves, self._columns[0]), (self._functions, self._columns[2])):
            if numbered.is_full:
                self._tidied = self._added
                numbered.keep(set(column))


def _put(column: array[Any], at: int, values: array[Any], count_max: int) -> None:
    """Write values into a ring from a place on, which is its end while it is not full."""
    head = values[: count_max - at]
    if len(values) == count_max:
        column[:] = values[len(head) :] + head
        return
    column[at : at + len(head)] = head
    column[: len(values) - len(head)] = values[len(head) :]
