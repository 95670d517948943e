"""Who asks, and whether it may: what decides on a request before anything reads its body.

The order is: by which name the node was reached, who asks, from which site. Any thread of the service.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

from concurrent.core.errors import ConcurrentError, NotAllowed
from concurrent.transport.security.hosts import is_loopback
from concurrent.transport.security.howtojoin import how_to_join
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.protection import Protection
from concurrent.transport.security.roles import Role, in_order
from concurrent.transport.web.logins import Logins
from concurrent.transport.web.sites import is_from_elsewhere, is_navigation, is_own_name

__all__ = [
    "READING_VERBS",
    "WHO_ASKS",
    "Admission",
    "Caller",
    "Head",
    "ITokens",
    "Refused",
    "check_role",
    "head_of",
]

READING_VERBS: Final = ("GET", "HEAD")

HEADER_BY_KEY: Final = {
    f"HTTP_{name.upper().replace('-', '_')}": name
    for name in (
        "Host", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Authorization", "Cookie",
        "Accept",
    )
}  # fmt: skip
"""What decides on a request, by its name in WSGI."""

STRANGER_REMEDY: Final = (
    "Type 'concurrent open' where the node runs, or send a token: 'concurrent keys token ROLE' makes one"
)
WHO_ASKS: Final = NotAllowed("this node answers only those whom it knows", remedy=STRANGER_REMEDY)
"""What a stranger is told, and no more."""

UNSPECIFIED: Final = ("", "0.0.0.0", "::")
"""What a node listens on that listens everywhere; it is no name by which anybody means it."""


class Refused(Exception):
    """A request that gets nothing but the reason.

    :param status: number and phrase.
    :param error: the reason.
    """

    def __init__(self, status: str, error: ConcurrentError) -> None:
        self.status = status
        self.error = error
        super().__init__(status)


class ITokens(Protocol):
    """What knows the tokens of a cluster. Any thread."""

    def identity_of(self, text: str) -> Identity:
        """Return who a token is of.

        :raises NotAllowed: if it is none, has expired or was revoked.
        """


class Head(NamedTuple):
    """What a request says before its body, and who is at the other end of its connection.

    :param headers: those that are looked at, by their names as they are written usually.
    :param own_ip: the address of this machine that was reached; empty in the node's place.
    :param identity: who the connection says it is; None: it does not.
    :param is_of_other_user: whether another user of this machine is at its other end, as far as that is known.
    """

    verb: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer_ip: str
    own_ip: str
    is_encrypted: bool
    identity: Identity | None
    is_of_other_user: Callable[[], bool] = lambda: False

    @property
    def wants_page(self) -> bool:
        """Whether a person with a browser asks."""
        return "text/html" in self.headers.get("Accept", "")

    def credentials(self, scheme: str) -> str | None:
        """Return what ``Authorization`` says after a scheme; None if there is none, or another one."""
        first, _, rest = self.headers.get("Authorization", "").partition(" ")
        return rest.strip() if first.lower() == scheme.lower() else None

    def cookies(self, name: str) -> list[str]:
        """Return the values of the cookies of a name; there may be several, of several paths."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("Cookie", "").split(";"))
        return [value for key, _, value in pairs if key == name]


class Caller(NamedTuple):
    """Who asks.

    :param has_cookie: it is a browser, which pages of other sites could use.
    """

    identity: Identity
    has_cookie: bool = False


def head_of(env: Mapping[str, Any], path: str) -> Head:
    """Return the head of the request that WSGI describes.

    :param path: its path, decoded.
    """
    connection = env["concurrent.connection"]
    headers = {name: env[key] for key, name in HEADER_BY_KEY.items() if key in env}
    headers.setdefault("Host", "localhost")  # HTTP/1.0 needs none
    return Head(
        env["REQUEST_METHOD"],
        path,
        env.get("QUERY_STRING", ""),
        headers,
        connection.remote_addr,
        connection.own_ip,
        connection.is_encrypted,
        connection.identity,
        connection.is_of_other_user,
    )


