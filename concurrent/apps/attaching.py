"""How programs get jobs at a master with a journal: what each wishes, and what it is answered.

Loop thread only.
"""

from __future__ import annotations

import secrets
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, Final

from concurrent.apps.jobsapi import state_of
from concurrent.apps.jobwish import JobAnswer, JobWish
from concurrent.apps.revocation import Revocation
from concurrent.core.component import Component
from concurrent.core.errors import JobMismatch, JobUnknown
from concurrent.core.items import FloatItem, IntItem
from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.jobmakers import made_by
from concurrent.scheduling.master.openjournal import OpenJournal
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.security.auditing import NO_AUDIT, REFUSED, IAudit
from concurrent.transport.security.identity import Identity

__all__ = ["Attaching", "JobSettings"]

WEEK_S: Final = 7 * 24 * 3600.0
JOB_ID_BYTES: Final = 6

log = get_log(__name__)


class JobSettings(Component):
    """The options of section ``[job]``."""

    keep_s = FloatItem(
        "job", "keep_s", WEEK_S,
        "How long a job is kept after it has ended, with its results, unless its program says otherwise.",
        minimum=1.0, unit="seconds",
    )  # fmt: skip
    memory_bytes_max = IntItem(
        "job", "memory_bytes_max", 1 << 30,
        "How much memory the unfinished tasks of jobs that are kept may take, 512 bytes for each and its "
        "arguments if they are small. Above it no more are taken, and whoever pushes them is told.",
        minimum=1 << 20, unit="bytes",
    )  # fmt: skip


class Attaching:
    """See the module.

    :param keep_s: how long a job is kept after it has ended whose program says nothing of that.
    :param revocation: told who goes on with a job; what it was held for may be over.
    :param audit: told who begins a job, and who goes on with one.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        journal: OpenJournal,
        keep_s: float,
        *,
        revocation: Revocation,
        audit: IAudit = NO_AUDIT,
    ) -> None:
        self._revocation = revocation
        self._audit = audit
        self._dispatcher = dispatcher
        self._journal = journal
        self._keep_s = keep_s

    def attach(self, handler: TCPHandler, wish: JobWish, weight: int) -> tuple[int, Future[dict[str, Any]]]:
        """Attach a session to the job that is wished for; returns its number, and what will be answered.

        The answer is there once all that it says is kept.

        :param weight: that of a job that begins; one that goes on has the weight that it began with.

        :raises JobUnknown: if the job has to exist, and does not.
        :raises JobTaken: if another program has taken the job over.
        :raises JobMismatch: if the name that is wished for is that of a job of another kind of program.
        """
        try:
            job = self._job_for(wish, handler.identity)
        except JobUnknown as error:
            self._note("attach", handler, wish.job or wish.name, f"{REFUSED}: {error.message}")
            raise
        if job is None:
            spec = self._spec(wish, handler.identity)
            number = self._dispatcher.jobs.begin(handler, handler.node_id, spec, weight=weight)
            self._note("submit", handler, f"{spec.job_id} {spec.name}".rstrip(), "done")
        else:
            number = job.owner
            self._go_on(handler, job, wish)
        answer: Future[dict[str, Any]] = Future()
        reply = partial(self._reply, answer, number, wish, is_new=job is None)
        self._dispatcher.jobs.reply_when_kept(reply)
        return number, answer

    def _job_for(self, wish: JobWish, identity: Identity) -> JobRecord | None:
        """Return the job to go on with; None if a new one begins, which may be called like somebody else's."""
        find = self._dispatcher.jobs.find
        for text in filter(None, (wish.job, wish.name)):
            with suppress(JobUnknown):
                job = find(text, identity, is_own_only=not (wish.job or wish.must_exist))
                if not wish.job:
                    _check_kind(job, wish)
                return job
            if wish.must_exist and wish.attachment:  # a job of the same name is another one
                raise _forgotten(wish)
        return find(wish.job or wish.name, identity) if wish.must_exist else None

    def _spec(self, wish: JobWish, identity: Identity) -> JobSpec:
        return JobSpec(
            job_id=secrets.token_hex(JOB_ID_BYTES),
            name=wish.name,
            kind=wish.kind,
            user=wish.user,
            program=wish.program,
            keep_s=wish.keep_s if wish.keep_s >= 0 else self._keep_s,
            keeps_results=wish.keeps_results,
            fingerprint=wish.fingerprint,
            created_at=time.time(),
            made_by=made_by(identity),
        )

    def _go_on(self, handler: TCPHandler, job: JobRecord, wish: JobWish) -> None:
        """Give a job to a session; the one that had it ends."""
        former = self._dispatcher.jobs.attach(
            handler, job, wish.attachment, from_start=wish.from_start, wants_tasks=wish.wants_tasks
        )
        self._revocation.came_back(job, handler.identity)
        if former is not None and former is not handler:
            log.info("%s takes job %s over from %s", handler.node_id, job.title, former.node_id)
            former.close(to_owner.JOB_TAKEN)
            self._note("attach", handler, job.title, f"taken over from {former.node_id}")
        else:
            self._note("attach", handler, job.title, "done")

    def _note(self, action: str, handler: TCPHandler, job: str, result: str) -> None:
        self._audit.write(action, handler.identity, handler.peer_ip, f"job {job}", result)

    def _reply(self, answer: Future[dict[str, Any]], number: int, wish: JobWish, *, is_new: bool) -> None:
        """Answer, unless the job has ended meanwhile."""
        job = self._dispatcher.ledger.owners.get(number)
        if job is None or job.life is None:
            answer.set_exception(JobUnknown("the job has ended just now", thing="job", value=wish.job))
            return
        life, journal = job.life, self._journal
        is_from_start = wish.from_start and life.spec.keeps_results
        answer.set_result(
            JobAnswer(
                number=number,
                job=life.spec.job_id,
                name=life.spec.name,
                attachment=life.attachment,
                is_new=is_new,
                has_begun=life.has_begun,
                state=state_of(life),
                reason=life.held_because,
                next_id=job.next_id,
                consumed_to=0 if is_from_start else life.outbox.consumed_to,
                code_count=life.code_count,
                systems=[one.system_id for one in self._dispatcher.systems.book.of(number)],
                epoch=journal.start.epoch,
                durability=journal.place.durability,
                cluster=journal.start.cluster_id,
            ).as_map()
        )


def _forgotten(wish: JobWish) -> JobUnknown:
    """Return the error for a program that comes back to a job which is gone."""
    return JobUnknown(
        f"job {wish.name or wish.job} was forgotten while this program had it: nothing of it is left",
        thing="job",
        value=wish.name or wish.job,
        remedy="Start the program again if the work is to be done anew",
    )


def _check_kind(job: JobRecord, wish: JobWish) -> None:
    """Refuse the name of a job of another kind of program, whose results would be taken for others.

    :raises JobMismatch: if it is.
    """
    life = job.life
    if life is not None and life.spec.kind != wish.kind:
        raise JobMismatch(
            f"job {wish.name} is that of an {life.spec.kind}, and this program is an {wish.kind}",
            thing="job",
            value=wish.name,
            remedy="Choose another name, or remove that job with 'concurrent forget'",
        )
