"""Browsers that were let in: codes that open one, and the cookies by which it is known after that.

Nothing is kept but in memory, and of what is secret only the hash. Any thread: each change is one operation of
a dictionary, and whoever loses a race is told what it would have been told a moment later.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.trust import Trust

__all__ = ["CODE_TTL_S", "LOGIN_TTL_S", "Logins"]

CODE_TTL_S: Final = 60.0
LOGIN_TTL_S: Final = 12 * 3600.0
CODES_MAX: Final = 100
LOGINS_MAX: Final = 1000
"""Of more, the oldest is gone of whoever has most."""

SECRET_BYTES: Final = 32

OPEN_REMEDY: Final = "Type 'concurrent open' again, and use the address that it shows within a minute, once"


class _Entry(NamedTuple):
    identity: Identity
    end: float


class Logins:
    """See the module.

    :param trust: who was revoked: their logins are of no use any more.
    :param clock: returns the present time in seconds since the epoch.
    """

    def __init__(self, trust: Trust, clock: Callable[[], float] = time.time) -> None:
        self._trust = trust
        self._clock = clock
        self._code_by_hash: dict[bytes, _Entry] = {}
        self._login_by_hash: dict[bytes, _Entry] = {}

    def code_for(self, identity: Identity) -> str:
        """Return a code that logs a browser in as ``identity``: once, and within ``CODE_TTL_S``.

        Neither code nor login lasts longer than the identity: that of a login is not renewed by itself.

        :raises NotAllowed: if the trust in that identity has ended.
        """
        self._trust.check(identity)
        return self._keep(self._code_by_hash, identity, CODE_TTL_S, CODES_MAX)

    def identity_of_code(self, code: str) -> Identity:
        """Return whom a code lets in, which is not used up by that.

        :raises NotAllowed: if there is no such code, or no more.
        """
        return self._known(self._code_by_hash.get(_hash(code)))

    def redeem(self, code: str) -> str:
        """Return the secret of a cookie for a code, which is used up by that.

        :raises NotAllowed: if there is no such code, or no more.
        """
        return self.log_in(self._known(self._code_by_hash.pop(_hash(code), None)))

    def log_in(self, identity: Identity) -> str:
        """Return the secret of a new cookie.

        :raises NotAllowed: if the trust in that identity has ended.
        """
        self._trust.check(identity)
        return self._keep(self._login_by_hash, identity, LOGIN_TTL_S, LOGINS_MAX)

    def identity_of(self, secret: str) -> Identity:
        """Return who a cookie was given to; that identity ends with the login.

        :raises NotAllowed: if it is none, or its time or the trust in who has it has ended.
        """
        entry = self._login_by_hash.get(_hash(secret))
        if entry is None or entry.end <= self._clock():
            raise NotAllowed("this login has ended", thing="cookie", remedy=OPEN_REMEDY)
        self._trust.check(entry.identity)
        return replace(entry.identity, ends_at=entry.end)

    def log_out(self, secret: str) -> None:
        """End a login, if there is one."""
        self._login_by_hash.pop(_hash(secret), None)

    def _known(self, code: _Entry | None) -> Identity:
        if code is None or code.end <= self._clock():
            raise NotAllowed("this login was used, has ended or never was", thing="code", remedy=OPEN_REMEDY)
        return code.identity

    def _keep(self, entries: dict[bytes, _Entry], identity: Identity, ttl_s: float, count_max: int) -> str:
        now = self._clock()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        entries[_hash(secret)] = _Entry(identity, min(now + ttl_s, identity.ends_at))
        for key, entry in tuple(entries.items()):
            if entry.end <= now:
                entries.pop(key, None)
        if len(entries) > count_max:
            _drop_one(entries)
        return secret


def _drop_one(entries: dict[bytes, _Entry]) -> None:
    """Drop the oldest entry of whoever has most, so that nobody pushes out others."""
    kept = tuple(entries.items())  # the oldest first
    crowd, _count = Counter(entry.identity.key for _, entry in kept).most_common(1)[0]
    entries.pop(next(key for key, entry in kept if entry.identity.key == crowd), None)


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
