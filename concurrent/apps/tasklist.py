"""Lists of tasks: those that run, then those that failed, in each state the newest first. Loop thread only.

Rows are made of those tasks only that are shown. What waits by the hundred thousand is not looked at one by
one: how many there are is known of each function of each job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from concurrent.apps.jobnames import names_of_jobs, numbers_called
from concurrent.apps.observed import (
    BETWEEN_TRIES,
    CANCELLED,
    FAILED,
    FINISHED,
    RUNNING,
    STATES,
    WAITING,
    TaskRow,
    TasksList,
)
from concurrent.apps.progresslist import progress_parts
from concurrent.core.errors import InvalidArguments
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.ledger.records import TaskRecord
from concurrent.scheduling.ledger.states import TaskState
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import may_read
from concurrent.scheduling.tasks import outcome
from concurrent.scheduling.telemetry.endedtasks import EndedTask
from concurrent.transport.security.identity import Identity

__all__ = ["LIMIT_MAX", "TaskFilter", "TaskLister", "check_part", "checked_filter"]

LIMIT_MAX: Final = 1000
"""So many rows are listed at a time."""

LOOKED_MAX: Final = 100_000
"""So many open tasks are looked at for those that are wanted."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks are wanted: those of a state, function and job if one is named, and which part of them."""

    state: str = ""
    function: str = ""
    job: str = ""
    limit: int = 100
    offset: int = 0


def checked_filter(state: str, function: str, job: str, limit: int, offset: int, *, failed: bool) -> TaskFilter:
    """Return what is wanted, as a caller says it.

    :raises InvalidArguments: if there is no such state or part of a list.
    """
    if failed and state not in ("", FAILED):
        raise InvalidArguments(f"a task that is {state!r:.100} has not failed", thing="state", value=state)
    if state and state not in STATES:
        raise InvalidArguments(
            f"no task is {state!r:.100}",
            thing="state",
            value=state,
            remedy=f"{did_you_mean(state, STATES)}Use one of {', '.join(STATES)}",
        )
    check_part(limit, offset)
    return TaskFilter(FAILED if failed else state, function, job, limit, offset)


def check_part(limit: int, offset: int = 0, limit_max: int = LIMIT_MAX) -> None:
    """Raise InvalidArguments unless a list can have a part of up to ``limit`` rows from ``offset`` on."""
    if not (1 <= limit <= limit_max and offset >= 0):
        raise InvalidArguments(
            f"limit must be from 1 to {limit_max} and offset from 0 on, but they are {limit} and {offset}",
            thing="limit",
            value=limit,
        )


