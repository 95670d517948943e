"""Asks a master of its jobs over its JSON API."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from concurrent.apps.access import Way
from concurrent.apps.jobstatus import JobDetails, JobRow
from concurrent.core.errors import JobUnknown, NodeError, UnknownMethod
from concurrent.core.nearest import did_you_mean
from concurrent.scheduling.tasks.explanation import Explanation, JobExplanation, is_task

if TYPE_CHECKING:
    from concurrent.apps.observed import JobsStatus

__all__ = ["JobMaster"]

TIMEOUT_S: Final = 10.0

AnyMaster = TypeVar("AnyMaster", bound="JobMaster")


class JobMaster:
    """Asks a master of its jobs; a context. All methods wait, and raise ConcurrentError if it does not answer.

    Where a job is named by its id or its name they raise JobUnknown if there is none.
    """

    def __init__(self, way: Way) -> None:
        self.address = way.address
        self._client = way.client()

    def __enter__(self: AnyMaster) -> AnyMaster:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._client.close()

    def jobs(self) -> list[JobRow]:
        """Return all jobs that the master knows."""
        return list(self.job_list().items)

    def job_list(self) -> JobsStatus:
        """Return the jobs that the master lists, and how many are left out of that."""
        from concurrent.apps.observed import JobsStatus  # who runs an application asks for no list

        return JobsStatus.from_json(self._call("jobs"))

    def job(self, job: str) -> JobDetails:
        """Return all that the master knows of a job."""
        return JobDetails.from_json(self._call_on("job", job))

    def explain(self, text: str) -> Explanation | JobExplanation:
        """Return why a task does not run, or what the tasks of a job wait for.

        :param text: ``JOB/ID``, the number of a task at the master, or a job.
        """
        if not is_task(text):
            return JobExplanation.from_json(self._call_on("explain_job", text))
        job, slash, number = text.rpartition("/")
        return Explanation.from_json(self._call_on("explain", job, slash + number))

    def cancel(self, job: str) -> None:
        """Have nothing more of a job run."""
        self._call_on("cancel_job", job)

    def release(self, job: str) -> None:
        """Have a job that is held run again."""
        self._call_on("release_job", job)

    def forget(self, job: str) -> None:
        """Have everything of a job removed."""
        self._call_on("forget_job", job)

    def _call_on(self, method: str, job: str, more: str = "") -> Any:
        try:
            return self._call(method, job + more)
        except JobUnknown:
            known = [one.title for one in self.jobs()]
            raise JobUnknown(
                f"the master at {self.address} has no job {job!r}",
                thing="job",
                value=job,
                remedy=f"{did_you_mean(job, known)}'concurrent top' shows jobs and programs",
            ) from None

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._client.call(method, *args, timeout_s=TIMEOUT_S, **kwargs).result(TIMEOUT_S + 1.0)
        except UnknownMethod:
            raise NodeError(
                f"what listens at {self.address} knows no {method!r}: it is no master, or of another version",
                thing=method,
                value=str(self.address),
                remedy="Give the address of a master of this version",
            ) from None
