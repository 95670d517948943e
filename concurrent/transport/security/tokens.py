"""Tokens: what people and scripts show over HTTP in the place of a certificate. Any thread.

A token is ``ct1.BODY.SIGNATURE``, both base64url without padding. ``BODY`` is JSON with ``cluster``, ``role``,
``name``, ``id`` (16 hexadecimal digits), ``made`` and ``ends`` (seconds since the epoch). ``SIGNATURE`` is that
of the authority of the cluster (ECDSA with P-256 and SHA-256, r and s of 32 bytes each) over
``concurrent token 1``, a zero byte and ``BODY`` as it stands: whoever has ``ca.crt`` can verify it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any, Final, NamedTuple

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.keyfolder import AUTHORITY_KEY, KeyFolder
from concurrent.transport.security.membership import Member
from concurrent.transport.security.names import check_member_name
from concurrent.transport.security.roles import Role

__all__ = ["TOKEN_ROLES", "Tokens"]

TOKEN_ROLES: Final = (Role.OBSERVE, Role.SUBMIT, Role.ADMIN)
"""What a token can be good for: nodes need a key of their own."""

PREFIX: Final = "ct1"
SIGNED: Final = b"concurrent token 1\0"
"""What is signed begins so, and no certificate does."""

LENGTH_MAX: Final = 1000
LEEWAY_S: Final = 60.0
"""How far the clocks of two machines may be apart."""

KNOWN_MAX: Final = 1000


class _Known(NamedTuple):
    identity: Identity
    ends_at: float


class Tokens:
    """Makes tokens, where the key of the authority is, and knows them everywhere.

    :param keys: the key folder of the cluster.
    """

    def __init__(self, keys: KeyFolder) -> None:
        self._keys = keys
        self._public: bytes | None = None
        self._known: dict[bytes, _Known] = {}

    def make(self, role: Role, *, ttl_s: float, name: str = "") -> str:
        """Return a new token, which nobody can tell again.

        :param role: what it lets its holder do.
        :param ttl_s: for how long, in seconds.
        :param name: what its holder is called; empty: ``token-`` and its id.
        :raises ConfigurationError: if there can be none of that role or name, or the authority is not here.
        """
        from concurrent.transport.security.authority import Authority

        if role not in TOKEN_ROLES:
            raise ConfigurationError(
                f"a {role} needs a key of its own, not a token", thing="role", value=str(role),
                remedy=f"Invite it with 'concurrent keys invite {role}'" if role is Role.SLAVE
                else f"Use {', '.join(TOKEN_ROLES)}",
            )  # fmt: skip
        now = time.time()
        token_id = secrets.token_hex(8)
        name = check_member_name(name or f"token-{token_id[:6]}")
        member = Member(role, name, token_id, now, is_token=True, ends_at=now + ttl_s)
        with self._keys.changing() as membership:
            authority = Authority(self._keys.read(AUTHORITY_KEY), self._keys.certificate)
            membership.members.append(member)
        values = {
            "cluster": self._keys.cluster, "role": str(role), "name": name, "id": token_id,
            "made": int(now), "ends": int(member.ends_at),
        }  # fmt: skip
        body = _encode(json.dumps(values, separators=(",", ":")).encode())
        return f"{PREFIX}.{body}.{_encode(authority.sign(SIGNED + body.encode()))}"

    def identity_of(self, text: str) -> Identity:
        """Return who has shown a token.

        :raises NotAllowed: if it is none, of another cluster, over or revoked; says which, for the log and not
            for the stranger.
        """
        key = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        known = self._known.get(key)
        if known is None:
            known = self._verified(text)
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            self._known[key] = known
        if time.time() > known.ends_at + LEEWAY_S:
            raise _refused(f"the token of {known.identity} has expired")
        if known.identity.serial in self._keys.revoked():
            raise _refused(f"the token of {known.identity} has been revoked")
        return known.identity

    def _verified(self, text: str) -> _Known:
        """Return what a token says if the authority has signed it."""
        from concurrent.transport.security.authority import is_signature, key_of_authority

        prefix, _, rest = text.partition(".")
        body, dot, signature = rest.partition(".")
        if len(text) > LENGTH_MAX or prefix != PREFIX or not dot:
            raise _refused("what was shown is not a token")
        try:
            values, signed = json.loads(_decode(body)), _decode(signature)
        except (ValueError, RecursionError):
            raise _refused("the token is cut short or mistyped") from None
        if not isinstance(values, dict):
            raise _refused("the token is cut short or mistyped")
        if values.get("cluster") != self._keys.cluster:
            raise _refused("the token belongs to another cluster")
        if self._public is None:
            self._public = key_of_authority(self._keys.certificate)
        if not is_signature(signed, SIGNED + body.encode(), self._public):
            raise _refused(f"the authority of {self._keys.cluster} has not signed the token")
        return _said(values)


def _said(values: dict[str, Any]) -> _Known:
    try:
        role, name, token_id = Role(values["role"]), check_member_name(values["name"]), str(values["id"])
        ends_at = float(values["ends"])
        return _Known(Identity(role, name, values["cluster"], token_id, ends_at), ends_at)
    except (KeyError, TypeError, ValueError, ConfigurationError):
        raise _refused("the token was made by another version of Concurrent") from None


def _refused(reason: str) -> NotAllowed:
    return NotAllowed(
        reason, thing="token", remedy="Ask an admin of the cluster for a new one: concurrent keys token ROLE"
    )


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decode(text: str) -> bytes:
    """Return what was encoded. Raises ValueError if that is not exactly how it is written."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(content) != text:
        raise ValueError("another way to write it")
    return content
