"""Which tasks run where and since when, as far as slaves have told. A pure module; the ledger owns it.

Slaves tell of tasks that have run for a while only, so most tasks never get here. What has ended is not taken
out when it ends, which would cost each task something, but now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from concurrent.core.rows import chosen_rows
from concurrent.scheduling.ledger.events import TasksRunning, TellRunning, TellWaiting
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.ledger.status import RunningRow

__all__ = ["RunningTasks"]

NOTE_CHARS_MAX: Final = 200

PAST_COUNT: Final = 1000
"""Of so many tasks that have ended it is known when they began to run, the latest."""

HELD = TaskState.HELD


@dataclass(slots=True, eq=False)
class _Run:
    """One task that runs.

    :param since: when it began to, in seconds since the epoch.
    """

    task: TaskRecord
    slave: int
    worker: int
    since: float
    note: str

    @property
    def is_over(self) -> bool:
        return self.task.state is not HELD or self.task.slave != self.slave

    def row(self, slaves: Mapping[int, SlaveRecord], now: float) -> RunningRow:
        """Return what is shown of it."""
        return RunningRow(
            task=self.task.number,
            name=self.task.terms.name,
            owner=self.task.owner.title,
            id=self.task.client_id,
            slave=slaves[self.slave].name,
            worker=self.worker,
            run_s=now - self.since,
            note=self.note,
        )


class RunningTasks:
    """See the module."""

    def __init__(self) -> None:
        self._run_by_number: dict[int, _Run] = {}
        self._past: dict[tuple[int, int], tuple[int, float]] = {}

    @property
    def count(self) -> int:
        """How many tasks have run for a while and still run."""
        return len(self._running())

    def take(self, event: TasksRunning, held: Mapping[int, TaskRecord]) -> list[TellRunning]:
        """Take in what a slave tells of tasks; return what to tell their owners, each once.

        :param held: the tasks that the slave has; what it tells of others is ignored.
        """
        news: dict[int, TellRunning] = {}
        columns = event.numbers, event.workers, event.run_s, event.notes
        for number, worker, run_s, note in zip(*columns, strict=True):
            task = held.get(number)
            if task is None:
                continue
            run = self._run_by_number.get(number)
            if run is None or run.is_over:
                owner = task.owner.owner
                news.setdefault(owner, TellRunning(owner, [])).ids.append(task.client_id)
            self._run_by_number[number] = _Run(
                task, event.slave, worker, event.now - run_s, note[:NOTE_CHARS_MAX]
            )
        return list(news.values())

    def begun(self, slave: SlaveRecord) -> set[int]:
        """Return what a slave runs: the tasks that it told of, and the oldest if it has more workers."""
        begun = {
            number
            for number, run in self._run_by_number.items()
            if run.slave == slave.slave and number in slave.held
        }
        return _fill_up(begun, slave)

    def begun_by_slave(self, slaves: Mapping[int, SlaveRecord]) -> dict[int, set[int]]:
        """Return what each slave runs that has tasks, as :meth:`begun` does for one."""
        begun: dict[int, set[int]] = {slave.slave: set() for slave in slaves.values() if slave.held}
        for number, run in self._run_by_number.items():
            if run.slave in begun and number in slaves[run.slave].held:
                begun[run.slave].add(number)
        for key, numbers in begun.items():
            _fill_up(numbers, slaves[key])
        return begun

    def rows(self, slaves: Mapping[int, SlaveRecord], now: float) -> tuple[RunningRow, ...]:
        """Return the tasks of which something unusual is told, then those that run longest.

        :param now: the time, in seconds since the epoch.
        """
        runs = chosen_rows(self._running(), lambda run: (bool(run.note), -run.since))
        return tuple(run.row(slaves, now) for run in runs)

    def row(self, number: int, slaves: Mapping[int, SlaveRecord], now: float) -> RunningRow | None:
        """Return what slaves have told of the run of one task; None if none has.

        :param now: the time, in seconds since the epoch.
        """
        run = self._run_by_number.get(number)
        return run.row(slaves, now) if run is not None and not run.is_over else None

    def claiming(
        self, names: Collection[str], slaves: Mapping[int, SlaveRecord], now: float
    ) -> list[RunningRow]:
        """Return the tasks that have run for a while and claim one of these resources, the oldest first.

        :param now: the time, in seconds since the epoch.
        """
        runs = (run for run in self._running() if any(name in names for name, _ in run.task.terms.resources))
        return [run.row(slaves, now) for run in sorted(runs, key=lambda run: run.since)]

    def last_run(self, owner: int, task_id: int) -> tuple[int, float] | None:
        """Return which process ran a task last, and since when, by the number that its program gave it.

        :returns: None if no slave has told of it, or it is not known any more.
        """
        for run in self._run_by_number.values():
            if run.task.client_id == task_id and run.task.owner.owner == owner:
                return run.worker, run.since
        return self._past.get((owner, task_id))

    def last_runs(self) -> dict[tuple[int, int], tuple[int, float]]:
        """Return what :meth:`last_run` does of all tasks of which it is known, by their owners and ids."""
        runs = self._run_by_number.values()
        known = {(run.task.owner.owner, run.task.client_id): (run.worker, run.since) for run in runs}
        return {**self._past, **known}

    def _running(self) -> list[_Run]:
        return [run for run in self._run_by_number.values() if not run.is_over]

    def drop_what_is_over(self) -> list[TellWaiting]:
        """Forget tasks that run no more; return what to tell owners of those that wait again. Now and then."""
        return self.drop([number for number, run in self._run_by_number.items() if run.is_over])

    def drop(self, numbers: Iterable[int]) -> list[TellWaiting]:
        """Forget that tasks have run, if that is known; return what to tell owners of those that are open."""
        news: dict[int, TellWaiting] = {}
        for number in numbers:
            run = self._run_by_number.pop(number, None)
            if run is None:
                continue
            task, owner = run.task, run.task.owner.owner
            if task.state is TaskState.CLOSED:
                self._past[owner, task.client_id] = run.worker, run.since
            else:
                news.setdefault(owner, TellWaiting(owner, [])).ids.append(task.client_id)
        while len(self._past) > PAST_COUNT:
            del self._past[next(iter(self._past))]
        return list(news.values())


def _fill_up(begun: set[int], slave: SlaveRecord) -> set[int]:
    """Add the oldest tasks that a slave has to those that it runs, as far as it has workers."""
    for number in slave.held:
        if len(begun) >= slave.workers:
            break
        begun.add(number)
    return begun
