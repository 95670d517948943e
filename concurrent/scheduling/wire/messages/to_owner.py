"""What the master tells owners of tasks: applications, and hosts of task systems. Pure."""

from __future__ import annotations

from typing import Final

from concurrent.scheduling.wire.columns import Payload
from concurrent.scheduling.wire.messages.directions import TO_APPLICATION, TO_OWNER
from concurrent.scheduling.wire.messages.to_master import JOBS

__all__ = [
    "JOB_FORGOTTEN",
    "JOB_TAKEN",
    "NOTICE",
    "accepted",
    "finished",
    "held",
    "notice",
    "progress",
    "recalled",
    "recalled_code",
    "running",
    "tasksystem_accepted",
    "tasksystem_finished",
    "tasksystem_progress",
    "waiting",
]

NOTICE: Final = "notice"
"""The feature of applications that want to know what goes wrong with their tasks at the master."""

JOB_FORGOTTEN: Final = "the job is forgotten"
JOB_TAKEN: Final = "another program has taken the job over"
"""Why the session of a program is ended that has its job no more; it is told all when it comes back."""


@TO_OWNER.cast()
def accepted(last_id: int) -> None:
    """Answer for all tasks up to this number from now on."""


@TO_OWNER.cast()
def finished(ids: list[int], statuses: list[int], payloads: list[Payload], accepted_to: int) -> None:
    """Bring outcomes, and answer for all tasks up to ``accepted_to``, -1 for none."""


@TO_OWNER.hint(feature="held")
def held(reason: str) -> None:
    """Tell why nothing more is accepted for now; the next ``accepted`` ends that."""


@TO_APPLICATION.cast(feature=JOBS)
def recalled_code(index: int, blob: Payload) -> None:
    """Bring a blob of the code of the job, which a former program has sent; before what refers to it."""


@TO_OWNER.cast(feature=JOBS)
def recalled(ids: list[int], payloads: list[Payload]) -> None:
    """Bring tasks that a former program has pushed; before their outcomes."""


@TO_APPLICATION.hint(feature=NOTICE)
def notice(text: str) -> None:
    """Tell what goes wrong with the tasks at the master."""


@TO_APPLICATION.hint(feature="running")
def running(ids: list[int]) -> None:
    """Tell once of tasks that have run for a while."""


@TO_APPLICATION.hint(feature="waiting")
def waiting(ids: list[int]) -> None:
    """Tell that tasks which ran wait again, for their next tries or another slave."""


@TO_APPLICATION.hint(feature="progress")
def progress(ids: list[int], done: list[float], totals: list[float], texts: list[str]) -> None:
    """Tell how far tasks say that they are."""


@TO_APPLICATION.cast()
def tasksystem_accepted(system_id: int) -> None:
    """Tell that a task system has a process."""


@TO_APPLICATION.hint()
def tasksystem_progress(system_id: int, done: int, total: int) -> None:
    """Tell how far a task system says that it is."""


@TO_APPLICATION.cast()
def tasksystem_finished(system_id: int, status: int, payload: Payload) -> None:
    """Bring the outcome of a task system."""
