"""Keeps task systems where they outlive their processes: each is a job, and a process is one of its sessions.

Loop thread only. A master without a journal has no jobs, and so no such systems.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from concurrent.core.loggers import get_log
from concurrent.scheduling.interfaces import IJournal
from concurrent.scheduling.ledger.events import (
    CodeDefined,
    Event,
    OwnerJoined,
    SessionAttached,
    SessionDetached,
    SystemEnded,
    SystemPushed,
    SystemStepped,
    SystemTaken,
)
from concurrent.scheduling.ledger.jobspec import JobSpec
from concurrent.scheduling.ledger.ledger import Ledger
from concurrent.scheduling.master.codeshelf import CodeShelf
from concurrent.scheduling.master.delivery import Delivery
from concurrent.scheduling.master.jobdesk import JobDesk
from concurrent.scheduling.master.recaller import Recaller, readable
from concurrent.scheduling.master.sessions import Sessions
from concurrent.scheduling.master.storage import loaded
from concurrent.scheduling.master.systembook import System, SystemBook
from concurrent.scheduling.wire.columns import slices
from concurrent.scheduling.wire.courier import Courier
from concurrent.scheduling.wire.messages import to_system
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.loop.loop import NodeLoop

__all__ = ["SystemDesk"]

JOB_ID_BYTES: Final = 6
KEEP_S: Final = 1.0
"""Any time: a system is kept as long as its application, and its tasks until their outcomes were dealt with."""

ORPHANS_MAX: Final = 500
"""So many tasks are read and sent at a time."""

ROOM_S: Final = 0.01
"""How soon it is looked again whether a session has room."""

log = get_log(__name__)


class SystemDesk:
    """See the module. ``book`` has the systems.

    :param apply: takes an event to the ledger, and carries out what that answers.
    """

    def __init__(  # noqa: PLR0913  the other hands of the master, by name
        self,
        loop: NodeLoop,
        ledger: Ledger,
        sessions: Sessions,
        courier: Courier,
        *,
        apply: Callable[[Event], object],
        code: CodeShelf,
        delivery: Delivery,
        jobs: JobDesk,
        journal: IJournal | None,
    ) -> None:
        self.book = SystemBook()
        self._loop = loop
        self._ledger = ledger
        self._sessions = sessions
        self._courier = courier
        self._apply = apply
        self._code = code
        self._delivery = delivery
        self._jobs = jobs
        self._store = journal

    @property
    def _journal(self) -> IJournal:
        assert self._store is not None, "without a journal no system has a job"
        return self._store

    def begin(self, system: System) -> None:
        """Have a system outlive its processes, if its application has a job that may outlive its session."""
        application = self._ledger.owners.get(system.application)
        if application is None or application.life is None:
            return
        spec = application.life.spec
        number = system.number = self._sessions.next_number()
        system.job = secrets.token_hex(JOB_ID_BYTES)
        job = JobSpec(
            job_id=system.job,
            kind="system",
            user=spec.user,
            keep_s=KEEP_S,
            fingerprint=spec.fingerprint,
            created_at=time.time(),
            made_by=spec.made_by,
        )
        self._code.join_owner(number)
        self._apply(OwnerJoined(number, system.name, job, application.weight))
        self._apply(SessionDetached(number))
        for index, blob in enumerate(system.code):
            self._code.define(number, index, blob)
            self._apply(CodeDefined(number, index, blob))
        system.payload = self._journal.put(system.payload)
        self._apply(
            SystemPushed(number, system.application, system.system_id, len(system.code), system.payload)
        )
        system.code = []
        self.book.add(system)

    def when_kept(self, call: Callable[[], object]) -> None:
        """Call a function once all that was recorded so far is kept."""
        self._jobs.when_kept(call)

    def why_held(self, system: System) -> str:
        """Return why a system may not run; nothing if it may."""
        owners = (self._ledger.owners.get(number) for number in (system.application, system.number))
        return next((job.life.held_because for job in owners if job is not None and job.life is not None), "")

    def release(self, system: System) -> None:
        """Have a system run that was held."""
        self._jobs.release(system.number)

    def hand_over(self, system: System, session: TCPHandler, then: Callable[[list[Any], Any], object]) -> None:
        """Send a new host what the last one leaves to it, and then attach it.

        :param then: called with the code and the payload of the system, which it has to send.
        """
        step, job = system.step, self._ledger.owners[system.number]
        next_id = max(1, job.next_id)
        ids = list(range(step.next_id if step is not None else 1, next_id))

        def go_on() -> None:
            while ids and session.is_open:
                if not session.has_room:
                    self._loop.call_later(ROOM_S, go_on)
                    return
                self._send_orphans(system, session, ids[:ORPHANS_MAX])
                del ids[:ORPHANS_MAX]
            if session.is_open and system.number in self._ledger.owners:
                self._take_over(system, session, next_id)
                then(self._code.blobs_of(system.number), loaded(system.payload))
                self._attach(system, session, next_id)

        go_on()

    def detach(self, system: System) -> None:
        """The host of a system has ended."""
        self._jobs.detach(system.number)

    def stepped(self, system: System, step: SystemStepped) -> None:
        """Keep how far a system is, if it can go on from there."""
        if not len(step.checkpoint):
            if system.has_read(step.consumed_to):
                self._apply(system.losses)
            return
        step = SystemStepped(step.owner, self._journal.put(step.checkpoint), step.consumed_to, step.next_id)
        system.stepped(step)
        self._apply(step)

    def lost(self, system: System) -> None:
        """Keep which processes a system has lost, so that they count at the next master."""
        self._apply(system.losses)

    def ended(self, system: System, status: int, payload: Any) -> None:
        """Keep how a system has ended, and free what it pushed."""
        self.detach(system)
        system.outcome = SystemEnded(system.number, status, self._journal.put(payload))
        self._apply(system.outcome)

    def outcome_of(self, system: System) -> tuple[int, Any]:
        """Return status and payload of a system that has ended."""
        assert system.outcome is not None
        return system.outcome.status, loaded(system.outcome.payload)

    def heard(self, system: System) -> None:
        """Forget a system: the application has dealt with its outcome, and keeps how it went."""
        self._apply(SystemTaken(system.number))
        self.leave(system)

    def leave(self, system: System) -> None:
        """Forget a system."""
        self.book.remove(system.number)
        self._jobs.leave(system.number)

    def _send_orphans(self, system: System, session: TCPHandler, ids: list[int]) -> None:
        payloads = readable(partial(self._tasks, system.number), ids)
        for part in slices(payloads):
            self._courier.cast(session, to_system.orphans, ids[part], payloads[part])

    def _take_over(self, system: System, session: TCPHandler, next_id: int) -> None:
        step, job = system.step, self._ledger.owners[system.number]
        assert job.life is not None
        known_to = job.life.outbox.ended_to
        if step is None:
            self._courier.cast(session, to_system.take_over, system.job, next_id, 0, known_to, b"")
        else:
            checkpoint = loaded(step.checkpoint)
            self._courier.cast(
                session, to_system.take_over, system.job, next_id, step.consumed_to, known_to, checkpoint
            )

    def _attach(self, system: System, session: TCPHandler, next_id: int) -> None:
        """Bring a host its outcomes from now on, with the tasks that a former one has pushed."""
        number = system.number
        self._sessions.attach_owner(number, session)
        tasks = partial(self._tasks, number)
        self._delivery.join(number, Recaller(self._courier, (), next_id, tasks))
        self._apply(SessionAttached(number))

    def _tasks(self, number: int, ids: list[int]) -> list[Any]:
        return list(map(loaded, self._journal.tasks(number, ids)))
