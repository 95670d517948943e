"""Which open tasks somebody means, and may touch: by their names, or all of a job, a function, an application.

Loop thread only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from concurrent.apps.programrecord import ProgramRecord
from concurrent.core.errors import InvalidArguments, NodeError
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.ledger.counts import OutcomeCounts
from concurrent.scheduling.ledger.records import JobRecord, TaskRecord
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.tasks.outcome import CANCELLED, FINISHED
from concurrent.transport.security.identity import Identity

__all__ = ["NAMED_MAX", "Chosen", "TaskChoice", "open_task", "parts_of"]

NAMED_MAX: Final = 10_000
"""So many tasks may be named at once."""


class Chosen(NamedTuple):
    """Open tasks, each once, how many of those that were named are not open, and how many have failed."""

    tasks: list[TaskRecord]
    not_open: int = 0
    failed: int = 0


@dataclass(frozen=True)
class TaskChoice:
    """Which tasks somebody means. What is empty leaves nothing out; it must not all be empty.

    :param tasks: ``JOB/ID``, or the number of a task at the master, each.
    :param job: the id or the name of a job, or the name of a program all of which ends with it.
    :param function: what tasks are called.
    :param application: what owners are called: programs, jobs, or the application that was started.
    """

    tasks: tuple[str, ...] = ()
    job: str = ""
    function: str = ""
    application: str = ""

    def __str__(self) -> str:
        parts = [f"tasks {', '.join(self.tasks)}"] if self.tasks else []
        named = (("job", self.job), ("function", self.function), ("application", self.application))
        return ", ".join([*parts, *(f"{what} {name}" for what, name in named if name)])

    def of(self, dispatcher: Dispatcher, identity: Identity) -> Chosen:
        """Return the tasks that are meant, as far as somebody may touch them.

        :raises InvalidArguments: if nothing is meant, or a text names no task.
        :raises JobUnknown: if there is no such job.
        :raises NodeError: if there is no application or function of that name.
        """
        if not str(self):
            raise InvalidArguments(
                "no task is meant",
                thing="tasks",
                remedy="Name tasks, a job, a function or an application",
            )
        chosen = self._named(dispatcher, identity) if self.tasks else self._all(dispatcher, identity)
        if not self.function:
            return chosen
        names = {task.terms.name for task in chosen.tasks}
        if self.function not in names and chosen.tasks:
            raise NodeError(
                f"none of {len(chosen.tasks):,} open tasks is called {self.function!r:.100}",
                thing="function",
                value=self.function,
                remedy=f"{did_you_mean(self.function, sorted(names))}'concurrent tasks' shows what is open",
            )
        tasks = [task for task in chosen.tasks if task.terms.name == self.function]
        return Chosen(tasks, chosen.not_open, chosen.failed)

    def _named(self, dispatcher: Dispatcher, identity: Identity) -> Chosen:
        if self.job or self.application:
            raise InvalidArguments(
                "tasks are named, and a job or an application too",
                thing="tasks",
                value=", ".join(self.tasks),
                remedy="Name the tasks of a job as JOB/ID",
            )
        if len(self.tasks) > NAMED_MAX:
            raise InvalidArguments(
                f"up to {NAMED_MAX:,} tasks may be named at once, but there are {len(self.tasks):,}",
                thing="tasks",
                value=len(self.tasks),
                remedy="Name a job, a function or an application, or call it several times",
            )
        found: dict[int, TaskRecord] = {}
        missing: list[str] = []
        for text in self.tasks:
            task = open_task(text, dispatcher, identity)
            if task is None:
                missing.append(text)
            else:
                found[task.number] = task
        return Chosen(list(found.values()), len(missing), _failed_count(missing, dispatcher, identity))

    def _all(self, dispatcher: Dispatcher, identity: Identity) -> Chosen:
        ledger, jobs = dispatcher.ledger, dispatcher.jobs
        owners: Iterable[JobRecord] = ledger.owners.values()
        if self.job:
            owners = [jobs.program(self.job, identity)]
        of_mine = [one for one in owners if jobs.may_see(one, identity)]
        if self.application:
            of_mine = _of_application(of_mine, self.application)
        parts = dict.fromkeys(part for one in of_mine for part in _with_systems(one, dispatcher))
        numbers = (number for part in parts for number in part.number_by_id.values())
        failed = sum(self._failed(dispatcher.ended.counts_by_job.get(part.owner, {})) for part in parts)
        return Chosen([ledger.task_by_number[number] for number in numbers], failed=failed)

    def _failed(self, counts: Mapping[str, OutcomeCounts]) -> int:
        """Return how many tasks of a job have failed that are called as is wanted."""
        return sum(one.failed for name, one in counts.items() if self.function in ("", name))


def parts_of(text: str) -> tuple[str, int]:
    """Return the job and the number of the task that a text names; of no job it is its number at the master.

    :raises InvalidArguments: if it names no task.
    """
    from concurrent.scheduling.tasks.explanation import is_task  # a master that nobody asks needs none

    if not is_task(text):
        raise InvalidArguments(
            f"{text!r:.100} names no task",
            thing="task",
            value=text,
            remedy="Write JOB/ID, or the number of a task at the master",
        )
    job, _, number = text.rpartition("/")
    return job, int(number)


def open_task(text: str, dispatcher: Dispatcher, identity: Identity) -> TaskRecord | None:
    """Return the open task that a text names, if somebody may touch it; None if it is not open.

    :param text: ``JOB/ID``, or its number at the master.
    :raises InvalidArguments: if it names no task.
    :raises JobUnknown: if there is no such job.
    """
    tasks = dispatcher.ledger.task_by_number
    job, number = parts_of(text)
    if job:
        found = dispatcher.jobs.program(job, identity).number_by_id.get(number)
        return tasks[found] if found is not None else None
    task = tasks.get(number)
    return task if task is not None and dispatcher.jobs.may_see(task.owner, identity) else None


def _failed_count(texts: Iterable[str], dispatcher: Dispatcher, identity: Identity) -> int:
    """Return how many of some tasks that are not open are known to have failed."""
    named = [(job, number) for job, number in map(parts_of, texts) if job]
    if not named:
        return 0
    owner_by_job = {job: dispatcher.jobs.program(job, identity).owner for job in {job for job, _ in named}}
    failed = {
        (task.job.owner, task.id)
        for task in dispatcher.ended.tasks.unfinished()
        if task.status not in (FINISHED, CANCELLED)
    }
    return sum((owner_by_job[job], number) in failed for job, number in named)


def _with_systems(job: JobRecord, dispatcher: Dispatcher) -> list[JobRecord]:
    owners = dispatcher.ledger.owners
    return [job, *(owners[number] for number in dispatcher.jobs.systems_of(job) if number in owners)]


def _of_application(owners: list[JobRecord], name: str) -> list[JobRecord]:
    names_by_owner = {one: _names_of(one) for one in owners}
    found = [one for one, names in names_by_owner.items() if name in names]
    if not found:
        known = sorted(set().union(*names_by_owner.values()))
        raise NodeError(
            f"there is no application {name!r:.100} of yours at this master",
            thing="application",
            value=name,
            remedy=f"{did_you_mean(name, known)}'concurrent status' shows those that there are",
        )
    return found


def _names_of(owner: JobRecord) -> set[str]:
    """Return what an owner may be called: its title, its node, and what was typed to start its program."""
    names = {owner.title, owner.name}
    if owner.life is not None:
        program = ProgramRecord.from_json(owner.life.spec.program).application
        source, _, cls = program.rpartition(":")
        names |= {program, cls, Path(source or program).stem}
    return names - {""}
