"""Tells a new ledger what a journal has kept: the recorded events of former ones, in their order. Pure.

Tasks get their old numbers, and wait in the order in which they were submitted. All jobs are without a session.
Of the events some may be missing that make no difference, see ``recorded.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from concurrent.scheduling.ledger.drains import Drains
from concurrent.scheduling.ledger.events import (
    CodeDefined,
    JobBegun,
    JobClosed,
    JobHeld,
    JobNoted,
    JobReleased,
    OutcomesConsumed,
    OwnerJoined,
    OwnerLeft,
    Recordable,
    SessionAttached,
    SlaveDrained,
    SlaveJoined,
    SlaveLost,
    SlaveResumed,
    SystemEnded,
    SystemLosses,
    SystemPushed,
    SystemStepped,
    TasksEnded,
    TasksNamed,
    TasksRenumbered,
    TasksRetried,
    TasksSubmitted,
    TasksTried,
)
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.lanes import Lane
from concurrent.scheduling.ledger.lifetimes import Lifetimes
from concurrent.scheduling.ledger.places import Places
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.ledger.returning import Returning

__all__ = ["Restoring"]


class Restoring:
    """See the module. It is used once, before anything else happens to the ledger."""

    def __init__(self, places: Places, lifetimes: Lifetimes, returning: Returning, drains: Drains) -> None:
        self._places = places
        self._jobs = places.jobs
        self._lifetimes = lifetimes
        self._returning = returning
        self._next_try: dict[TaskRecord, float] = {}
        of_job = (
            SessionAttached,
            JobBegun,
            JobClosed,
            JobHeld,
            JobReleased,
            JobNoted,
            CodeDefined,
            TasksNamed,
            SystemPushed,
            SystemStepped,
            SystemLosses,
            SystemEnded,
        )
        self._tell_by_type: dict[type, Callable[[Any], object]] = {
            OwnerJoined: self._joined,
            OwnerLeft: self._left,
            TasksSubmitted: self._submitted,
            TasksTried: self._tried,
            TasksRetried: self._retried,
            TasksRenumbered: self._renumbered,
            TasksEnded: self._ended,
            OutcomesConsumed: self._consumed,
            SlaveJoined: returning.told,
            SlaveLost: returning.told,
            SlaveDrained: drains.told,
            SlaveResumed: drains.told,
            **dict.fromkeys(of_job, self._happened),
        }

    def tell(self, events: Iterable[Recordable]) -> None:
        """Take in events, and then have what is open wait for slaves."""
        tell_by_type = self._tell_by_type
        for event in events:
            tell_by_type[type(event)](event)
        self._returning.begin()
        for job in self._jobs.by_number.values():
            self._queue(job)
        self._lifetimes.begin()

    def _job(self, owner: int) -> tuple[JobRecord, JobLife] | tuple[None, None]:
        job = self._jobs.by_number.get(owner)
        return (job, job.life) if job is not None and job.life is not None else (None, None)

    def _joined(self, event: OwnerJoined) -> None:
        self._jobs.begin(event)
        job, life = self._job(event.owner)
        if job is not None and life is not None:
            job.outbox.detach()
            life.is_attached = False

    def _left(self, event: OwnerLeft) -> None:
        job = self._jobs.end(event.owner)
        for number in job.number_by_id.values() if job is not None else ():
            self._end(self._places.task_by_number[number])

    def _happened(self, event: Any) -> None:
        job, life = self._job(event.owner)
        if job is not None and life is not None:
            self._jobs.take(job, life, event)

    def _submitted(self, event: TasksSubmitted) -> None:
        job, _ = self._job(event.owner)
        if job is None:
            return
        places = self._places
        task_by_number, number_by_id = places.task_by_number, job.number_by_id
        number, client_id = event.first_number, event.first_id
        for start, end, terms in event.parts():
            if terms.deadline_s is not None:
                places.deadlines.add(event.owner, client_id, end - start, terms.deadline_s, event.at)
            for payload in event.payloads[start:end]:
                task_by_number[number] = TaskRecord(number, job, client_id, payload, terms)
                number_by_id[client_id] = number
                number += 1
                client_id += 1
        places.numbered_to(number)
        job.next_id = max(job.next_id, client_id)
        size_bytes = sum(map(len, event.payloads))
        places.budget.open_bytes += size_bytes
        if job.is_kept:
            places.budget.kept_count += len(event.payloads)
        self._jobs.submitted_bytes += size_bytes
        self._jobs.submitted_count += len(event.payloads)

    def _tried(self, event: TasksTried) -> None:
        for client_id, words in zip(event.ids, event.evidence, strict=True):
            task = self._task(event.owner, client_id)
            if task is not None:
                task.evidence += (bytes(words),)

    def _retried(self, event: TasksRetried) -> None:
        for client_id, tries, at in zip(event.ids, event.tries, event.at, strict=True):
            task = self._task(event.owner, client_id)
            if task is not None:
                task.tries = tries
                self._next_try[task] = at

    def _renumbered(self, event: TasksRenumbered) -> None:
        for number, client_id in enumerate(event.ids, event.first_number):
            task = self._task(event.owner, client_id)
            if task is not None:
                self._places.renumber(task, number)

    def _ended(self, event: TasksEnded) -> None:
        job, life = self._job(event.owner)
        if job is None or life is None:
            return
        task_by_number = self._places.task_by_number
        names: list[str] = []
        for client_id in event.ids:
            number = job.number_by_id.pop(client_id, 0)
            names.append(task_by_number[number].terms.name if number else "")
            if number:
                self._end(task_by_number[number])
        job.next_id = max(job.next_id, 1 + max(event.ids, default=-1))
        failed_count = job.counts.failed
        job.counts.add(list(event.statuses))
        if job.counts.failed != failed_count:
            self._jobs.failed(life, names, self._jobs.failures(event.statuses, event.payloads))
        life.outbox.told(event)

    def _consumed(self, event: OutcomesConsumed) -> None:
        job, life = self._job(event.owner)
        if job is None or life is None:
            return
        life.outbox.told_consumed(event.up_to)
        job.next_id = max(job.next_id, event.next_id)
        job.counts.finished = event.finished
        job.counts.failed = event.failed
        job.counts.cancelled = event.cancelled

    def _task(self, owner: int, client_id: int) -> TaskRecord | None:
        job = self._jobs.by_number.get(owner)
        number = job.number_by_id.get(client_id, 0) if job is not None else 0
        return self._places.task_by_number.get(number)

    def _end(self, task: TaskRecord) -> None:
        del self._places.task_by_number[task.number]
        self._places.budget.open_bytes -= len(task.payload)
        if task.owner.is_kept:
            self._places.budget.kept_count -= 1

    def _queue(self, job: JobRecord) -> None:
        """Have the open tasks of a job wait in their lanes, in the order in which they were submitted."""
        if job.life is not None:
            job.life.awaits_slaves = self._returning.is_waiting
            self._lifetimes.settle(job)
            if job.life.has_ended:
                self._lifetimes.drop(job)
        task_by_number = self._places.task_by_number
        counts: dict[Lane, int] = {}
        for number in job.number_by_id.values():
            task = task_by_number[number]
            if task in self._next_try:
                self._places.retries.told(task, self._next_try[task])
                continue
            lane = job.lanes.lane(task.terms)
            lane.tasks.append(task)
            counts[lane] = counts.get(lane, 0) + 1
        for lane, count in counts.items():
            job.queue.added(lane, count)
