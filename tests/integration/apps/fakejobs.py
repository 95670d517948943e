"""The JSON API of a master that has the jobs that a test wants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from concurrent.apps.jobstatus import ENDED, HELD, OPEN, FailureGroup, JobDetails
from concurrent.core.errors import JobUnknown
from concurrent.core.stats import Stats
from concurrent.scheduling.tasks.explanation import JobExplanation, has_ended
from concurrent.transport.calls.methods import jsonremote
from concurrent.transport.web.service import JSONService
from tests.local import protected_by_place

HUNT = JobDetails(
    job="k3f9", name="hunt", kind="application", state=OPEN, how="", reason="", user="ada@cray",
    durability="host", is_attached=False, pushed=1000, open=640, finished=355, failed=3, cancelled=2,
    unread=360, has_begun=True, left_over=0, systems=0,
    created_at=1000.0, first_run_at=1001.0, ended_at=0.0, keep_s=604800.0,
    failures=(FailureGroup("BlockTask", "ValueError", 3, "Traceback:\n\tValueError: 5\x1b[2J"),),
    program={"application": "/home/ada/hunt.py", "folder": "/home/ada", "arguments": ["-o", "hunt.width=5"]},
    fingerprint={"python": "3.11.7"}, made_by="submit:ada",
)  # fmt: skip
"""A job that runs."""

PLAIN = replace(HUNT, job="p001", name="", pushed=5, open=5, keep_s=0.0, created_at=2000.0)
"""What a program pushes that wants no job."""


class FakeJobs:
    """See the module; ``calls`` is what was asked to be done."""

    def __init__(self) -> None:
        self.jobs = [PLAIN, HUNT]
        self.calls: list[str] = []
        self.api = JSONService("master-1", port=0, title="master", stats=Stats())

        @jsonremote(self.api, name="jobs")
        def jobs(_request: Any) -> dict[str, Any]:
            known = JobDetails.from_json({}).to_json().keys() - {
                "failures", "program", "fingerprint", "made_by",
            }  # fmt: skip
            rows = [{key: one.to_json()[key] for key in known} for one in self.jobs]
            return {"items": rows, "total": len(rows), "left_out": 0}

        @jsonremote(self.api, name="job")
        def job(_request: Any, job: str) -> Any:
            return self._find(job).to_json()

        @jsonremote(self.api, name="explain")
        def explain(_request: Any, task: str) -> Any:
            job, _, number = task.rpartition("/")
            owner = self._find(job).name if job else "hunt"
            return has_ended(int(number), f"{owner}\x1b[2J").to_json()

        @jsonremote(self.api, name="explain_job")
        def explain_job(_request: Any, job: str) -> Any:
            found = self._find(job)
            return JobExplanation(found.name, found.open, 0, found.reason, (), 2).to_json()

        for method in ("cancel_job", "release_job", "forget_job"):
            self._register(method)
        self._place = protected_by_place(self.api).place
        self.api.start()

    def stop(self) -> None:
        assert self._place is not None
        self._place.remove()
        self.api.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.api.port}"

    def end(self) -> None:
        """Have the job end."""
        self.jobs[1] = replace(HUNT, state=ENDED, how="finished", open=0, finished=995, ended_at=1500.0)

    def hold(self) -> None:
        """Have the job be held."""
        self.jobs[1] = replace(HUNT, state=HELD, reason="it was made with Python 3.10")

    def _register(self, method: str) -> None:
        @jsonremote(self.api, name=method)
        def call(_request: Any, job: str) -> None:
            self.calls.append(f"{method} {self._find(job).job}")

    def _find(self, job: str) -> JobDetails:
        for one in self.jobs:
            if job in (one.job, one.name):
                return one
        raise JobUnknown(f"no job {job}", thing="job", value=job)
