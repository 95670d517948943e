"""What owners of tasks, hosts of task systems and slaves tell the master. Pure."""

from __future__ import annotations

from typing import Any, Final

from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages.directions import (
    FROM_ALL,
    FROM_APPLICATION,
    FROM_OWNER,
    FROM_SLAVE,
    FROM_SYSTEM,
)
from concurrent.scheduling.wire.messages.to_slave import DURABLE, OPTIONS, PROJECTS, USES
from concurrent.scheduling.wire.stretches import PackedTerms

__all__ = [
    "JOBS",
    "OPTIONS",
    "OUTPUT",
    "PROJECTS",
    "TERMS",
    "USES",
    "bars",
    "cancel",
    "cancel_tasksystem",
    "consumed",
    "consumed_to",
    "count_workers",
    "define_code",
    "detach_job",
    "done",
    "explain",
    "fits",
    "holding",
    "job_begun",
    "job_keys",
    "join_system",
    "lacks",
    "name_tasks",
    "output",
    "preparing",
    "printed",
    "progress",
    "project_part",
    "pull",
    "push_tasks",
    "push_tasksystem",
    "returned",
    "running",
    "set_window",
    "system_finished",
    "system_log",
    "system_notice",
    "system_progress",
    "system_stepped",
    "tasksystem_heard",
    "took",
    "uses",
    "workers",
]

TERMS: Final = "terms"
"""The feature of a master that takes more terms than ``attempts_max``."""

JOBS: Final = "jobs"
"""The feature of nodes that know how a program goes on with what another one has begun."""


OUTPUT: Final = "output"
"""The feature of a master that knows what tasks print."""


@FROM_OWNER.cast(feature=PROJECTS)
def define_code(index: int, blob: Payload) -> None:
    """Keep the next blob of the owner's code."""


@FROM_OWNER.cast(feature=TERMS)
def push_tasks(first_id: int, code_count: int, terms: PackedTerms, payloads: list[Payload]) -> None:
    """Accept tasks with the numbers ``first_id``, ``first_id + 1`` and so on; see ``stretches.py``."""


@FROM_OWNER.cast(feature=OPTIONS)
def cancel(ids: list[int], grace_s: float = 0.0) -> None:
    """Want nothing more of these tasks; those that run are asked first, and have so long, in seconds."""


@FROM_OWNER.call()
def explain(task_id: int) -> dict[str, Any]:
    """Return why a task does not run now, as the keys of ``Explanation`` (``tasks/explanation.py``)."""
    raise NotImplementedError


@FROM_OWNER.cast()
def consumed(size_bytes: int) -> None:
    """Have dealt with outcomes whose payloads have that size in all."""


@FROM_OWNER.cast(feature="consumed_to")
def consumed_to(up_to: int) -> None:
    """Have dealt with the outcomes up to this one; those of a registration are numbered from 1."""


@FROM_APPLICATION.hint(feature=USES)
def uses(modules: list[list[str]]) -> None:
    """Tell which installed modules the code names besides those that were told: each by its name, what it
    belongs to and the version of that; the last two are empty where nobody says."""


@FROM_APPLICATION.call()
def output(task_id: int) -> str:
    """Return the end of what a task has printed that runs or has ended; empty if nothing is known."""
    raise NotImplementedError


@FROM_APPLICATION.cast(feature=JOBS)
def name_tasks(first_id: int, keys: list[str]) -> None:
    """Keep texts by which a program that starts again knows its tasks, which come next."""


@FROM_APPLICATION.call()
def job_keys(first_id: int) -> dict[str, Any]:
    """Return the ids of named tasks from one on, as ``ids``, their ``keys``, and the ``next_id`` to ask for."""
    raise NotImplementedError


@FROM_APPLICATION.cast(feature=JOBS)
def job_begun(left_over: int) -> None:
    """Know that all was pushed that the program begins with."""


@FROM_APPLICATION.cast(feature=JOBS)
def detach_job() -> None:
    """Go on with the job when this session ends."""


@FROM_ALL.call()
def count_workers() -> int:
    """Return how many worker processes all slaves have together."""
    raise NotImplementedError


@FROM_APPLICATION.cast()
def push_tasksystem(system_id: int, code_count: int, payload: Payload) -> None:
    """Host a task system."""


@FROM_APPLICATION.cast(feature=JOBS)
def tasksystem_heard(system_id: int) -> None:
    """Have dealt with the outcome of a task system."""


