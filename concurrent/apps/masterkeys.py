"""The keys of the cluster that a master serves: who it is, whom it lets in, and what it notes of that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from concurrent.apps.access import Access
from concurrent.apps.ephemerals import EphemeralWatch
from concurrent.apps.keywatch import KeyWatch
from concurrent.core.errors import LoopClosed, NotAllowed
from concurrent.core.loggers import get_log
from concurrent.core.rarely import RareTexts
from concurrent.transport.calls.answer import Request
from concurrent.transport.loop.loop import NodeLoop
from concurrent.transport.security.audit import AuditLog
from concurrent.transport.security.auditing import REFUSED, IAudit
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.registrar import Registrar
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import Tokens
from concurrent.transport.security.trust import Trust
from concurrent.transport.web.service import JSONService

__all__ = ["MasterKeys", "keys_of_master"]

CLOSE_TIMEOUT_S = 10.0

log = get_log(__name__)


class MasterKeys:
    """See the module.

    :param keys: the key folder.
    :param apply_revoked: called on the loop with all serials that are revoked, and with the keys of identities
        of which none is trusted, at the start and whenever they have changed.
    :param is_connected: whether a member has a session now. Any thread.
    :raises ConfigurationError: if the keys are not whole.
    """

    def __init__(
        self,
        loop: NodeLoop,
        keys: KeyFolder,
        apply_revoked: Callable[[frozenset[str], frozenset[str]], object],
        is_connected: Callable[[Identity], bool],
    ) -> None:
        self._own = keys.tls(Role.MASTER)
        self.protection = Protection(tls=self._own, trust=Trust(keys.revoked()))
        self.protection.trust.listen(self._say_own_end)
        self.cluster = keys.cluster
        """What the cluster is called."""
        self.tokens = Tokens(keys)
        self.audit = AuditLog(keys.audit_path)
        """What is done in the cluster. Loop thread only."""
        self.audit_of_threads: IAudit = _PostedAudit(loop, self.audit)
        """The same, for any thread."""
        self.registrar = Registrar(keys, is_connected=is_connected, audit=self.audit_of_threads)
        self._ephemerals = EphemeralWatch(KeyFolder(keys.folder), is_connected, self._note_forgotten)
        self._loop = loop
        self._refusals = RareTexts()
        self._watch = KeyWatch(loop, keys, apply_revoked)

    def note_refused_call(self, request: Request, error: NotAllowed) -> None:
        """Say in the log, once an hour, and in the audit log that a method is not for somebody. Any thread."""
        with suppress(LoopClosed):
            self._loop.post(self._refused_call, request, error)

    def where(self, service: JSONService) -> str:
        """Return where a master listens, for people, and how other machines get in if they can reach it."""
        if is_loopback(service.host):
            return service.url
        return (
            f"https://{service.address}/ for members of the cluster {self.cluster}; "
            "'concurrent keys invite ROLE' lets others in"
        )

    def begin(self) -> None:
        """Look for who is revoked from now on. Any thread; the master has all that ends then."""
        self._loop.post(self._watch.look)
        self._ephemerals.begin()

    def close(self) -> None:
        """Look no more. Not the loop's thread."""
        self._ephemerals.close()
        self._loop.call(self._close, timeout_s=CLOSE_TIMEOUT_S)

    def _say_own_end(self, serials: frozenset[str]) -> None:
        """Say so if nodes trust this master no more. Loop thread."""
        if self._own.identity.serial in serials:
            log.error(
                "this %s has been revoked: nodes of other machines and users leave it, and do not come back. "
                "New keys are made with 'concurrent keys rotate'; then start the master again",
                self._own.identity,
            )

    def _refused_call(self, request: Request, error: NotAllowed) -> None:
        who = f"{request.identity} at {request.peer_ip}"
        if self._refusals.is_due(f"{who} {request.method}", self._loop.time()):
            log.warning("refused a call of %s: %s", who, error)
        self.audit.write(
            "call", request.identity, request.peer_ip, request.method, f"{REFUSED}: {error.message}"
        )

    def _note_forgotten(self, member: Identity) -> None:
        self.audit_of_threads.write("forget", member, "", "ephemeral member", "done")

    def _close(self) -> None:
        self._watch.close()
        self.audit.close()


class _PostedAudit:
    """Has the lines written in the thread of the loop."""

    def __init__(self, loop: NodeLoop, audit: IAudit) -> None:
        self._loop = loop
        self._audit = audit

    def write(self, action: str, identity: Identity | None, address: str, obj: str, result: str) -> None:
        """Have a line written."""
        with suppress(LoopClosed):
            self._loop.post(self._audit.write, action, identity, address, obj, result)


def keys_of_master(
    loop: NodeLoop,
    access: Access,
    apply_revoked: Callable[[frozenset[str], frozenset[str]], object],
    is_connected: Callable[[Identity], bool],
) -> MasterKeys | None:
    """Return the keys of a master, made if there are none; None if nothing is to be protected.

    :raises ConfigurationError: if they are not whole, or cannot be made.
    """
    keys = access.master()
    return MasterKeys(loop, keys, apply_revoked, is_connected) if keys is not None else None
