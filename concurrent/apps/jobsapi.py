"""What a master says of its jobs at its JSON API, and what people may do to them there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from concurrent.apps.jobstatus import ENDED, HELD, OPEN, FailureGroup, JobDetails, JobRow
from concurrent.core.errors import NodeError
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.ledger.tally import JobTally, failures_of, tally_of
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import may_touch
from concurrent.scheduling.master.systems import SystemHosts
from concurrent.transport.calls.answer import Request
from concurrent.transport.calls.methods import HasMethods, jsonremote
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.auditing import NO_AUDIT, REFUSED, IAudit
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import OBSERVERS, SUBMITTERS, Role

if TYPE_CHECKING:
    from concurrent.apps.observed import JobsStatus

__all__ = ["JobsAPI", "state_of"]

CALL_TIMEOUT_S: Final = 10.0

TYPES_FROM: Final = ("concurrent.apps.observed",)
"""Where types of the answers are, for the documents that describe the API."""

JOBS_MAX: Final = 10_000
"""So many jobs are listed at most, the newest."""


class JobsAPI:
    """See the module. Its methods are for the threads of the JSON API; each that changes something waits until
    that is kept.

    :param durability: how sure it is that jobs are kept, see ``JournalPlace``.
    :param audit: told who changes a job.
    """

    def __init__(
        self,
        loop: NodeLoop,
        dispatcher: Dispatcher,
        systems: SystemHosts,
        durability: str,
        *,
        audit: IAudit = NO_AUDIT,
    ) -> None:
        self._audit = audit
        self._loop = loop
        self._dispatcher = dispatcher
        self._systems = systems
        self._durability = durability

    def register_methods(self, service: HasMethods) -> None:
        """Register everything with the JSON API of the master."""

        @jsonremote(service, roles=OBSERVERS)
        def jobs(request: Request) -> JobsStatus:
            """Return the caller's jobs, those that end with their programs too; all to an admin or observer."""
            return self._loop.call(self._rows, request.identity, timeout_s=CALL_TIMEOUT_S)

        @jsonremote(service, roles=SUBMITTERS)
        def job(request: Request, job: str) -> JobDetails:
            """Return all that is known of a job, by its id or its name."""
            return self._loop.call(self._details, job, request.identity, timeout_s=CALL_TIMEOUT_S)

        @jsonremote(service, roles=SUBMITTERS)
        def cancel_job(request: Request, job: str) -> None:
            """Have nothing more of a job run, by its id or its name; its outcomes and its history stay."""
            self._change(self._cancel, job, request)

        @jsonremote(service, roles=SUBMITTERS)
        def release_job(request: Request, job: str) -> None:
            """Have a job run that is held, by its id or its name."""
            self._change(self._release, job, request)

        @jsonremote(service, roles=SUBMITTERS)
        def forget_job(request: Request, job: str) -> None:
            """Remove all of a job that has ended, by its id or its name."""
            self._change(self._forget, job, request)

    @property
    def count(self) -> int:
        """How many jobs there are that are no task systems. Loop thread only."""
        return sum(1 for _ in self._jobs())

    def rows(self, count_max: int) -> list[JobRow]:
        """Return the newest of all jobs that are no task systems. Loop thread only."""
        return self._newest(self._jobs(), count_max)

    def _newest(self, jobs: Iterable[tuple[JobRecord, JobLife]], count_max: int) -> list[JobRow]:
        newest = islice(sorted(jobs, key=lambda one: one[0].owner, reverse=True), count_max)
        return [self._row(job, life) for job, life in newest]

    def _row(self, job: JobRecord, life: JobLife) -> JobRow:
        reason = life.held_because or self._dispatcher.ledger.jobs.shortage.reason_for(job.owner)
        return job_row(life, self._tally(job, life), self._durability, reason)

    def _jobs(self) -> Iterator[tuple[JobRecord, JobLife]]:
        for job in self._dispatcher.ledger.owners.values():
            if job.life is not None and job.life.spec.kind != "system":
                yield job, job.life

    def _tally(self, job: JobRecord, life: JobLife) -> JobTally:
        return tally_of(job, life, self._dispatcher.ledger.owners)

    def _rows(self, identity: Identity) -> JobsStatus:
        """Return the newest of the jobs that somebody may touch; of all to who only looks."""
        from concurrent.apps.observed import JobsStatus  # a master that nobody asks needs none

        sees_all = identity.role is Role.OBSERVE
        own = [one for one in self._jobs() if sees_all or may_touch(one[1].spec, identity)]
        rows = self._newest(own, JOBS_MAX)
        return JobsStatus(tuple(rows), len(own), len(own) - len(rows))

    def _details(self, text: str, identity: Identity) -> JobDetails:
        job, life = self._find(text, identity)
        row = self._row(job, life)
        return JobDetails(
            **vars(row),
            failures=tuple(FailureGroup(*one) for one in failures_of(life, self._dispatcher.ledger.owners)),
            program=dict(life.spec.program),
            fingerprint=dict(life.spec.fingerprint),
            made_by=life.spec.made_by,
        )

    def _change(self, change: Callable[[str, Identity], None], text: str, request: Request) -> None:
        """Do something to a job, and wait until that is kept."""
        kept: Future[None] = Future()

        def begin() -> None:
            note = partial(self._audit.write, request.method, request.identity, request.peer_ip, f"job {text}")
            try:
                change(text, request.identity)
            except NodeError as error:
                note(f"{REFUSED}: {error.message}")
                raise
            note("done")
            self._dispatcher.jobs.when_kept(lambda: kept.set_result(None))

        self._loop.call(begin, timeout_s=CALL_TIMEOUT_S)
        kept.result(CALL_TIMEOUT_S)

    def _cancel(self, text: str, identity: Identity) -> None:
        job, life = self._find(text, identity)
        if state_of(life) == ENDED:
            return
        self._systems.cancel(job.owner)
        self._dispatcher.jobs.cancel(job.owner)

    def _release(self, text: str, identity: Identity) -> None:
        job, _ = self._find(text, identity)
        self._dispatcher.jobs.release(job.owner)
        self._systems.released(job.owner)

    def _forget(self, text: str, identity: Identity) -> None:
        job, life = self._find(text, identity)
        if state_of(life) != ENDED:
            raise NodeError(
                f"job {text} has {self._tally(job, life).open} open tasks: it has not ended",
                thing="job",
                value=text,
                remedy="Cancel it first",
            )
        self._dispatcher.jobs.forget(job.owner)

    def _find(self, text: str, identity: Identity) -> tuple[JobRecord, JobLife]:
        job = self._dispatcher.jobs.find(text, identity)
        assert job.life is not None, "only such jobs are found"
        return job, job.life


def state_of(life: JobLife) -> str:
    """Return the state of a job, as people and programs are told it."""
    return ENDED if life.closed else HELD if life.held_because else OPEN


def job_row(life: JobLife, tally: JobTally, durability: str, reason: str) -> JobRow:
    """Return what is shown of a job.

    :param reason: why nothing of it runs, or no more of it is taken; empty otherwise.
    """
    counts, closed = tally.counts, life.closed
    return JobRow(
        job=life.spec.job_id,
        name=life.spec.name,
        kind=life.spec.kind,
        state=state_of(life),
        how=closed.how if closed else "",
        reason=reason,
        user=life.spec.user,
        durability=durability,
        is_attached=life.is_attached,
        has_begun=life.has_begun,
        left_over=life.left_over,
        pushed=tally.pushed,
        open=tally.open,
        finished=counts.finished,
        failed=counts.failed,
        cancelled=counts.cancelled,
        unread=tally.unread,
        systems=len(life.systems),
        created_at=life.spec.created_at,
        first_run_at=tally.first_run_at,
        ended_at=closed.at if closed else 0.0,
        keep_s=life.spec.keep_s,
    )
