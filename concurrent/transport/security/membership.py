"""Who has a key of a cluster, who is invited, and whose trust has ended. A pure module: others keep it.

Times are seconds since the epoch.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.core.nearest import nearest
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

__all__ = ["CERTIFICATE_DAYS", "EPHEMERAL_DAYS", "Invitation", "Member", "Membership", "hash_of"]

REMEMBERED_S: Final = 7 * 86400.0
"""How long an invitation that is over is known, so that whoever comes too late is told why."""

CERTIFICATE_DAYS: Final = 20 * 365
"""How long the certificate of a member is good."""

EPHEMERAL_DAYS: Final = 400
"""How long the certificate of an ephemeral member is good, and therefore remembered once it is revoked."""

ASK: Final = "Ask an admin of the cluster for a new one: concurrent keys invite ROLE"


def hash_of(secret: str) -> str:
    """Return what is kept of the secret of an invitation."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who has a certificate, or a token, that the authority has signed.

    :param role: what it may do.
    :param name: what the cluster calls it.
    :param serial: the number of the certificate, or the id of the token.
    :param made_at: when.
    :param is_token: whether it is a token.
    :param is_ephemeral: whether it is a member for one session only.
    :param address: from where it joined.
    :param invitation: the id of the invitation.
    :param ends_at: when the token ends; 0 for a certificate.
    :param revoked_at: when trust in it ended; 0 if it has not.
    :param why: why it ended.
    """

    role: Role
    name: str
    serial: str
    made_at: float
    is_token: bool = False
    is_ephemeral: bool = False
    address: str = ""
    invitation: str = ""
    ends_at: float = 0.0
    revoked_at: float = 0.0
    why: str = ""

    def __str__(self) -> str:
        return f"{'token' if self.is_token else self.role} {self.name}"

    @property
    def days(self) -> int:
        """How long its certificate is good."""
        return EPHEMERAL_DAYS if self.is_ephemeral else CERTIFICATE_DAYS

    @property
    def expires_at(self) -> float:
        """When its certificate or token ends by itself."""
        return self.ends_at if self.is_token else self.made_at + self.days * 86400.0

    @property
    def ended_at(self) -> float:
        """When the trust in it ended, or will end."""
        return self.revoked_at or self.expires_at

    @property
    def key(self) -> str:
        """The text by which its jobs are known to be its own."""
        return self.identity("").key

    def identity(self, cluster: str) -> Identity:
        """Return who it is."""
        return Identity(self.role, self.name, cluster, self.serial)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What makes somebody a member who knows a secret.

    :param hash: that of the secret.
    :param role: the role of who joins.
    :param made_at: when it was made.
    :param ends_at: when it ends.
    :param uses: how many may join yet.
    :param name: what who joins is called; empty: what its machine is called.
    :param is_ephemeral: whether who joins is a member for one session only.
    """

    hash: str = field(repr=False)
    role: Role
    made_at: float
    ends_at: float
    uses: int = 1
    name: str = ""
    is_ephemeral: bool = False

    @property
    def id(self) -> str:
        """What people call it; nobody learns the secret of it."""
        return self.hash[:8]

    def __str__(self) -> str:
        return f"invitation {self.id}"