class TaskLister:
    """See the module. Make one for each moment that is asked about.

    :param identity: who asks.
    :param at: the time of day, in seconds since the epoch.
    """

    def __init__(self, dispatcher: Dispatcher, identity: Identity, at: float) -> None:
        self._dispatcher = dispatcher
        self._ledger = dispatcher.ledger
        self._identity = identity
        self._at = at
        self._names = names_of_jobs(self._ledger.owners)
        self._begun = self._ledger.running.begun_by_slave(self._ledger.slaves)

    def list(self, wanted: TaskFilter) -> TasksList:
        """Return the tasks that are wanted."""
        owners = numbers_called(self._dispatcher, wanted.job) if wanted.job else None

        def has_task(task: TaskRecord) -> bool:
            return (owners is None or task.owner.owner in owners) and (
                not wanted.function or task.terms.name == wanted.function
            )

        def has_ended(task: EndedTask) -> bool:
            return (owners is None or task.job.owner in owners or task.job.name == wanted.job) and (
                not wanted.function or task.name == wanted.function
            )

        rows: list[TaskRow] = []
        known = total = 0
        skip = wanted.offset
        counts = self._counts(owners, wanted.function)
        for state in (wanted.state,) if wanted.state else STATES:
            if state in (RUNNING, BETWEEN_TRIES, WAITING):
                tasks: Iterable[TaskRow] = map(self.open_row, filter(has_task, self._open(state)))
                here = min(counts[state], LOOKED_MAX)
            else:
                ended = [one for one in self._ended(state) if has_ended(one)]
                tasks, here = map(self.ended_row, ended), len(ended)
            total += max(counts[state], here)
            known += here
            missing = wanted.limit - len(rows)
            if missing and skip < here:
                rows += islice(tasks, skip, skip + missing)
            skip = max(0, skip - here)
        return TasksList(tuple(rows), total, max(0, total - wanted.offset - len(rows)), known)

    def open_row(self, task: TaskRecord) -> TaskRow:
        """Return the row of an open task."""
        slave = self._ledger.slaves.get(task.slave) if task.state is TaskState.HELD else None
        state, worker, since_at, words = WAITING, 0, 0.0, ""
        is_yours = self.may_touch(task)
        if task.state is TaskState.WAITING:
            state = BETWEEN_TRIES
            words = self._ledger.places.retries.waiting[task.number].reason
        elif slave is not None and task.number in self._begun.get(slave.slave, ()):
            state = RUNNING
            worker, since_at = self._run_of(task)
            words = self._dispatcher.news.progress_of(task.number)
        return TaskRow(
            task=task.number,
            id=task.client_id,
            owner=task.owner.owner,
            job=self._names[task.owner.owner],
            name=task.terms.name,
            state=state,
            slave=slave.name if slave is not None else "",
            worker=worker,
            since_at=since_at,
            tries=task.tries,
            deaths=len(task.evidence),
            exception="",
            words=words if is_yours else "",
            is_yours=is_yours,
            run_s=0.0,
            usual_s=0.0,
        )

    def ended_row(self, task: EndedTask) -> TaskRow:
        """Return the row of a task that has ended."""
        is_yours = may_read(task.job.maker, self._identity)
        worker, began_at = self._last_runs.get((task.job.owner, task.id), (0, 0.0))
        return TaskRow(
            task=0,
            id=task.id,
            owner=task.job.owner,
            job=self._names.get(task.job.owner, task.job.name),
            name=task.name,
            state=_state_of(task),
            slave=task.slave,
            worker=worker,
            since_at=task.at,
            tries=task.tries,
            deaths=task.deaths,
            exception=task.exception,
            words=task.words if is_yours else "",
            is_yours=is_yours,
            run_s=max(0.0, task.at - began_at) if began_at else 0.0,
            usual_s=task.usual_s,
        )

    @cached_property
    def _last_runs(self) -> dict[tuple[int, int], tuple[int, float]]:
        return self._ledger.running.last_runs()

    def may_touch(self, task: TaskRecord) -> bool:
        """Tell whether who asks may read what a task says."""
        return may_read(self._dispatcher.ended.mark_of(task.owner).maker, self._identity)

    def _run_of(self, task: TaskRecord) -> tuple[int, float]:
        """Return the process that runs a task, and since when; zeros if that is not known."""
        run = self._ledger.running.row(task.number, self._ledger.slaves, self._at)
        if run is not None:
            return run.worker, self._at - run.run_s
        facts = self._dispatcher.observatory.workers.facts_by_slave.get(task.slave)
        for worker in facts.worker_by_pid.values() if facts is not None else ():
            if worker.task == task.number:
                return worker.worker, worker.since_at
        return 0, 0.0

    def _counts(self, owners: set[int] | None, function: str) -> dict[str, int]:
        counts = dict.fromkeys(STATES, 0)
        for part in progress_parts(self._dispatcher):
            if (owners is None or part.job.owner in owners) and (not function or part.name == function):
                counts[RUNNING] += part.opened.running
                counts[FAILED] += part.ended.failed
                counts[BETWEEN_TRIES] += part.opened.between_tries
                counts[WAITING] += part.opened.waiting
                counts[CANCELLED] += part.ended.cancelled
                counts[FINISHED] += part.ended.finished
        return counts

    def running(self) -> Sequence[int]:
        """Return the numbers of the tasks that run, the newest first."""
        return sorted((number for begun in self._begun.values() for number in begun), reverse=True)

    def job_name(self, owner: int) -> str:
        """Return by which name the tasks of a job that is there are known."""
        return self._names[owner]

    def _open(self, state: str) -> Iterator[TaskRecord]:
        """Iterate over open tasks in a state, the newest first."""
        tasks = self._ledger.task_by_number
        if state == RUNNING:
            return (tasks[number] for number in self.running())
        if state == BETWEEN_TRIES:
            return (tasks[number] for number in reversed(self._ledger.places.retries.waiting))
        return filter(self._waits, islice(reversed(tasks.values()), LOOKED_MAX))

    def _waits(self, task: TaskRecord) -> bool:
        if task.state is TaskState.HELD:
            return task.number not in self._begun.get(task.slave, ())
        return task.state is not TaskState.WAITING

    def _ended(self, state: str) -> Iterator[EndedTask]:
        """Iterate over tasks that ended in a state, the latest first."""
        tasks = self._dispatcher.ended.tasks
        if state == FINISHED:
            return tasks.finished()
        return (task for task in tasks.unfinished() if _state_of(task) == state)


def _state_of(task: EndedTask) -> str:
    if task.status == outcome.FINISHED:
        return FINISHED
    return CANCELLED if task.status == outcome.CANCELLED else FAILED
