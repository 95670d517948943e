"""What the ledger says of itself. A pure module.

Units come last in names: ``_s`` is seconds, ``_bytes`` bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from concurrent.core.rows import chosen_rows
from concurrent.core.status import Status

if TYPE_CHECKING:
    from concurrent.scheduling.ledger.ledger import Ledger
    from concurrent.scheduling.tasks.explanation import Wait

__all__ = [
    "DRAINED",
    "DRAINING",
    "JOINED",
    "SILENT",
    "LedgerStatus",
    "OwnerRow",
    "RunningRow",
    "SlaveRow",
    "WaitRow",
    "status_of",
]


DRAINING: Final = "draining"
DRAINED: Final = "drained"
"""What ``drain`` of a slave may be."""

SILENT: Final = "silent"
JOINED: Final = "joined"
"""What a slave is that is not drained."""


@dataclass(frozen=True, slots=True)
class OwnerRow(Status):
    """An application or task system, and how many of its tasks are where."""

    number: int
    name: str
    queued: int
    open: int
    finished: int
    failed: int
    cancelled: int

    @property
    def closed(self) -> int:
        """How many of its tasks have ended, in whichever way."""
        return self.finished + self.failed + self.cancelled


@dataclass(frozen=True, slots=True)
class SlaveRow(Status):
    """A slave that has joined, and what became of the tasks that it was given.

    ``lacks`` is why it wants no tasks, as it says: what its machine is short of. ``unfit`` is what it has not,
    or in another version, of what programs need, a line for each of these. ``drain`` is ``draining``
    if somebody wants it to get nothing more and it holds tasks, then ``drained``, else empty; ``drained_by``
    is who wants that, ``drained_at`` since when and ``drain_ends_at`` when what it runs is ended, in seconds
    since the epoch; 0 if it is not.
    """

    number: int
    name: str
    workers: int
    window: int
    held: int
    done: int
    failed: int
    refused: int
    workers_died: int
    task_s: float
    silent: bool
    lacks: str = ""
    unfit: tuple[str, ...] = ()
    drain: str = ""
    drained_by: str = ""
    drained_at: float = 0.0
    drain_ends_at: float = 0.0


@dataclass(frozen=True, slots=True)
class RunningRow(Status):
    """A task that has run for a while; ``id`` is the number that its owner gave it, ``name`` what it is.

    ``progress`` is how far it says that it is, as people read it.
    """

    task: int
    name: str
    owner: str
    id: int
    slave: str
    worker: int
    run_s: float
    note: str
    progress: str = ""


@dataclass(frozen=True, slots=True)
class WaitRow(Status):
    """Tasks of one job that have waited for a while for the same; ``name`` is what they are.

    ``age_s`` is how long ago the first of them came, ``task`` its number at the master, and ``id`` that which
    its program gave it.
    """

    count: int
    name: str
    owner: str
    age_s: float
    waits_for: str
    because: str
    task: int = 0
    id: int = 0

    @classmethod
    def of(cls, wait: Wait) -> WaitRow:
        """Return the row of a kind of tasks that wait."""
        first = wait.first
        because = "; ".join(first.because)
        return cls(
            wait.count, first.name, first.owner, first.age_s, first.waits_for, because, first.task, first.id
        )


@dataclass(frozen=True)
class LedgerStatus(Status):
    """The tasks of a ledger: counts of all, and the rows that matter most."""

    accepted: int
    queued: int
    pushed: int
    refused: int
    open: int
    open_bytes: int
    submitted_bytes: int
    dropped_late: int
    slave_count: int
    owner_count: int
    slaves: tuple[SlaveRow, ...]
    owners: tuple[OwnerRow, ...]


def status_of(ledger: Ledger) -> LedgerStatus:
    """Return what a ledger has: counts and a bounded part of lists, which any thread may read."""
    return LedgerStatus(
        accepted=ledger.jobs.submitted_count,
        queued=ledger.queue.count + ledger.queue.claimed_count + ledger.places.parked.count,
        pushed=len(ledger.pushed),
        refused=ledger.refusals.waiting_count,
        open=len(ledger.task_by_number),
        open_bytes=ledger.budget.open_bytes,
        submitted_bytes=ledger.jobs.submitted_bytes,
        dropped_late=ledger.reports.dropped_count,
        slave_count=len(ledger.slaves),
        owner_count=len(ledger.owners),
        slaves=tuple(one.status() for one in chosen_rows(ledger.slaves.values(), attrgetter("rank"))),
        owners=tuple(one.status() for one in chosen_rows(ledger.owners.values(), attrgetter("rank"))),
    )