class Membership:
    """The members and invitations of one cluster.

    :param members: in the order in which they were made.
    :param invitations: likewise.
    :param forgotten: until when serials are remembered whose members are not.
    :param former: the keys of identities, as ``role:name``, that are in no list any more and may have jobs yet.
    """

    def __init__(
        self,
        members: Iterable[Member] = (),
        invitations: Iterable[Invitation] = (),
        forgotten: Mapping[str, float] | None = None,
        former: Iterable[str] = (),
    ) -> None:
        self.members = list(members)
        self.invitations = list(invitations)
        self.forgotten = dict(forgotten or {})
        self.former = set(former)

    @property
    def revoked(self) -> frozenset[str]:
        """The serials of those whose trust has ended."""
        return frozenset(one.serial for one in self.members if one.revoked_at).union(self.forgotten)

    @property
    def gone(self) -> frozenset[str]:
        """The keys of identities, as ``role:name``, that were trusted once and of which none is now."""
        trusted = {one.key for one in self.members if not one.revoked_at}
        return frozenset(one.key for one in self.members).union(self.former) - trusted

    def clean(self, now: float) -> None:
        """Forget what nobody needs any more: invitations, certificates and tokens that are long over.

        Whoever was revoked is remembered as long as the certificate or token would have been good.
        """
        long_ago = now - REMEMBERED_S
        self.invitations = [one for one in self.invitations if one.ends_at > long_ago]
        for one in [one for one in self.members if one.expires_at <= long_ago]:
            self._remove(one)
        self.forgotten = {serial: until for serial, until in self.forgotten.items() if until > now}

    def invitation_of(self, secret: str, now: float) -> Invitation:
        """Return the invitation with a secret.

        :raises NotAllowed: if there is none, or it is over; says which.
        """
        wanted = hash_of(secret)
        found = [one for one in self.invitations if hmac.compare_digest(one.hash, wanted)]
        if not found:
            raise NotAllowed("there is no such invitation", thing="invitation", remedy=ASK)
        if found[0].uses < 1:
            raise NotAllowed(f"{found[0]} was used up", thing="invitation", remedy=ASK)
        if found[0].ends_at <= now:
            raise NotAllowed(f"{found[0]} has expired", thing="invitation", remedy=ASK)
        return found[0]

    def admit(
        self, invitation: Invitation, new: Member, cluster: str, is_connected: Callable[[Identity], bool]
    ) -> None:
        """Use an invitation for a new member, which takes the place of one of that role and name.

        :param is_connected: whether a member has a session now.
        :raises NotAllowed: if that other one has: two machines of one name are no reinstalled one. Or if it is
            somebody whose jobs belong to that name, and the invitation is for anybody.
        """
        if new.role is not Role.SLAVE and not invitation.name:
            self._check_unused(new)
        for old in self._trusted(new.role, new.name):
            if is_connected(old.identity(cluster)):
                raise NotAllowed(
                    f"{old} is connected, so another one cannot take its place",
                    thing="name",
                    value=old.name,
                    remedy="Join with another name (concurrent join --name NAME ...), or have an admin revoke "
                    f"that one: concurrent keys revoke {old.role}/{old.name}",
                )
            self._end(old, new.made_at, "replaced")
        place = self.invitations.index(invitation)
        self.invitations[place] = dataclasses.replace(invitation, uses=invitation.uses - 1)
        self.members.append(new)

    def revoke(self, what: str, now: float) -> tuple[Member | Invitation, ...]:
        """End the trust in all that have a name, or in one of a serial or id; returns them.

        :param what: ``NAME``, ``ROLE/NAME``, a serial number, or the id of a token or an invitation.
        :raises ConfigurationError: if there is nobody.
        """
        members = [one for one in self.members if what in _handles(one) and not one.revoked_at]
        invitations = [one for one in self.invitations if what == one.id and one.uses > 0]
        if not members and not invitations:
            raise self._unknown(what)
        for one in members:
            self._end(one, now, "revoked")
        self.invitations = [one for one in self.invitations if one not in invitations]
        return (*members, *invitations)

    def forget_ephemeral(self, name: str, now: float) -> bool:
        """End the trust in ephemeral members of a name and forget them; returns whether there was any."""
        gone = [one for one in self.members if one.is_ephemeral and one.name == name]
        for one in gone:
            self._remove(one)
            self.forgotten[one.serial] = now + EPHEMERAL_DAYS * 86400.0
        return bool(gone)

    def to_json(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return members and invitations as plain values."""
        members = {
            "members": [dataclasses.asdict(one) for one in self.members],
            "forgotten": self.forgotten,
            "former": sorted(self.former),
        }
        return members, {"invitations": [dataclasses.asdict(one) for one in self.invitations]}

    @classmethod
    def from_json(cls, members: Mapping[str, Any], invitations: Mapping[str, Any]) -> Membership:
        """Return what ``to_json`` had.

        :raises ValueError: if that is another thing; also KeyError and TypeError.
        """
        return cls(
            (Member(**{**one, "role": Role(one["role"])}) for one in members["members"]),
            (Invitation(**{**one, "role": Role(one["role"])}) for one in invitations["invitations"]),
            {str(serial): float(until) for serial, until in members["forgotten"].items()},
            map(str, members.get("former", ())),  # older releases have none
        )

    def _trusted(self, role: Role, name: str) -> list[Member]:
        return [
            one
            for one in self.members
            if (one.role, one.name) == (role, name) and not one.is_token and not one.revoked_at
        ]

    def _check_unused(self, new: Member) -> None:
        """Raise NotAllowed if a role and name are, or were, somebody's: who is called so has its jobs."""
        if new.key in self.former or any(one.key == new.key for one in self.members):
            raise NotAllowed(
                f"there is or was a {new.role} {new.name}, whose jobs would be those of the new one",
                thing="name",
                value=new.name,
                remedy="Join with another name (concurrent join --name NAME ...), or have an admin say in the "
                f"invitation that it is for that one: concurrent keys invite {new.role} --name {new.name}",
            )

    def _remove(self, member: Member) -> None:
        """Forget a member but for its name, if there may be jobs in that."""
        self.members.remove(member)
        if member.role is not Role.SLAVE:
            self.former.add(member.key)

    def _end(self, member: Member, now: float, why: str) -> None:
        self.members[self.members.index(member)] = dataclasses.replace(member, revoked_at=now, why=why)

    def _unknown(self, what: str) -> ConfigurationError:
        ended = any(what in _handles(one) for one in self.members)
        known = sorted(self._names())
        near = nearest(what, known)
        return ConfigurationError(
            f"{what} has been revoked already"
            if ended
            else f"there is no member, token or invitation {what!r}",
            thing="name",
            value=what,
            remedy=f"Did you mean {near}?"
            if near and not ended
            else "See them all with 'concurrent keys list'",
        )

    def _names(self) -> Iterator[str]:
        for one in self.members:
            if not one.revoked_at:
                yield one.name
                yield one.serial
        yield from (one.id for one in self.invitations)


def _handles(member: Member) -> tuple[str, ...]:
    return member.name, f"{member.role}/{member.name}", member.serial
