"""Changes who is a member of a cluster, in its key folder. Any thread; what a method has done is kept."""

from __future__ import annotations

import base64
import secrets
import time
from typing import Final

from concurrent.core.errors import ConfigurationError
from concurrent.transport.security.keyfolder import KeyFolder
from concurrent.transport.security.membership import Invitation, Member, hash_of
from concurrent.transport.security.names import check_member_name
from concurrent.transport.security.roles import Role

__all__ = ["INVITED", "Members"]

INVITED: Final = (Role.SLAVE, Role.SUBMIT, Role.OBSERVE, Role.ADMIN)
"""The roles that others can be invited to."""

SECRET_BYTES: Final = 16


class Members:
    """See the module.

    :param keys: the key folder, on a machine of masters.
    """

    def __init__(self, keys: KeyFolder) -> None:
        self._keys = keys

    def all(self) -> list[Member]:
        """Return everybody who has, or had, a certificate or a token."""
        self._keys.check_authority()
        return self._keys.membership().members

    def invitations(self) -> list[Invitation]:
        """Return the invitations that are open."""
        self._keys.check_authority()
        now = time.time()
        return [one for one in self._keys.membership().invitations if one.uses > 0 and one.ends_at > now]

    def invite(
        self, role: Role, *, uses: int = 1, ttl_s: float = 3600.0, name: str = "", is_ephemeral: bool = False
    ) -> str:
        """Make an invitation and return its secret, which nobody can tell again.

        :param role: what who joins may do.
        :param uses: how many may join.
        :param ttl_s: for how long, in seconds.
        :param name: what who joins is called; empty: what its machine is called.
        :param is_ephemeral: whether members are forgotten some time after they have left.
        :raises ConfigurationError: if nobody can be invited so.
        """
        if role not in INVITED:
            raise ConfigurationError(
                f"nobody can be invited as {role}", thing="role", value=str(role),
                remedy=f"Use {', '.join(INVITED)}",
            )  # fmt: skip
        if name:
            check_member_name(name)
        if name and uses != 1:
            raise ConfigurationError(
                f"{uses} members cannot all be called {name}", thing="--name", value=name,
                remedy="Leave out --name or --uses",
            )  # fmt: skip
        secret = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).decode().rstrip("=")
        now = time.time()
        with self._keys.changing() as membership:
            membership.invitations.append(
                Invitation(hash_of(secret), role, now, now + ttl_s, uses, name, is_ephemeral)
            )
        return secret

    def revoke(self, what: str) -> tuple[Member | Invitation, ...]:
        """End the trust in all members and tokens of a name, or in one of a serial or id; returns them.

        :raises ConfigurationError: if there is nobody, or it is this machine itself.
        """
        own = self._keys.tls(Role.MASTER).identity.serial
        with self._keys.changing() as membership:
            ended = membership.revoke(what, time.time())
            if any(isinstance(one, Member) and one.serial == own for one in ended):
                raise ConfigurationError(
                    f"{what} is this machine, whose master needs its key", thing="name", value=what,
                    remedy="Name another one as ROLE/NAME; if this key is known: concurrent keys rotate",
                )  # fmt: skip
        return ended

    def forget_ephemeral(self, name: str) -> bool:
        """End the trust in an ephemeral member whose session has ended; returns whether it was one."""
        if not any(one.is_ephemeral and one.name == name for one in self.all()):
            return False
        with self._keys.changing() as membership:
            return membership.forget_ephemeral(name, time.time())
