"""How many open tasks of each function of each job are in which state. Pure: nothing is changed by asking.

Tasks that wait in lanes are counted by lane; those that slaves have are looked at one by one. So it costs as
much as slaves hold, however many wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from concurrent.scheduling.ledger.records import TaskRecord

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.ledger import Ledger

__all__ = ["OpenCounts", "busy_workers", "open_counts"]

Key = tuple[int, str]
"""The number of a job, and the name of its tasks."""


@dataclass(slots=True)
class OpenCounts:
    """How many tasks wait, for a slave or at one; wait for their next try; run."""

    waiting: int = 0
    between_tries: int = 0
    running: int = 0

    def add_all(self, others: OpenCounts) -> None:
        """Count what others have counted."""
        self.waiting += others.waiting
        self.between_tries += others.between_tries
        self.running += others.running


def busy_workers(ledger: Ledger) -> int:
    """Return how many workers have a task, as far as the master knows."""
    return sum(min(slave.workers, len(slave.held)) for slave in ledger.slaves.values())


def open_counts(ledger: Ledger) -> dict[Key, OpenCounts]:
    """Return the counts by job and name; of a job without open tasks there are none.

    A slave runs what it has told of, and the oldest tasks that it has if it has more workers.
    """
    found: dict[Key, OpenCounts] = {}
    for job in ledger.owners.values():
        for lane in job.lanes.in_any_order():
            _at(found, (job.owner, lane.terms.name)).waiting += lane.count
    elsewhere = chain(
        ledger.pushed.values(),
        ledger.refusals.tasks(),
        chain.from_iterable(slave.held.values() for slave in ledger.slaves.values()),
    )
    _count_waiting(found, elsewhere)
    tasks = ledger.task_by_number
    for number in ledger.places.retries.waiting:
        _at(found, _key(tasks[number])).between_tries += 1
    for slave, numbers in ledger.running.begun_by_slave(ledger.slaves).items():
        held = ledger.slaves[slave].held
        for number in numbers:
            counts = _at(found, _key(held[number]))
            counts.waiting -= 1
            counts.running += 1
    return found


def _count_waiting(found: dict[Key, OpenCounts], tasks: Iterable[TaskRecord]) -> None:
    """Count tasks, most of which follow one of the same kind."""
    owner = terms = counts = None
    for task in tasks:
        if task.owner is not owner or task.terms is not terms:
            owner, terms = task.owner, task.terms
            counts = _at(found, _key(task))
        counts.waiting += 1  # type: ignore[union-attr]


def _key(task: TaskRecord) -> Key:
    return task.owner.owner, task.terms.name


def _at(found: dict[Key, OpenCounts], key: Key) -> OpenCounts:
    counts = found.get(key)
    if counts is None:
        counts = found[key] = OpenCounts()
    return counts
