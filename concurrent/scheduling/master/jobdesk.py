"""Where programs begin jobs, go on with them and leave them, and people look at them. Loop thread only.

What a job is, the ledger knows; here it gets a session, and the code and the outcomes that belong to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from concurrent.core.errors import JobUnknown
from concurrent.core.loggers import get_log
from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.ledger.events import (
    CodeDefined,
    Event,
    ForgetJob,
    JobCancelled,
    JobHeld,
    JobReleased,
    OutcomesRecalled,
    OwnerJoined,
    OwnerLeft,
    Recall,
    Recordable,
    SessionAttached,
    SessionDetached,
    TellUnread,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.codeshelf import CodeShelf
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.fitdesk import FitDesk
from concurrent.scheduling.master.gate import Gate
from concurrent.scheduling.master.jobmakers import UNKNOWN, is_own, made_by, may_touch
from concurrent.scheduling.master.notices import Notices
from concurrent.scheduling.master.observatory import Observatory
from concurrent.scheduling.master.recaller import Recaller
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.storage import loaded
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_owner
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import DEFAULT_ROLES

__all__ = ["JobDesk"]

KEYS_MAX: Final = 10_000
"""So many texts of tasks are told at a time."""

log = get_log(__name__)


class JobDesk:
    """See the module.

    ``on_forgotten`` is called with the number of a job of which nothing is kept any more.

    :param apply: takes an event to the ledger, and carries out what that answers; ``want_end`` has the turn of
        the loop end with a look at what there is to do, as that does too.
    :param load: returns payloads as they travel, wherever they are; may raise OSError.
    :param journal: what keeps the jobs, and ``gate`` what waits for it; None for both if nothing does.
    :param observatory: knows what jobs are called.
    :param fits: knows what programs use.
    """

    def __init__(  # noqa: PLR0913  the other hands of the master, by name
        self,
        ledger: Ledger,
        sessions: Sessions,
        courier: Courier,
        *,
        apply: Callable[[Event], object],
        want_end: Callable[[], object],
        load: Callable[[list[Any]], list[Any]],
        code: CodeShelf,
        delivery: Delivery,
        notices: Notices,
        journal: IJournal | None,
        gate: Gate | None,
        observatory: Observatory,
        fits: FitDesk,
    ) -> None:
        self.on_forgotten: Callable[[int], object] | None = None
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._apply = apply
        self._want_end = want_end
        self._load = load
        self._code = code
        self._delivery = delivery
        self._notices = notices
        self._journal = journal
        self._gate = gate
        self._observatory = observatory
        self._fits = fits
        self._application_by_system: dict[int, int] = {}

    def find(self, text: str, identity: Identity, *, is_own_only: bool = False) -> JobRecord:
        """Return the job that has an id, or else the newest one that has a name, one's own before others'.

        :param identity: who wants it; a job that it may not touch is not there.
        :param is_own_only: whether no other job will do than one's own.
        :raises JobUnknown: if there is none.
        """
        may = is_own if is_own_only else may_touch
        named: list[JobRecord] = []
        for job in self._ledger.owners.values():
            if job.life is None or job.life.spec.kind == "system" or not may(job.life.spec, identity):
                continue
            if job.life.spec.job_id == text:
                return job
            if job.life.spec.name == text:
                named.append(job)
        if not named or not text:
            raise JobUnknown(
                f"there is no job {text!r:.100} of yours at this master",
                thing="job",
                value=text,
                remedy="'concurrent jobs' lists those that there are",
            )
        own = [job for job in named if job.life is not None and is_own(job.life.spec, identity)]
        return (own or named)[-1]

    def program(self, text: str, identity: Identity) -> JobRecord:
        """Return a job as :meth:`find` does, or else a program of that name, all of which ends with it.

        :raises JobUnknown: if there is none that somebody may see.
        """
        try:
            return self.find(text, identity)
        except JobUnknown:
            for job in self._ledger.owners.values():
                if text in (job.title, job.name) and self.may_see(job, identity):
                    return job
            raise

    def may_see(self, job: JobRecord, identity: Identity) -> bool:
        """Tell whether somebody may see the tasks of a job, or of a program all of which ends with it."""
        if job.life is not None:
            return may_touch(job.life.spec, identity)
        session = self._session_of_maker(job)
        return identity.role in DEFAULT_ROLES or (session is not None and session.identity.key == identity.key)

    def maker_of(self, job: JobRecord) -> str:
        """Return who made a job, or a program all of which ends with it, see ``jobmakers.py``."""
        if job.life is not None:
            return job.life.spec.made_by
        session = self._session_of_maker(job)
        return made_by(session.identity) if session is not None else UNKNOWN

    def systems_of(self, job: JobRecord) -> list[int]:
        """Return the numbers of the task systems of a job, or of a program all of which ends with it."""
        if job.life is not None:
            return list(job.life.systems)
        return [system for system, owner in self._application_by_system.items() if owner == job.owner]

    def _session_of_maker(self, job: JobRecord) -> TCPHandler | None:
        """Return the session of a program; that of a task system is the one of the program that pushed it."""
        return self._sessions.owners.get(self._application_by_system.get(job.owner, job.owner))

    def restored(self, events: Iterable[Recordable]) -> Iterator[Recordable]:
        """Iterate over what a journal has kept, and take the code of each job."""
        for event in events:
            if isinstance(event, OwnerJoined):
                self._code.join_owner(event.owner)
            elif isinstance(event, OwnerLeft):
                self._code.leave_owner(event.owner)
            elif isinstance(event, CodeDefined):
                self._code.define(event.owner, event.index, _loaded(event))
            yield event

    def begin(
        self,
        handler: TCPHandler,
        name: str,
        spec: JobSpec | None = None,
        *,
        weight: int = 1,
        application: int = 0,
    ) -> int:
        """Begin a job with a session; returns its number.

        :param spec: what was asked for; None if nothing of it outlives the session.
        :param weight: how many turns and shares of slaves it has, where others have one.
        :param application: the number of the program that it is a task system of; 0 if it is none.
        """
        number = self._sessions.join_owner(handler)
        if application:
            self._application_by_system[number] = application
        self._code.join_owner(number)
        self._delivery.join(number)
        self._notices.catch_up(number)
        self._apply(OwnerJoined(number, name, spec, weight))
        self._observatory.note_job(number, self._ledger.owners[number].title)
        return number

    def weight_of(self, owner: int) -> int:
        """Return the weight of a job; that of one which is not known is 1."""
        job = self._ledger.owners.get(owner)
        return job.weight if job is not None else 1

    def attach(
        self, handler: TCPHandler, job: JobRecord, attachment: int, *, from_start: bool, wants_tasks: bool
    ) -> TCPHandler | None:
        """Have a session go on with a job; returns the session that had it, which has nothing more of it.

        :param attachment: which session of the program this is, see ``SessionAttached``.
        :param from_start: whether it is given what was consumed, too.
        :param wants_tasks: whether tasks that a former program pushed come with their outcomes.
        :raises JobTaken: if another program has taken the job over.
        """
        owner = job.owner
        life = job.life
        assert life is not None, "a job without a life ends with its session"
        is_over = attachment == 0
        event = SessionAttached(owner, attachment, from_start, handler.node_id)
        if attachment not in (0, life.attachment) and not life.never_heard(event):
            self._apply(event)  # which refuses it
        former = self._leave_session(owner)
        if former is not None:
            self._apply(SessionDetached(owner))
        self._sessions.attach_owner(owner, handler)
        recaller: Recaller | None = None
        if is_over or wants_tasks:
            tasks = partial(self._tasks, owner) if wants_tasks else None
            recaller = Recaller(self._courier, list(self._code.blobs_of(owner)), job.next_id, tasks)
        self._delivery.join(owner, recaller)
        self._notices.catch_up(owner)
        self._apply(event)
        return former

    def has_session(self, owner: int, handler: TCPHandler) -> bool:
        """Tell whether a session has a job, and no newer one."""
        return self._sessions.owners.get(owner) is handler

    def outlives_session(self, owner: int) -> bool:
        """Tell whether a job may go on when its session ends."""
        job = self._ledger.owners.get(owner)
        return job is not None and job.life is not None

    def is_kept(self, owner: int) -> bool:
        """Tell whether a job is kept after it has ended."""
        job = self._ledger.owners.get(owner)
        return job is not None and job.is_kept

    def forget(self, owner: int) -> None:
        """Remove all of a job; a session that has it ends."""
        handler = self._sessions.owners.get(owner)
        self.leave(owner)
        if handler is not None:
            handler.close(to_owner.JOB_FORGOTTEN)

    def reply_when_kept(self, reply: Callable[[], object]) -> None:
        """Call a function once what was recorded so far is kept, and before outcomes leave that wait for it."""
        assert self._gate is not None, "without a journal there is nothing to attach to"
        self._gate.reply(reply)

    def detach(self, owner: int) -> None:
        """Have a job go on without a session; nothing happens if it has none."""
        if self._leave_session(owner) is not None:
            self._apply(SessionDetached(owner))

    def leave(self, owner: int) -> None:
        """Free the tasks and the code of a job; nothing happens if it is not known."""
        if owner in self._ledger.owners:
            self._leave_session(owner)
            self._apply(OwnerLeft(owner))
        if self._code.knows(owner):
            self._forget(owner)
        self._application_by_system.pop(owner, None)

    def cancel(self, owner: int) -> None:
        """Have nothing more of a job run."""
        self._apply(JobCancelled(owner))

    def release(self, owner: int) -> None:
        """Have a job run that is held."""
        self._apply(JobReleased(owner))

    def hold(self, owner: int, reason: str) -> None:
        """Let nothing of a job run for now; after a start of the master neither, until it is released."""
        self._apply(JobHeld(owner, reason))

    def fit(self, job: JobRecord, unfit: str) -> None:
        """Hold a job from before a start, or not any more.

        :param unfit: why its code does not run here; empty if it does.
        """
        life = job.life
        if life is None:
            return
        reason = life.why_held(unfit)
        if reason:
            log.warning("job %s is held: %s", job.title, reason)
        if reason != life.held_because:
            self._apply(JobHeld(job.owner, reason, is_unfit=True))

    def when_kept(self, fn: Callable[[], object]) -> None:
        """Call a function once all that was recorded so far is kept; at once if nothing is.

        That nothing was recorded is no reason to wait until something is.
        """
        if self._gate is None:
            fn()
        else:
            self._gate.when_kept(fn)
            self._want_end()

    def keys(self, owner: int, first_id: int) -> dict[str, Any]:
        """Return the texts of tasks that were named, as ``job_keys`` answers; nothing without a journal."""
        if self._journal is None:
            return {"ids": [], "keys": [], "next_id": 0}
        named = self._journal.keys(owner, first_id, KEYS_MAX)
        ids = list(range(named.first_id, named.first_id + len(named.keys)))
        return {"ids": ids, "keys": named.keys, "next_id": ids[-1] + 1 if ids else 0}

    def recall(self, command: Recall) -> None:
        """Read outcomes back from the journal, once they are kept there."""
        assert self._gate is not None, "without a journal nothing is recalled"
        self._gate.when_kept(partial(self._recall, command))

    def forgotten(self, command: ForgetJob) -> None:
        """Forget what belongs to a job that the ledger knows no more."""
        unread = f"; {command.unread_count} outcomes of it were not read" if command.unread_count else ""
        level = log.warning if command.unread_count else log.info
        level("job %s is forgotten: %s%s", command.name, command.reason, unread)
        self._leave_session(command.owner)
        self._forget(command.owner)

    def tell_unread(self, command: TellUnread) -> None:
        """Say that a job will be forgotten though outcomes of it were not read."""
        job = self._ledger.owners[command.owner]
        text = "job %s is forgotten in %.0f s, and nobody has read %d outcomes of it; attach to it to read them"
        log.warning(text, job.title, command.left_s, command.unread_count)

    def _recall(self, command: Recall) -> None:
        assert self._journal is not None
        ended = self._journal.outcomes(command.owner, command.first, command.count)
        first = ended.first_outcome or command.first
        self._apply(OutcomesRecalled(command.owner, first, ended.ids, ended.statuses, ended.payloads))

    def _tasks(self, owner: int, ids: list[int]) -> list[Any]:
        assert self._journal is not None
        return self._load(self._journal.tasks(owner, ids))

    def _leave_session(self, owner: int) -> TCPHandler | None:
        """Take the session of a job from it, and return it."""
        handler = self._sessions.owners.get(owner)
        self._sessions.leave_owner(owner)
        self._delivery.leave(owner)
        if self._gate is not None:
            self._gate.forget(owner)
        return handler

    def _forget(self, owner: int) -> None:
        self._code.leave_owner(owner)
        self._fits.owner_left(owner)
        if self.on_forgotten is not None:
            self.on_forgotten(owner)


def _loaded(event: CodeDefined) -> Any:
    """Return a blob of code; an empty one if it cannot be read, so that the tasks which need it fail."""
    try:
        return loaded(event.blob)
    except OSError as error:
        log.error("tasks of job %d fail that need blob %d of its code: %s", event.owner, event.index, error)
        return b""
