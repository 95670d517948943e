"""Makes members of those who were invited: what the master does at ``/join``. Any thread."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from concurrent.core.items import Host
from concurrent.core.loggers import get_log
from concurrent.transport.security.auditing import NO_AUDIT, IAudit
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import AUTHORITY_KEY, KeyFolder
from concurrent.transport.security.membership import Member
from concurrent.transport.security.names import member_name
from concurrent.transport.security.newkeys import new_serial

__all__ = ["Registrar"]

log = get_log(__name__)


def nobody_is_connected(_member: Identity) -> bool:
    """Say so of every member."""
    return False


class Registrar:
    """See the module.

    :param keys: the key folder of the cluster, on a machine of masters.
    :param masters: the addresses of masters that a new member is told.
    :param is_connected: whether a member has a session now; asked in the thread of ``join``.
    :param audit: told who gets a key.
    """

    def __init__(
        self,
        keys: KeyFolder,
        masters: tuple[Host, ...] = (),
        is_connected: Callable[[Identity], bool] = nobody_is_connected,
        audit: IAudit = NO_AUDIT,
    ) -> None:
        self._keys = keys
        self._masters = masters
        self._is_connected = is_connected
        self._audit = audit

    def check_invitation(self, secret: str) -> None:
        """Look whether somebody with that secret may join now; to be asked before more is read of it.

        :raises NotAllowed: if not. Who has the secret of an invitation that is over is told so.
        """
        self._keys.membership().invitation_of(secret, time.time())

    def join(self, secret: str, request_pem: bytes, address: str) -> bytes:
        """Make somebody a member and return what it needs, as JSON.

        :param secret: that of its invitation.
        :param request_pem: the signing request for its key.
        :param address: where it comes from, for people.
        :raises NotAllowed: if it cannot be; says why.
        """
        member, answer = self._admit(secret, request_pem, address)
        who = member.identity(self._keys.cluster)
        self._audit.write("key", who, address, f"invitation {member.invitation}", "done")
        log.info("%s has joined from %s, by invitation %s", member, address, member.invitation)
        return json.dumps(answer).encode()

    def _admit(self, secret: str, request_pem: bytes, address: str) -> tuple[Member, dict[str, Any]]:
        from concurrent.transport.security.authority import Authority, name_in_request

        wished = name_in_request(request_pem)
        authority = Authority(self._keys.read(AUTHORITY_KEY), self._keys.certificate)
        now = time.time()
        with self._keys.changing() as membership:
            invitation = membership.invitation_of(secret, now)
            name = invitation.name or member_name(wished)
            if invitation.is_ephemeral:
                name = f"{name[:50]}-{secrets.token_hex(3)}"
            member = Member(
                invitation.role, name, new_serial(), now,
                is_ephemeral=invitation.is_ephemeral, address=address, invitation=invitation.id,
            )  # fmt: skip
            membership.admit(invitation, member, self._keys.cluster, self._is_connected)
            certificate = authority.issue(request_pem, member.identity(self._keys.cluster), member.days)
        return member, {
            "certificate": certificate.decode(),
            "authority": authority.certificate_pem.decode(),
            "cluster": self._keys.cluster,
            "role": str(member.role),
            "masters": [str(one) for one in self._masters or self._keys.masters],
        }