@FROM_APPLICATION.cast()
def cancel_tasksystem(system_id: int) -> None:
    """End a task system."""


@FROM_SYSTEM.call()
def join_system(token: str) -> None:
    """Take in a host that was started for a task system."""


@FROM_SYSTEM.hint()
def system_progress(done: int, total: int) -> None:
    """Tell the application how far a task system is."""


@FROM_SYSTEM.hint()
def system_log(level: int, text: str) -> None:
    """Log what a task system has to say; the levels are those of Python's ``logging``."""


@FROM_SYSTEM.cast()
def system_stepped(consumed_to: int, next_id: int, checkpoint: Payload) -> None:
    """Be so far: have dealt with the outcomes up to a number, and have pushed the tasks below ``next_id``.

    The checkpoint is empty if the system cannot go on from there.
    """


@FROM_SYSTEM.hint()
def system_notice(text: str) -> None:
    """Tell the application what it should know of its task system."""


@FROM_SYSTEM.cast()
def system_finished(status: int, payload: Payload) -> None:
    """Bring home the outcome of a task system."""


@FROM_SLAVE.cast()
def done(numbers: list[int], statuses: list[int], payloads: list[Payload], task_s: float) -> None:
    """Report how attempts ended, and how long tasks took lately."""


@FROM_SLAVE.cast(feature=DURABLE)
def holding(running: list[int], finished: list[int]) -> None:
    """Tell, first of all, what the slave has from an earlier session: tasks, and outcomes which follow."""


@FROM_SLAVE.call()
def project_part(owner: int, index: int) -> Payload:
    """Return a part of a project, of an owner whose code the slave was sent."""
    raise NotImplementedError


@FROM_SLAVE.hint(feature="running")
def running(numbers: list[int], workers: list[int], run_s: list[float], notes: list[str]) -> None:
    """Tell of tasks that have run for a while, again and again while they do."""


@FROM_SLAVE.hint(feature="progress")
def progress(numbers: list[int], done: list[float], totals: list[float], texts: list[str]) -> None:
    """Tell how far tasks say that they are, a few times a second at most."""


@FROM_SLAVE.hint(feature=OUTPUT)
def printed(numbers: list[int], ends: list[str]) -> None:
    """Tell the end of what tasks have printed, before their outcomes."""


@FROM_SLAVE.cast()
def returned(numbers: list[int]) -> None:
    """Hand back tasks that have not started."""


@FROM_SLAVE.cast()
def took(numbers: list[int]) -> None:
    """Report what was taken from the work queue."""


@FROM_SLAVE.cast()
def pull(room: int) -> None:
    """Ask the work queue for so many tasks."""


@FROM_SLAVE.hint(feature="lacks")
def lacks(reason: str) -> None:
    """Tell why the slave wants no tasks: what its machine is short of; an empty text when that is over."""


@FROM_SLAVE.hint(feature=USES)
def fits(owner: int, missing: list[str], others: list[list[str]]) -> None:
    """Answer ``uses``: tell which of all these modules are missing, and which are of another version: the
    name, the version here, and that of the program."""


@FROM_SLAVE.hint(feature="preparing")
def preparing(owner: int, state: str, words: str) -> None:
    """Tell that tasks of an owner wait until its project or its environment is here (``waits``), or cannot run
    here for want of it (``failed``), and what a person should know of that; both are empty when it is here."""


@FROM_SLAVE.hint(feature="bars")
def bars(names: list[str], jobs: list[int], counts: list[list[int]], times: list[list[float]]) -> None:
    """Tell what workers have run, once a second at most, in columns.

    ``counts`` are the processes of workers, places in ``names`` and ``jobs``, how many runs there were and how
    many failed; ``times`` how long ago the first began, how long it was to the end of the last, and how much of
    that the runs took, in seconds.
    """


@FROM_SLAVE.hint(feature="workers")
def workers(
    counts: list[list[int]], figures: list[list[float]], gone: list[int], machine: dict[str, Any]
) -> None:
    """Tell what has changed of workers and their machine, once a second at most.

    ``counts`` are the processes of workers, bytes of memory, the task that each has run for a while or -1, and
    how many it has done; ``figures`` how many processors it used, and how long that task has run, in seconds.
    """


@FROM_SLAVE.cast()
def set_window(window: int) -> None:
    """Want to hold so many tasks from now on."""
