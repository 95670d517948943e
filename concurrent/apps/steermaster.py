"""Steers a running cluster over the JSON API of its master."""

from __future__ import annotations

from typing import Any

from concurrent.apps.jobmaster import JobMaster
from concurrent.apps.steered import CancelAnswer, DrainAnswer, DrainList, RetryAnswer
from concurrent.core.errors import JobUnknown
from concurrent.core.nearest import did_you_mean

__all__ = ["SteerMaster"]


class SteerMaster(JobMaster):
    """See the module; a context. All methods wait, and raise ConcurrentError if the master does not answer, or
    does not do it.
    """

    def drain(self, slave: str, timeout_s: float | None = None) -> DrainAnswer:
        """Have a slave get nothing more.

        :param timeout_s: after so long what it runs is ended and goes to others; None: never.
        """
        return DrainAnswer.from_json(self._call("drain", slave, timeout_s))

    def resume(self, slave: str) -> DrainAnswer:
        """Have a drained slave take tasks again."""
        return DrainAnswer.from_json(self._call("resume", slave))

    def drains(self, slave: str = "") -> DrainList:
        """Return the slaves that are drained, or a slave alone if it is."""
        return DrainList.from_json(self._call("drains", slave))

    def cancel_tasks(self, **which: Any) -> CancelAnswer:
        """Cancel open tasks.

        :param which: ``tasks``, ``job``, ``function``, ``application``; with ``dry_run`` they are only counted.
        """
        return CancelAnswer.from_json(self._call_on_tasks("cancel_tasks", which))

    def retry_tasks(self, **which: Any) -> RetryAnswer:
        """Have open tasks begin at once; see :meth:`cancel_tasks`."""
        return RetryAnswer.from_json(self._call_on_tasks("retry_tasks", which))

    def _call_on_tasks(self, method: str, which: dict[str, Any]) -> Any:
        try:
            return self._call(method, **which)
        except JobUnknown as error:
            jobs = [which.get("job", ""), *(task.rpartition("/")[0] for task in which.get("tasks", ()))]
            known = self.jobs()
            there = {"", *(one.job for one in known), *(one.name for one in known)}
            missing = next((job for job in jobs if job not in there), None)
            if missing is None:
                raise
            raise JobUnknown(
                f"the master at {self.address} has no job {missing!r}",
                thing="job",
                value=missing,
                remedy=f"{did_you_mean(missing, [one.title for one in known])}"
                "'concurrent top' shows jobs and programs",
            ) from error
