"""What a master does when the trust in a member of its cluster ends. Loop thread only.

The sessions of the member end, by which the tasks of a slave go to others, and its jobs wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from concurrent.apps.revoked import tell_revoked
from concurrent.core.loggers import get_log
from concurrent.scheduling.ledger.joblife import JobLife
from concurrent.scheduling.ledger.records import JobRecord
from concurrent.scheduling.master.dispatcher import Dispatcher
from concurrent.scheduling.master.systems import SystemHosts
from concurrent.transport.calls.handler import TCPHandler
from concurrent.transport.security.auditing import IAudit
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.trust import Trust

__all__ = ["OWNER_REVOKED", "Revocation"]

OWNER_REVOKED: Final = "its owner was revoked"
"""Why a job is held whose maker is no member any more."""

log = get_log(__name__)


class Revocation:
    """See the module.

    :param trust: who is trusted no more; whoever listens to it ends what it has with them.
    :param handlers: returns the sessions of nodes.
    :param audit: told of each certificate and token that is trusted no more.
    """

    def __init__(
        self,
        trust: Trust,
        handlers: Callable[[], Iterable[TCPHandler]],
        dispatcher: Dispatcher,
        systems: SystemHosts,
        audit: IAudit,
    ) -> None:
        self._trust = trust
        self._handlers = handlers
        self._dispatcher = dispatcher
        self._systems = systems
        self._audit = audit

    def apply(self, serials: Iterable[str], gone: Collection[str]) -> None:
        """Trust nobody with these certificates and tokens any more, say so to all nodes, and see to jobs.

        It may be repeated, and is after each start; a job that somebody has released stays so.

        :param serials: all that were ever revoked.
        :param gone: the keys of identities, as ``role:name``, of which none is trusted, so that their jobs are
            held.
        """
        new = frozenset(serials) - self._trust.revoked
        if new:
            log.info("certificates and tokens that are trusted no more: %d", len(new))
            for handler in self._handlers():
                tell_revoked(handler, new)
                handler.flush()  # at once, for its session may end, and this master be one of them
            self._trust.revoke(new)
            for serial in sorted(new):
                self._audit.write("revoke", None, "", serial, "in force")
        for job in list(self._dispatcher.ledger.owners.values()):
            life = job.life
            if life is None or life.closed or life.spec.kind == "system" or life.spec.made_by not in gone:
                continue
            if not life.held_because and life.released_from != OWNER_REVOKED:
                log.warning("job %s is held: %s", job.title, OWNER_REVOKED)
                self._hold(job, life, OWNER_REVOKED)
                self._systems.hold(job.owner)

    def came_back(self, job: JobRecord, identity: Identity) -> None:
        """Have a job go on that was held, if it is its owner who attaches to it: that is a member again."""
        life = job.life
        if life is not None and life.held_because == OWNER_REVOKED and life.spec.made_by == identity.key:
            log.info("job %s is not held any more: its owner is a member again", job.title)
            self._hold(job, life, "")
            self._systems.resume(job.owner)

    def _hold(self, job: JobRecord, life: JobLife, reason: str) -> None:
        for owner in (job.owner, *life.systems):
            self._dispatcher.jobs.hold(owner, reason)
