"""The jobs of a master: what was accepted of each, and the outcomes that it has not consumed. Pure.

A job is what one owner, an application or a task system, has the master do. It has a number of its own; a
session is attached to it or not. If there is a journal, a job that may outlive its session is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final

from concurrent.core.errors import JobTaken, SchedulingError
from concurrent.scheduling.ledger.acceptance import Acceptance
from concurrent.scheduling.ledger.alarms import Alarms
from concurrent.scheduling.ledger.budget import Budget
from concurrent.scheduling.ledger.events import (
    Accept,
    BytesConsumed,
    Command,
    JobNoted,
    OutcomesConsumed,
    OutcomesRecalled,
    OwnerJoined,
    Record,
    SessionAttached,
    SessionDetached,
    StoreChanged,
    SystemPushed,
    SystemStepped,
    TasksEnded,
    TasksRetried,
    TasksSubmitted,
    TasksTried,
)
from concurrent.scheduling.ledger.failures import Failure, in_few_words
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.keptoutbox import KeptOutbox
from concurrent.scheduling.ledger.outbox import Outbox
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.ledger.shortage import Shortage
from concurrent.scheduling.ledger.taskqueue import TaskQueue
from concurrent.scheduling.ledger.watching import NOWHERE, IWatcher, Where
from concurrent.scheduling.tasks.outcome import DIED, FAILED, OUT_OF_MEMORY, RETRIABLE, TIMED_OUT, Ended

__all__ = ["TASK_OUT_OF_MEMORY", "TASK_TIMEOUT", "WORKER_DIED", "Jobs", "ReadFailure"]

ReadFailure = Callable[[Any], Failure | None]

WORKER_DIED: Final = "WorkerDied"
TASK_TIMEOUT: Final = "TaskTimeout"
TASK_OUT_OF_MEMORY: Final = "TaskOutOfMemory"
"""What stands for the type of an exception if there was none."""

KIND_BY_LIMIT: Final = {TIMED_OUT: TASK_TIMEOUT, OUT_OF_MEMORY: TASK_OUT_OF_MEMORY}


class Jobs:
    """See the module.

    ``by_number`` has the jobs, and ``is_recorded`` tells whether there is a journal. ``submitted_count`` and
    ``submitted_bytes`` count what was submitted ever. ``watcher`` is told how tasks end; None if nobody is.

    :param budget: what the master may keep.
    :param queue: where the tasks of a new job wait.
    :param is_recorded: whether the commands say what a journal has to keep, see :class:`Record`.
    :param read_failure: returns what a failure says, from its payload; None if it cannot.
    """

    def __init__(
        self,
        budget: Budget,
        alarms: Alarms,
        queue: TaskQueue,
        *,
        is_recorded: bool,
        read_failure: ReadFailure | None = None,
    ) -> None:
        self.by_number: dict[int, JobRecord] = {}
        self.acceptance = Acceptance()
        self.shortage = Shortage(alarms, self.acceptance, budget)
        self.submitted_count = 0
        self.submitted_bytes = 0
        self.watcher: IWatcher | None = None
        self._budget = budget
        self._queue = queue
        self.is_recorded = is_recorded
        self._read_failure = read_failure

    @property
    def undelivered_count(self) -> int:
        """How many outcomes were not given to their owners."""
        return sum(job.outbox.waiting_count for job in self.by_number.values())

    def begin(self, event: OwnerJoined) -> list[Command]:
        """Begin a job, with a session attached."""
        key = event.owner
        if not self.is_recorded or event.job is None:
            outbox = Outbox(key, self._budget)
            self.by_number[key] = JobRecord(key, event.name, outbox, self._queue, weight=event.weight)
            return []
        life = JobLife(event.job, KeptOutbox(key, self._budget))
        self.by_number[key] = JobRecord(key, event.name, life.outbox, self._queue, life, event.weight)
        return [Record(event)]

    def record(self, event: Any) -> list[Command]:
        """Take note of what is recorded of a job besides its tasks and outcomes, if it is one that is."""
        job = self.by_number.get(event.owner)
        if job is None or job.life is None:
            return []
        self.take(job, job.life, event)
        return [Record(event)]

    def take(self, job: JobRecord, life: JobLife, event: Any) -> None:
        """Take note of what is recorded of a job: when it happens, or when it is told again."""
        life.take(event)
        if type(event) is SystemPushed:
            application = self.by_number.get(event.application)
            if application is not None and application.life is not None:
                application.life.systems.add(job.owner)

    def note(self, job: JobRecord, life: JobLife) -> list[Command]:
        """Return what has a journal keep what is remembered of a job, if that has changed."""
        if not life.is_changed:
            return []
        life.is_changed = False
        past = life.of_systems
        columns = past.finished, past.failed, past.cancelled
        return [Record(JobNoted(job.owner, life.first_run_at, life.failures.rows(), *columns))]

    def has_open_system(self, life: JobLife) -> bool:
        """Whether a job has a task system that has not ended."""
        lives = (self.by_number[owner].life for owner in life.systems)
        return any(one is not None and not one.has_ended for one in lives)

    def end(self, owner: int) -> JobRecord | None:
        """End a job: nothing is kept of its outcomes; None if there is no such."""
        job = self.by_number.pop(owner, None)
        if job is not None:
            self.acceptance.forget(owner)
            job.outbox.close()
            if job.life is not None and (application := self.by_number.get(job.life.application)):
                assert application.life is not None
                application.life.systems.discard(owner)
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
        is_kept = self.by_number[event.owner].is_kept
        if is_kept:
            self._budget.kept_count += count
        commands = self.submission(event) if self.is_recorded else []
        if not self.acceptance.batches and self._budget.has_room(is_kept=is_kept):
            commands.append(Accept(event.owner, last_id))
        else:
            self.acceptance.add(event.owner, last_id, count, size_bytes, is_kept=is_kept)
        return commands

    def submission(self, event: TasksSubmitted) -> list[Command]:
        """Return what has a journal keep tasks, with the numbers that they were given."""
        job = self.by_number[event.owner]
        if job.life is None or not event.payloads:
            return []
        number = job.number_by_id[event.first_id]
        kept = TasksSubmitted(
            event.owner, event.first_id, event.payloads, event.terms, event.changes, number, event.at
        )
        return [Record(kept)]

    def tried(self, tasks: list[TaskRecord]) -> list[Command]:
        """Return what has a journal keep that workers died of tasks."""
        if self.watcher is not None and tasks:
            evidence = [(task, task.evidence[-1]) for task in tasks]
            self.watcher.tried([(task, DIED, self._failure(DIED, words)) for task, words in evidence])
        commands: list[Command] = []
        for owner, group in groupby(sorted(tasks, key=_owner_of), key=_owner_of):
            of_one = list(group)
            ids = [task.client_id for task in of_one]
            commands += self.record(TasksTried(owner, ids, [task.evidence[-1] for task in of_one]))
        return commands

    def retried(self, tasks: list[TaskRecord], at: list[float]) -> list[Command]:
        """Return what has a journal keep that tasks are tried again.

        :param at: when each, in seconds since the epoch.
        """
        commands: list[Command] = []
        rows = sorted(zip(tasks, at, strict=True), key=lambda row: row[0].owner.owner)
        for owner, group in groupby(rows, key=lambda row: row[0].owner.owner):
            of_one, times = map(list, zip(*group, strict=True))
            ids, tries = [task.client_id for task in of_one], [task.tries for task in of_one]
            commands += self.record(TasksRetried(owner, ids, tries, times))
        return commands

    def reasons_of(self, retried: list[tuple[TaskRecord, int, Any]]) -> list[str]:
        """Return why tasks are tried again, in a few words: what they raised, or which limit they passed.

        :param retried: each with the status and the payload of the try that has ended.
        """
        tries = [(task, status, self._failure(status, payload)) for task, status, payload in retried]
        if self.watcher is not None:
            self.watcher.tried(tries)
        return [_reason(status, failure) for _, status, failure in tries]

    def accept_more(self) -> list[Command]:
        """Accept what waits, the oldest first, as far as there is room."""
        accepted: dict[int, Command] = {}
        for is_kept in (False, True):
            if self.acceptance.batches and self._budget.has_room(is_kept=is_kept):
                for owner, last_id in self.acceptance.take(is_kept=is_kept):
                    accepted[owner] = Accept(owner, last_id)
        if self.acceptance.batches:
            self.shortage.note()
        return list(accepted.values())

    def ended(
        self, tasks: list[TaskRecord], statuses: list[int], payloads: list[Any], where: Where = NOWHERE
    ) -> list[Command]:
        """Keep the outcomes of tasks until they are consumed; return what their owners are given now.

        :param tasks: at least one, all of which have ended.
        """
        if len(tasks) == 1:
            task = tasks[0]
            return self._put(task.owner, tasks, [task.client_id], statuses, payloads, where=where)
        if len(self.by_number) == 1 or len(jobs := {task.owner.owner: task.owner for task in tasks}) == 1:
            ids: list[int] = []
            for task in tasks:
                ids.append(task.client_id)
            return self._put(task.owner, tasks, ids, statuses, payloads, where=where)
        columns_by_owner: dict[int, tuple[list[TaskRecord], list[int], list[int], list[Any]]] = {
            key: ([], [], [], []) for key in jobs
        }
        for task, status, payload in zip(tasks, statuses, payloads, strict=True):
            its_tasks, ids, its_statuses, its_payloads = columns_by_owner[task.owner.owner]
            its_tasks.append(task)
            ids.append(task.client_id)
            its_statuses.append(status)
            its_payloads.append(payload)
        commands: list[Command] = []
        for key, columns in columns_by_owner.items():
            commands += self._put(jobs[key], *columns, where=where)
        return commands

    def consumed(self, event: OutcomesConsumed) -> list[Command]:
        """Forget outcomes that were consumed.

        :raises SchedulingError: if the owner was not given so many.
        """
        job = self.by_number.get(event.owner)
        if job is None:
            return []
        if job.life is None:
            return job.outbox.consumed(event.up_to)
        if job.life.spec.kind == "system":
            return job.life.outbox.read(event.up_to)
        return self._consumed(job, event.up_to)

    def stepped(self, event: SystemStepped) -> list[Command]:
        """Have a journal keep how far a task system is, and forget what it has dealt with by then.

        :raises SchedulingError: if the system was not given so many outcomes.
        """
        job = self.by_number.get(event.owner)
        if job is None or job.life is None:
            return []
        return [Record(event), *self._consumed(job, event.consumed_to)]

    def _consumed(self, job: JobRecord, up_to: int) -> list[Command]:
        before = job.outbox.consumed_to
        given = job.outbox.consumed(up_to)
        if job.outbox.consumed_to == before:
            return given
        noted = self.note(job, job.life) if job.life is not None else []  # it says how those failed that go now
        counts = job.counts
        columns = job.next_id, counts.finished, counts.failed, counts.cancelled
        return [*noted, Record(OutcomesConsumed(job.owner, up_to, *columns)), *given]

    def recalled(self, event: OutcomesRecalled) -> list[Command]:
        """Give outcomes to their owner that came back from the journal."""
        job = self.by_number.get(event.owner)
        return job.life.outbox.recalled(event) if job is not None and job.life is not None else []

    def bytes_consumed(self, event: BytesConsumed) -> list[Command]:
        """Take note that outcomes of so many bytes were dealt with."""
        job = self.by_number.get(event.owner)
        return job.outbox.bytes_consumed(event.size_bytes) if job is not None else []

    def attached(self, event: SessionAttached) -> list[Command]:
        """Have a session go on with a job.

        :raises JobTaken: if it is not the newest one, and does not take the job over.
        """
        job = self.by_number.get(event.owner)
        if job is None:
            return []
        life = job.life
        if life is None:
            return job.outbox.attach()
        if event.attachment not in (0, life.attachment) and not life.never_heard(event):
            raise JobTaken(
                f"another program has taken job {life.spec.name or life.spec.job_id} over",
                thing="attachment",
                value=event.attachment,
                remedy="Two programs never share a job; attach to it anew to take it over",
            )
        attached = SessionAttached(event.owner, life.attachment + 1, event.from_start, event.node)
        life.take(attached)
        life.is_attached = True
        from_start = event.from_start and life.spec.keeps_results
        return [Record(attached), *life.outbox.attach(from_start=from_start)]

    def detached(self, event: SessionDetached) -> list[Command]:
        """Give nothing to a job that has no session."""
        job = self.by_number.get(event.owner)
        if job is not None:
            job.outbox.detach()
            if job.life is not None:
                job.life.is_attached = False
        return []

    def store_changed(self, event: StoreChanged) -> list[Command]:
        """Take note of what the store has."""
        self._budget.store = event
        return self.accept_more() + self.shortage.store_changed()

    def failures(self, statuses: Iterable[int], payloads: Iterable[Any]) -> list[Failure | None]:
        """Return what outcomes say that are failures; others may be among them."""
        return [self._failure(status, payload) for status, payload in zip(statuses, payloads, strict=True)]

    def failed(self, life: JobLife, names: Iterable[str], failures: Iterable[Failure | None]) -> None:
        """Remember how tasks failed that have these names; others may be among them."""
        for name, failure in zip(names, failures, strict=True):
            if failure is not None:
                life.failures.note(name, failure.type, failure.words)
        life.is_changed = True

    def _failure(self, status: int, payload: Any) -> Failure | None:
        """Return what an outcome says; None if it is no failure, or nobody reads that."""
        if status == DIED:
            return Failure(WORKER_DIED, bytes(payload).decode(errors="replace").replace("\0", "\n"))
        if status in KIND_BY_LIMIT:
            ended = Ended.read(bytes(payload))
            return Failure(KIND_BY_LIMIT[status], ended.reason, ended.output, ended.where)
        if status not in (FAILED, RETRIABLE) or self._read_failure is None or not len(payload):
            return None
        return self._read_failure(payload) or Failure()

    def _put(
        self,
        job: JobRecord,
        tasks: list[TaskRecord],
        ids: list[int],
        statuses: list[int],
        payloads: list[Any],
        *,
        where: Where,
    ) -> list[Command]:
        failed_count = job.counts.failed
        job.counts.add(statuses)
        failures = self.failures(statuses, payloads) if job.counts.failed != failed_count else ()
        given = job.outbox.put(ids, statuses, payloads)
        if self.watcher is not None:
            self.watcher.ended(tasks, ids, statuses, failures, where)
        if job.life is not None:
            if job.is_kept:
                self._budget.kept_count -= len(ids)
            if failures:
                self.failed(job.life, [task.terms.name for task in tasks], failures)
            first = job.life.outbox.ended_to - len(ids) + 1
            return [Record(TasksEnded(job.owner, ids, statuses, payloads, first)), *given]
        return given


def _owner_of(task: TaskRecord) -> int:
    return task.owner.owner


def _reason(status: int, failure: Failure | None) -> str:
    if status in KIND_BY_LIMIT and failure is not None:
        return failure.text
    return f"it raised {in_few_words(failure.type, failure.words)}" if failure is not None else "it raised"
