"""What a master remembers of its cluster for people to look at, see ``telemetry``. Loop thread only.

It is told once for a batch, and looks itself once a second. Nothing waits for it, and no decision rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.telemetry.functions import OTHER, Function, Functions
from concurrent.scheduling.telemetry.series import Series
from concurrent.scheduling.telemetry.timeline import BarColumns, Timeline
from concurrent.scheduling.telemetry.workerbook import WorkerBook, WorkerRow

__all__ = ["FIGURES", "Observatory", "ToldBars"]

FIGURES: Final = (
    "finished_per_s",
    "failed_per_s",
    "cancelled_per_s",
    "waiting",
    "held",
    "slaves",
    "workers",
    "busy",
    "cpu",
    "memory_bytes",
)
"""What is kept for each second: tasks that ended, that wait, and that slaves have; slaves, their workers, and
how many of these have tasks; how many processors workers use together, and how much memory."""

TITLES_MAX: Final = 10_000
"""So many names of jobs are known; bars may come when their job has left."""

BARS_PER_S: Final = 50.0
BURST_S: Final = 10.0
"""A slave may tell of so many bars a second for each of its workers, and of so many seconds at once."""


class ToldBars(NamedTuple):
    """Bars as a slave tells of them, in columns; see :class:`.Bar`. All are in bounds.

    :param functions: places in ``names``.
    :param ago_s: how long ago the first run began.
    :param names: names of functions, and ``jobs`` the numbers of the owners of their tasks.
    """

    workers: Sequence[int]
    functions: Sequence[int]
    ago_s: Sequence[float]
    durations_s: Sequence[float]
    busy_s: Sequence[float]
    runs: Sequence[int]
    failed: Sequence[int]
    names: Sequence[str]
    jobs: Sequence[int]


class Observatory:
    """See the module.

    ``functions`` has what bars are, ``timeline`` the newest bars, ``series`` the :data:`FIGURES` over time,
    ``workers`` what slaves say of their workers. ``seconds_by_function`` is how long each function was run, for
    a few of them and ``other``. ``dropped_count`` bars were too many.

    :param ledger: is looked at.
    :param labels: returns which functions have figures of their own; slaves may tell of any.
    :param began_at: when the master began, in seconds since the epoch: nothing had ended before. With 0 it is
        not known, and the first figures have no rates.
    """

    def __init__(self, ledger: Ledger, labels: Callable[[], Container[str]], began_at: float = 0.0) -> None:
        self.functions = Functions()
        self.timeline = Timeline(self.functions, began_at=began_at)
        self.series = Series(FIGURES)
        self.workers = WorkerBook()
        self.seconds_by_function: dict[str, float] = {}
        self.dropped_count = 0
        self._ledger = ledger
        self._labels = labels
        self._title_by_job: dict[int, str] = {}
        self._allowance_by_slave: dict[int, _Allowance] = {}
        self._sampled_at = began_at
        self._ended = (0, 0, 0)

    def note_job(self, job: int, title: str) -> None:
        """Know what people call a job."""
        if len(self._title_by_job) >= TITLES_MAX:
            del self._title_by_job[next(iter(self._title_by_job))]
        self._title_by_job[job] = title

    def join(self, slave: int, workers: int) -> None:
        """Begin to remember what a slave says."""
        self.workers.join(slave, workers)
        self._allowance_by_slave[slave] = _Allowance(BARS_PER_S * max(1, workers))

    def leave(self, slave: int) -> None:
        """Forget the workers of a slave; what they have run is remembered."""
        self.workers.leave(slave)
        self._allowance_by_slave.pop(slave, None)

    def bars(self, slave: int, told: ToldBars, now: float) -> None:
        """Remember what workers of a slave have run; nothing of one that is not there, or tells too much.

        :param now: the time, in seconds since the epoch.
        """
        record, allowance = self._ledger.slaves.get(slave), self._allowance_by_slave.get(slave)
        if record is None or allowance is None or not told.workers:
            return
        if not allowance.takes(len(told.workers), now):
            self.dropped_count += len(told.workers)
            return
        known = [self._function(job, name) for job, name in zip(told.jobs, told.names, strict=True)]
        numbers = list(map(self.functions.number, known))
        columns = BarColumns(
            told.workers,
            [numbers[place] for place in told.functions],
            [now - ago for ago in told.ago_s],
            told.durations_s,
            told.busy_s,
            told.runs,
            told.failed,
        )
        self.timeline.add(record.name, columns)
        self._note_seconds([told.names[place] for place in told.functions], told.busy_s)
        self.workers.note_functions(slave, told.workers, (known[place] for place in told.functions))

    def take_workers(
        self,
        slave: int,
        rows: Iterable[WorkerRow],
        gone: Collection[int],
        machine: Mapping[str, float],
        now: float,
    ) -> None:
        """Remember what a slave says of its workers and machine, see :meth:`.WorkerBook.take`."""
        self.workers.take(slave, rows, gone, machine, now)

    def sample(self, now: float, counts: OutcomeCounts) -> None:
        """Keep the figures of this second.

        :param now: the time, in seconds since the epoch.
        :param counts: how tasks have ended since the master started.
        """
        ledger = self._ledger
        ended = counts.finished, counts.failed, counts.cancelled
        passed_s = now - self._sampled_at
        rates = [0.0] * len(ended)
        if self._sampled_at and passed_s > 0:
            rates = [(new - old) / passed_s for new, old in zip(ended, self._ended, strict=True)]
        self._sampled_at, self._ended = now, ended
        held, facts = ledger.held_total, self.workers.facts_by_slave.values()
        values = (
            *rates,
            len(ledger.task_by_number) - held,
            held,
            len(ledger.slaves),
            sum(slave.workers for slave in ledger.slaves.values()),
            sum(min(self.workers.busy(number), one.workers) for number, one in ledger.slaves.items()),
            sum(one.cpu for one in facts),
            sum(one.memory_bytes for one in facts),
        )
        self.series.add(now, dict(zip(FIGURES, values, strict=True)))
        self._note_jobs()

    def _note_seconds(self, names: Iterable[str], seconds: Iterable[float]) -> None:
        """Add up how long functions were run."""
        known, labels = self.seconds_by_function, self._labels()
        for name, busy_s in zip(names, seconds, strict=True):
            label = name if name in labels else OTHER.name
            known[label] = known.get(label, 0.0) + busy_s

    def _note_jobs(self) -> None:
        """Know what the jobs are called that have begun."""
        fresh: list[JobRecord] = []
        for number in reversed(self._ledger.owners):
            if number in self._title_by_job:
                break
            fresh.append(self._ledger.owners[number])
        for job in reversed(fresh[:TITLES_MAX]):
            self.note_job(job.owner, job.title)

    def _function(self, job: int, name: str) -> Function:
        record = self._ledger.owners.get(job)
        title = record.title if record is not None else self._title_by_job.get(job, "")
        return Function(job, title, name)


class _Allowance:
    """How many bars one slave may tell of."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = per_s * BURST_S
        self._counted_at = inf

    def takes(self, count: int, now: float) -> bool:
        """Tell whether it may tell of so many now, and count them."""
        self._left = min(self._per_s * BURST_S, self._left + self._per_s * max(0.0, now - self._counted_at))
        self._counted_at = now
        if count > self._left:
            return False
        self._left -= count
        return True
