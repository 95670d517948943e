"""How attempts end: which outcomes are final. A pure module, for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.errors import TaskOutOfMemory, TaskTimeout
from concurrent.scheduling.ledger.records import SlaveRecord, TaskRecord
from concurrent.scheduling.tasks.outcome import CANCELLED, DIED, FAILED, OUT_OF_MEMORY, RETRIABLE, TIMED_OUT
from concurrent.scheduling.tasks.retry import exception_names

__all__ = ["MAYBE_AGAIN", "Endings", "has_another_try", "sorted_out"]

NAMES_BY_LIMIT: Final = {
    TIMED_OUT: exception_names(TaskTimeout),
    OUT_OF_MEMORY: exception_names(TaskOutOfMemory),
}
"""What a passed limit is to its task: the names of the exception, and of those that it derives from."""

MAYBE_AGAIN: Final = frozenset({RETRIABLE, *NAMES_BY_LIMIT})
"""What a task may be tried again for."""


@dataclass(slots=True)
class Endings:
    """What a slave reported.

    Final outcomes are in columns. ``died`` are tasks whose worker died and that have attempts left, and
    ``newly_died`` those of them of which that was not known. ``retried`` are tasks that raised or passed a
    limit and have another try, with status and payload. ``back`` are tasks that the slave has by now again, and
    ``dropped_count`` is how many were not its own.
    """

    tasks: list[TaskRecord] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)
    died: list[TaskRecord] = field(default_factory=list)
    newly_died: list[TaskRecord] = field(default_factory=list)
    retried: list[tuple[TaskRecord, int, Any]] = field(default_factory=list)
    back: list[TaskRecord] = field(default_factory=list)
    dropped_count: int = 0


def sorted_out(
    slave: SlaveRecord, tasks: Sequence[TaskRecord | None], statuses: Sequence[int], payloads: Sequence[Any]
) -> Endings:
    """Sort out what a slave reported.

    A slave that has come back may say again how a worker died, and have the task again since then.

    :param tasks: what it reported; None for what is not its own.
    """
    found = Endings()
    for task, status, payload in zip(tasks, statuses, payloads, strict=True):
        if task is None:
            found.dropped_count += status != CANCELLED  # it answers what was asked for
            continue
        outcome = payload
        if has_another_try(task, status):
            found.retried.append((task, status, payload))
            continue
        if status == RETRIABLE:
            status = FAILED
        if status == DIED:
            has_again = slave.brought_again.pop(task.number, None)
            is_known = has_again is not None and task.has_evidence(slave, payload)
            if is_known and has_again:
                slave.held[task.number] = task
                found.back.append(task)
                continue
            if not is_known:
                slave.died_count += 1
                task.add_evidence(slave, payload)
            if len(task.evidence) < task.terms.attempts_max:
                found.died.append(task)
                if not is_known:
                    found.newly_died.append(task)
                continue
            outcome = b"\0".join(task.evidence)
        found.tasks.append(task)
        found.statuses.append(status)
        found.payloads.append(outcome)
    return found


def has_another_try(task: TaskRecord, status: int) -> bool:
    """Tell whether a task is tried again after a run that ended like this, for what it raised or a limit."""
    retry = task.terms.retry
    if status not in MAYBE_AGAIN or retry is None or task.tries >= retry.times:
        return False
    return status == RETRIABLE or retry.takes(NAMES_BY_LIMIT[status])
