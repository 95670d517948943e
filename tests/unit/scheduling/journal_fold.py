"""What a ledger would make of recorded events, as far as a journal has to keep it: a reference for tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from concurrent.scheduling.ledger import recorded
from concurrent.scheduling.ledger.recorded import Recordable
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED

__all__ = ["FoldedJob", "folded"]


@dataclass
class FoldedJob:
    """One job: its tasks that are open, its outcomes that were not consumed, and how far it is."""

    spec: Any
    open: dict[int, Any] = field(default_factory=dict)
    ended_payloads: dict[int, Any] = field(default_factory=dict)
    outcomes: dict[int, Any] = field(default_factory=dict)
    consumed_to: int = 0
    next_id: int = 0
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    code: list[Any] = field(default_factory=list)
    about: dict[Any, Any] = field(default_factory=dict)

    def load(self) -> None:
        """Read the payloads that are wanted."""
        self.open = {key: (_bytes(payload), *rest) for key, (payload, *rest) in self.open.items()}
        self.ended_payloads = {key: _bytes(payload) for key, payload in self.ended_payloads.items()}
        self.outcomes = {key: (*rest, _bytes(payload)) for key, (*rest, payload) in self.outcomes.items()}
        self.code = [_bytes(blob) for blob in self.code]


def folded(events: Iterable[Recordable]) -> dict[int, FoldedJob]:
    """Return the jobs that recorded events are about."""
    jobs: dict[int, FoldedJob] = {}
    for event in events:
        if isinstance(event, recorded.OwnerJoined):
            jobs[event.owner] = FoldedJob(event.job)
        elif isinstance(event, recorded.OwnerLeft):
            del jobs[event.owner]
        else:
            _FOLD[type(event)](jobs[event.owner], event)  # type: ignore[union-attr]
    for job in jobs.values():
        job.load()
    return jobs


def _submitted(job: FoldedJob, event: recorded.TasksSubmitted) -> None:
    changes = [(0, event.terms), *event.changes]
    for place, payload in enumerate(event.payloads):
        terms = [terms for at, terms in changes if at <= place][-1]
        assert event.first_id + place not in job.open
        job.open[event.first_id + place] = (payload, terms, event.first_number + place, ())
    job.next_id = max(job.next_id, event.first_id + len(event.payloads))


def _tried(job: FoldedJob, event: recorded.TasksTried) -> None:
    for task_id, evidence in zip(event.ids, event.evidence, strict=True):
        if task_id in job.open:
            payload, terms, number, before = job.open[task_id]
            job.open[task_id] = (payload, terms, number, (*before, evidence))


def _retried(_job: FoldedJob, _event: recorded.TasksRetried) -> None:
    """It is told again as long as the task is open."""


def _renumbered(job: FoldedJob, event: recorded.TasksRenumbered) -> None:
    for place, task_id in enumerate(event.ids):
        if task_id in job.open:
            payload, terms, _, evidence = job.open[task_id]
            job.open[task_id] = (payload, terms, event.first_number + place, evidence)


def _ended(job: FoldedJob, event: recorded.TasksEnded) -> None:
    for place, task_id in enumerate(event.ids):
        number, status = event.first_outcome + place, event.statuses[place]
        task = job.open.pop(task_id, None)
        job.counts[0 if status == FINISHED else 2 if status == CANCELLED else 1] += 1
        keeps = job.spec is not None and job.spec.keeps_results
        if number > job.consumed_to or keeps:
            job.outcomes[number] = (task_id, status, event.payloads[place])
        if number > job.consumed_to and task is not None and job.spec is not None and job.spec.keep_s:
            job.ended_payloads[task_id] = task[0]


def _consumed(job: FoldedJob, event: recorded.OutcomesConsumed) -> None:
    if not (job.spec is not None and job.spec.keeps_results):
        for number in [number for number in job.outcomes if number <= event.up_to]:
            job.ended_payloads.pop(job.outcomes.pop(number)[0], None)
    else:
        for number in range(1, event.up_to + 1):
            job.ended_payloads.pop(job.outcomes[number][0], None)
    job.consumed_to = max(job.consumed_to, event.up_to)
    job.next_id = max(job.next_id, event.next_id)
    job.counts = [event.finished, event.failed, event.cancelled]


def _noted(job: FoldedJob, event: Any) -> None:
    job.about[type(event)] = event


def _added(job: FoldedJob, event: Any) -> None:
    job.about.setdefault(type(event), []).append(event)


def _bytes(payload: Any) -> bytes:
    return bytes(payload.load()) if hasattr(payload, "load") else bytes(payload)


_FOLD: dict[type, Any] = {
    recorded.TasksSubmitted: _submitted,
    recorded.TasksTried: _tried,
    recorded.TasksRetried: _retried,
    recorded.TasksRenumbered: _renumbered,
    recorded.TasksEnded: _ended,
    recorded.OutcomesConsumed: _consumed,
    recorded.TasksNamed: _added,
    recorded.CodeDefined: lambda job, event: job.code.append(event.blob),
    recorded.JobNoted: _noted,
    recorded.JobBegun: _noted,
    recorded.JobClosed: _noted,
    recorded.JobHeld: _noted,
    recorded.JobReleased: _noted,
    recorded.SessionAttached: _noted,
    recorded.SystemPushed: _noted,
    recorded.SystemStepped: _noted,
    recorded.SystemLosses: _noted,
    recorded.SystemEnded: _noted,
}