class Admission:
    """See the module.

    :param host: the address that the node listens on.
    :param port: its port.
    :param protection: that of the node; None or an open one lets everybody in.
    :param names: more names by which it may be reached.
    :param tokens: knows the tokens; None: there are none.
    :param logins: knows the cookies.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        protection: Protection | None,
        names: Iterable[str],
        tokens: ITokens | None,
        logins: Logins,
    ) -> None:
        keys = protection.tls if protection is not None else None
        self.cookie = f"concurrent-{keys.cluster if keys is not None else 'local'}-{port}"
        self._is_open = protection is None or protection.is_open
        self._takes_any_name = self._is_open and not is_loopback(host)
        self._names = {name.lower() for name in ("localhost", "127.0.0.1", *_own_names(), *names)}
        if host not in UNSPECIFIED:
            self._names.add(host.lower())
        if keys is not None:
            self._names |= {keys.master_name, keys.node_name}
        self._trust = protection.trust if protection is not None else None
        self._tokens = tokens
        self._logins = logins

    def check_name(self, head: Head) -> None:
        """Raise Refused unless the client meant this node, and was not led here by a name of others'."""
        header = head.headers["Host"]
        if self._takes_any_name or is_own_name(header, self._names) or is_own_name(header, (head.own_ip,)):
            return
        error = NotAllowed(
            "the Host header is not a name of this machine",
            thing="Host",
            value=header[:100],
            remedy="If it is a name of yours that leads here, add it to transport.names",
        )
        raise Refused("403 Forbidden", error)

    def caller(self, head: Head) -> Caller:
        """Return who asks.

        :raises Refused: if nobody knows who that is; with the reason if it has given something to be known by.
        """
        try:
            identity = head.identity
            if identity is not None:
                if self._trust is not None:
                    self._trust.check(identity)
                return Caller(identity)
            if "Authorization" in head.headers:
                return Caller(self.identity_of_token(head.credentials("Bearer") or ""))
            return self._of_cookie(head)
        except NotAllowed as error:
            raise Refused("401 Unauthorized", error) from error

    def identity_of_token(self, text: str) -> Identity:
        """Return who a token is of.

        :raises NotAllowed: if it is none, has expired or was revoked; only its cause says which.
        """
        try:
            if self._tokens is None:
                raise NotAllowed("this node knows no tokens")
            identity = self._tokens.identity_of(text)
            if self._trust is not None:
                self._trust.check(identity)
        except NotAllowed as error:
            raise NotAllowed(
                "this node does not take the token: it is cut, has ended, was revoked or is of another cluster",
                thing="token",
                remedy="Ask an admin of the cluster for a new one: concurrent keys token ROLE",
            ) from error
        return identity

    def check_user(self, head: Head, identity: Identity) -> None:
        """Raise NotAllowed if another user of this machine shows what lets in the user of this node.

        A browser tells it to whoever listens at a port of its machine, and lists of processes show it.

        :param identity: who is let in by it.
        """
        if identity == THIS_USER and head.is_of_other_user():
            raise NotAllowed(
                "this login is good for processes of the user of this node only",
                thing="login",
                remedy="Log in with a token: 'concurrent keys token ROLE' prints one",
            )

    def check_site(self, head: Head, caller: Caller | None, *, is_login: bool = False) -> None:
        """Raise Refused if a page of another site makes a request that it must not.

        :param caller: who asks; None: nobody who is known.
        :param is_login: whether it would give a browser a cookie, as which only pages of this node may do.
        """
        has_cookie = caller is not None and caller.has_cookie
        is_reading = head.verb in READING_VERBS
        if is_reading and (not has_cookie or is_navigation(head.headers)):
            return
        must_say = (has_cookie or is_login) and not is_reading
        if is_from_elsewhere(head.headers, is_encrypted=head.is_encrypted, must_say=must_say):
            error = NotAllowed(
                "a page of another site may not call methods here",
                thing="Origin",
                value=head.headers.get("Origin", "")[:100],
                remedy="Open the page of the node itself; programs send a token and no Origin",
            )
            raise Refused("403 Forbidden", error)

    def _of_cookie(self, head: Head) -> Caller:
        problem = WHO_ASKS
        for secret in head.cookies(self.cookie):
            try:
                identity = self._logins.identity_of(secret)
                self.check_user(head, identity)
                return Caller(identity, has_cookie=True)
            except NotAllowed as error:
                problem = error
        raise problem


def check_role(identity: Identity, roles: Iterable[Role], what: str) -> None:
    """Raise Refused unless one of ``roles`` is that of who asks.

    :param what: what is asked for.
    """
    if identity.role in roles:
        return
    known = in_order(roles)
    error = NotAllowed(
        f"{identity} may not see {what}, which is for {', '.join(known)}",
        thing=what,
        value=identity.role.value,
        remedy=how_to_join(known[0]),
    )
    raise Refused("403 Forbidden", error)


def _own_names() -> tuple[str, ...]:
    """Return what this machine calls itself."""
    name = socket.gethostname()
    short = name.partition(".")[0]
    return (name, short, f"{short}.local")
