"""Asks a master what a running cluster does, over its JSON API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from concurrent.apps.observed import (
    FailuresStatus,
    NowStatus,
    OutputsList,
    OutputStatus,
    ProgressStatus,
    SlaveLog,
    TaskDetails,
    TasksList,
    WorkersList,
)
from concurrent.apps.steermaster import SteerMaster
from concurrent.core.errors import NodeError
from concurrent.core.nearest import did_you_mean

__all__ = ["ObserveMaster"]

VIEW_TIMEOUT_S: Final = 60.0


class ObserveMaster(SteerMaster):
    """See the module; a context. All methods wait, and raise ConcurrentError if the master does not answer."""

    def now(self) -> NowStatus:
        """Return whether the cluster moves, and if not, why."""
        return NowStatus.from_json(self._call("now"))

    def progress(self, job: str = "") -> ProgressStatus:
        """Return how far each function of each job is, or of one job."""
        return ProgressStatus.from_json(self._call("progress", job))

    def tasks(self, **wanted: Any) -> TasksList:
        """Return tasks.

        :param wanted: ``state``, ``function``, ``job``, ``failed``, ``limit``, ``offset``.
        :raises NodeError: if there is no job or function of that name, with the nearest one.
        """
        found = TasksList.from_json(self._call("tasks", **wanted))
        if not found.total and (wanted.get("job") or wanted.get("function")):
            self._check_names(wanted.get("job", ""), wanted.get("function", ""))
        return found

    def workers(self) -> WorkersList:
        """Return the slaves and their workers."""
        return WorkersList.from_json(self._call("workers"))

    def failures(self) -> FailuresStatus:
        """Return failures by job, function and exception."""
        return FailuresStatus.from_json(self._call("failures"))

    def task(self, task: str) -> TaskDetails:
        """Return all that is known of a task: ``JOB/ID``, or its number at the master."""
        return TaskDetails.from_json(self._call("task", task))

    def output(self, task: str) -> OutputStatus:
        """Return the end of what a task has printed."""
        return OutputStatus.from_json(self._call("output", task))

    def outputs(self, job: str, **wanted: Any) -> OutputsList:
        """Return what tasks of a job have printed.

        :param wanted: ``after``, ``limit``, ``offset``.
        """
        return OutputsList.from_json(self._call("outputs", job=job, **wanted))

    def slave_log(self, slave: str, after: int = 0) -> SlaveLog:
        """Return the last lines of the log of a slave, those behind one."""
        return SlaveLog.from_json(self._call("slave_log", slave, after))

    def text(self, path: str) -> str:
        """Return a view that is a text, as it is sent."""
        return self._client.get_text(path, timeout_s=VIEW_TIMEOUT_S).result(VIEW_TIMEOUT_S + 1.0)

    def _check_names(self, job: str, function: str) -> None:
        """Raise NodeError if a name is that of nothing, as far as a master lists what there is."""
        progress = self.progress(job)
        if job and not progress.total:
            jobs = {one for row in self.progress().items for one in (row.job, row.job_id)}
            jobs |= {one for row in self.jobs() for one in (row.title, row.job, row.name)}
            self._check_name(job, jobs, "job", "'concurrent top' shows jobs and programs")
        if not progress.left_out:
            functions = {row.function for row in progress.items}
            self._check_name(function, functions, "function", "'concurrent tasks' shows what there is")

    def _check_name(self, name: str, known: Iterable[str], thing: str, where: str) -> None:
        names = sorted({*known} - {""})
        if name and name not in names:
            raise NodeError(
                f"the master at {self.address} has no tasks of a {thing} {name!r:.100}",
                thing=thing,
                value=name,
                remedy=f"{did_you_mean(name, names)}{where}",
            )
