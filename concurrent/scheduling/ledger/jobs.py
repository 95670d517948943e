"""The jobs of a master: what was accepted of each, and the outcomes that it has not consumed. Pure.

A job is what one owner, an application or a task system, has the master do. It has a number of its own; a
session is attached to it or not.
"""

from __future__ import annotations

from typing import Any

from concurrent.core.errors import SchedulingError
from concurrent.scheduling.ledger.acceptance import Acceptance
from concurrent.scheduling.ledger.alarms import Alarms
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import (
    Accept,
    BytesConsumed,
    Command,
    OutcomesConsumed,
    OwnerJoined,
    Record,
    Recordable,
    SessionAttached,
    SessionDetached,
    StoreChanged,
    TasksEnded,
    TasksSubmitted,
)
from concurrent.scheduling.ledger.outbox import Outbox
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.ledger.shortage import Shortage

__all__ = ["Jobs"]


class Jobs:
    """See the module.

    ``by_number`` has the jobs. ``submitted_count`` and ``submitted_bytes`` count what was submitted ever.

    :param budget: what the master may keep.
    :param is_recorded: whether the commands say what a journal has to keep, see :class:`Record`.
    """

    def __init__(self, budget: Budget, alarms: Alarms, *, is_recorded: bool) -> None:
        self.by_number: dict[int, JobRecord] = {}
        self.acceptance = Acceptance()
        self.shortage = Shortage(alarms, self.acceptance, budget)
        self.submitted_count = 0
        self.submitted_bytes = 0
        self._budget = budget
        self._is_recorded = is_recorded

    @property
    def undelivered_count(self) -> int:
        """How many outcomes were not given to their owners."""
        return sum(job.outbox.waiting_count for job in self.by_number.values())

    def begin(self, event: OwnerJoined) -> list[Command]:
        """Begin a job, with a session attached."""
        self.by_number[event.owner] = JobRecord(event.owner, event.name, Outbox(event.owner, self._budget))
        return self.record(event)

    def record(self, what: Recordable) -> list[Command]:
        """Return the command that has a journal keep something, if there is one."""
        return [Record(what)] if self._is_recorded else []

    def end(self, owner: int) -> JobRecord | None:
        """End a job: nothing is kept of its outcomes; None if there is no such."""
        job = self.by_number.pop(owner, None)
        if job is not None:
            self.acceptance.forget(owner)
            job.outbox.close()
        return job

    def submitter(self, event: TasksSubmitted) -> JobRecord:
        """Return the job that tasks are submitted to.

        :raises SchedulingError: if there is no such, or it has used their numbers.
        :raises LimitExceeded: if it goes on though too much of it is not accepted.
        """
        job = self.by_number.get(event.owner)
        if job is None:
            raise SchedulingError(
                f"tasks came from owner {event.owner}, which is not registered",
                thing="owner",
                value=event.owner,
                remedy="Register first; a registration ends when its connection is given up",
            )
        if self.acceptance.batches and self.acceptance.is_too_much(event.owner):
            raise self.acceptance.refusal(event.owner, job.name)
        if event.first_id < job.next_id:
            raise job.used(event.first_id)
        return job

    def submitted(self, event: TasksSubmitted, size_bytes: int) -> list[Command]:
        """Take note of tasks that the ledger has from now on; return whether they are accepted at once."""
        count = len(event.payloads)
        last_id = event.first_id + count - 1
        self.submitted_count += count
        self.submitted_bytes += size_bytes
        self._budget.open_bytes += size_bytes
        commands: list[Command] = [Record(event)] if self._is_recorded else []
        if not self.acceptance.batches and self._budget.has_room:
            commands.append(Accept(event.owner, last_id))
        else:
            self.acceptance.add(event.owner, last_id, count, size_bytes)
        return commands

    def accept_more(self) -> list[Command]:
        """Accept what waits, the oldest first, as far as there is room."""
        accepted: dict[int, Command] = {}
        while self.acceptance.batches and self._budget.has_room:
            owner, last_id = self.acceptance.take()
            accepted[owner] = Accept(owner, last_id)
        if self.acceptance.batches:
            self.shortage.note()
        return list(accepted.values())

    def ended(self, tasks: list[TaskRecord], statuses: list[int], payloads: list[Any]) -> list[Command]:
        """Keep the outcomes of tasks until they are consumed; return what their owners are given now.

        :param tasks: at least one, all of which have ended.
        """
        if len(tasks) == 1:
            task = tasks[0]
            return self._put(task.owner, [task.client_id], statuses, payloads)
        if len(self.by_number) == 1 or len(jobs := {task.owner.owner: task.owner for task in tasks}) == 1:
            ids: list[int] = []
            for task in tasks:
                ids.append(task.client_id)
            return self._put(task.owner, ids, statuses, payloads)
        columns_by_owner: dict[int, tuple[list[int], list[int], list[Any]]] = {
            key: ([], [], []) for key in jobs
        }
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            ids, its_statuses, its_payloads = columns_by_owner[task.owner.owner]
            ids.append(task.client_id)
            its_statuses.append(status)
            its_payloads.append(payload)
        commands: list[Command] = []
        for key, columns in columns_by_owner.items():
            commands += self._put(jobs[key], *columns)
        return commands

    def consumed(self, event: OutcomesConsumed) -> list[Command]:
        """Forget outcomes that were consumed.

        :raises SchedulingError: if the owner was not given so many.
        """
        job = self.by_number.get(event.owner)
        if job is None:
            return []
        given = job.outbox.consumed(event.up_to)
        return [*self.record(event), *given]

    def bytes_consumed(self, event: BytesConsumed) -> list[Command]:
        """Take note that outcomes of so many bytes were dealt with."""
        job = self.by_number.get(event.owner)
        return job.outbox.bytes_consumed(event.size_bytes) if job is not None else []

    def attached(self, event: SessionAttached) -> list[Command]:
        """Have a session go on with a job."""
        job = self.by_number.get(event.owner)
        return job.outbox.attach() if job is not None else []

    def detached(self, event: SessionDetached) -> list[Command]:
        """Give nothing to a job that has no session."""
        job = self.by_number.get(event.owner)
        if job is not None:
            job.outbox.detach()
        return []

    def store_changed(self, event: StoreChanged) -> list[Command]:
        """Take note of what the store has."""
        self._budget.store = event
        return self.accept_more() + self.shortage.store_changed()

    def _put(self, job: JobRecord, ids: list[int], statuses: list[int], payloads: list[Any]) -> list[Command]:
        job.counts.add(statuses)
        given = job.outbox.put(ids, statuses, payloads)
        if self._is_recorded:
            return [Record(TasksEnded(job.owner, ids, statuses, payloads)), *given]
        return given
