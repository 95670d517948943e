"""Who gets what from the JSON API of a protected node: all paths, verbs and credentials."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.members import Members
from concurrent.transport.security.place import Place
from concurrent.transport.security.roles import Role
from concurrent.transport.security.tokens import TOKEN_ROLES
from tests.clusterkeys import join
from tests.integration.transport.http_peers import Reply
from tests.integration.transport.protected_peers import MEMBERS, Cluster, ProtectedPeer

PATHS = (
    "/", "/ping", "/large", "/secret", "/none", "/api/1", "/openapi.json", "/favicon.ico", "/login", "/logout",
    "/join", "//", "/ping/", "/%70ing", "/PING", "/api/1/", "/login/", "/..%2f", "/ping?x=1",
    "/login?code=guessed", "/login?code=", "/login?code=a&code=b", "/join?secret=guessed",
)  # fmt: skip
VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")
LIVES = {
    ("GET", "/ping"),
    ("HEAD", "/ping"),
    ("GET", "/%70ing"),
    ("HEAD", "/%70ing"),
    ("GET", "/ping?x=1"),
    ("HEAD", "/ping?x=1"),
}
CALL = b'{"jsonrpc":"2.0","id":1,"method":"whoami"}'
JSON = {"Content-Type": "application/json"}

Ask = Callable[[str, str], Reply]


def strangers(peer: ProtectedPeer, cluster: Cluster, other: Cluster) -> dict[str, Callable[[], dict[str, str]]]:
    """Return the headers of those who are not known, by what is wrong with them."""
    admin = cluster.tls_by_role[Role.ADMIN].identity

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def revoked_token() -> str:
        token = cluster.tokens.make(Role.ADMIN, ttl_s=60, name="gone")
        Members(cluster.keys).revoke("gone")
        return token

    def told_token() -> str:
        token = cluster.tokens.make(Role.ADMIN, ttl_s=60)
        peer.trust.revoke([cluster.tokens.identity_of(token).serial])
        return token

    def revoked_cookie() -> str:
        keys = join(cluster.keys, cluster.keys.folder.parent.parent / "leaver", Role.ADMIN, "leaver")
        identity = keys.tls(Role.ADMIN).identity
        cookie = peer.cookie_of(identity)
        peer.trust.revoke([identity.serial])
        return cookie

    def ended_cookie() -> str:
        cookie = peer.cookie_of(admin)
        peer.service.logins.log_out(cookie.partition("=")[2])
        return cookie

    return {
        "nothing": dict,
        "no scheme": lambda: {"Authorization": cluster.tokens.make(Role.ADMIN, ttl_s=60)},
        "another scheme": lambda: {"Authorization": "Basic " + cluster.tokens.make(Role.ADMIN, ttl_s=60)},
        "empty token": lambda: bearer(""),
        "wrong token": lambda: bearer("guessed"),
        "cut token": lambda: bearer(cluster.tokens.make(Role.ADMIN, ttl_s=60)[:-1]),
        "ended token": lambda: bearer(cluster.tokens.make(Role.ADMIN, ttl_s=-100)),
        "revoked token": lambda: bearer(revoked_token()),
        "token of another cluster": lambda: bearer(other.tokens.make(Role.ADMIN, ttl_s=60)),
        "wrong token and right cookie": lambda: bearer("guessed") | {"Cookie": peer.cookie_of(admin)},
        "wrong scheme and right cookie": lambda: {"Authorization": "Basic x", "Cookie": peer.cookie_of(admin)},
        "token that only the master knows to be revoked": lambda: bearer(told_token()),
        "wrong cookie": lambda: {"Cookie": f"{peer.cookie}=guessed"},
        "empty cookie": lambda: {"Cookie": f"{peer.cookie}="},
        "ended cookie": lambda: {"Cookie": ended_cookie()},
        "revoked cookie": lambda: {"Cookie": revoked_cookie()},
        "cookie of another port": lambda: {"Cookie": peer.cookie_of(admin).replace("=", "1=", 1)},
        "token as cookie": lambda: {"Cookie": f"{peer.cookie}={cluster.tokens.make(Role.ADMIN, ttl_s=60)}"},
        "cookie as token": lambda: bearer(peer.cookie_of(admin).partition("=")[2]),
        "an invitation": lambda: bearer(Members(cluster.keys).invite(Role.ADMIN)),
    }


STRANGERS = (
    "nothing", "no scheme", "another scheme", "empty token", "wrong token", "cut token", "ended token",
    "revoked token", "token of another cluster", "wrong token and right cookie",
    "wrong scheme and right cookie", "token that only the master knows to be revoked", "wrong cookie",
    "empty cookie", "ended cookie", "revoked cookie", "cookie of another port", "token as cookie",
    "cookie as token", "an invitation",
)  # fmt: skip


def check_stranger(ask: Ask) -> None:
    for path in PATHS:
        for verb in VERBS:
            reply = ask(verb, path)
            if (verb, path) in LIVES:
                assert (reply.status, reply.body) == (200, b"{}" if verb == "GET" else b""), (verb, path)
                continue
            assert reply.status == 401, (verb, path)
            assert reply.headers["WWW-Authenticate"] == "Bearer"
            shown = json.dumps(reply.headers) + reply.body.decode()
            for told in (
                "office-4kd2",
                'node"',
                "0.",
                "the-admin",
                "127.0.0.1",
                '"Allow"',
                "Set-Cookie",
                "Location",
            ):
                assert told not in shown, (verb, path, told)


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_gets_401_everywhere_and_learns_that_the_node_lives(
    peer: ProtectedPeer, cluster: Cluster, other: Cluster, who: str
) -> None:
    headers = strangers(peer, cluster, other)[who]()
    check_stranger(lambda verb, path: peer.ask(verb, path, headers=headers))


def test_so_does_one_that_speaks_tls_and_has_no_certificate(peer: ProtectedPeer, cluster: Cluster) -> None:
    client = cluster.client_without_key()
    check_stranger(lambda verb, path: peer.ask_tls(client, verb, path))


@pytest.mark.parametrize("kind", ["of another cluster", "expired", "signed by itself"])
def test_a_certificate_that_the_authority_does_not_vouch_for_ends_the_handshake(
    peer: ProtectedPeer, cluster: Cluster, other: Cluster, kind: str
) -> None:
    if kind == "expired":
        client = cluster.expired_client()
    elif kind == "of another cluster":
        key = other.keys.read("admin.key") if "admin" in other.keys.roles else other.keys.read("master.key")
        client = cluster.client_with(key, other.keys.read("master.crt"))
    else:
        client = cluster.client_with(other.keys.read("ca.key"), other.keys.certificate)
    for path in ("/ping", "/", "/api/1"):
        with pytest.raises(OSError):
            peer.ask_tls(client, "GET", path)


def test_a_revoked_certificate_is_refused_in_words_before_anything_is_read(
    peer: ProtectedPeer, cluster: Cluster
) -> None:
    keys = join(cluster.keys, cluster.keys.folder.parent.parent / "former", Role.ADMIN, "former").tls(
        Role.ADMIN
    )
    with peer.connect_tls(keys.client) as early:
        early.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert early.recv(12) == b"HTTP/1.1 200"
        peer.trust.revoke([keys.identity.serial])
        early.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")  # a connection that was made before
        assert b"HTTP/1.1 401" in read_until(early, b"revoked")
    for verb, path in (("GET", "/ping"), ("GET", "/"), ("POST", "/api/1")):
        reply = peer.ask_tls(keys.client, verb, path)
        assert (reply.status, reply.json["error"]["code"]) == (403, "not-allowed")
        assert "admin former has been revoked" in reply.json["error"]["message"]


def read_until(sock: ssl.SSLSocket, end: bytes) -> bytes:
    data = b""
    while end not in data and (more := sock.recv(65536)):
        data += more
    return data


SEEN_BY_OBSERVERS = {"/": 200, "/ping": 200, "/large": 200, "/api/1": 200, "/openapi.json": 200}


@pytest.mark.parametrize(
    ("way", "role"),
    [
        *(("certificate", role) for role in (*MEMBERS, Role.MASTER)),
        *(("cookie", role) for role in (*MEMBERS, Role.MASTER)),
        *(("token", role) for role in TOKEN_ROLES),
    ],
)
def test_each_role_sees_what_it_may(peer: ProtectedPeer, cluster: Cluster, role: Role, way: str) -> None:
    tls = cluster.tls_by_role[role]
    if way == "token":
        headers = {"Authorization": "Bearer " + cluster.tokens.make(role, ttl_s=60)}
    else:
        headers = {"Cookie": peer.cookie_of(tls.identity)} if way == "cookie" else {}

    def ask(verb: str, path: str, body: bytes | None = None, more: dict[str, str] | None = None) -> Reply:
        every = {**headers, **(more or {}), **({"Sec-Fetch-Site": "same-origin"} if way == "cookie" else {})}
        return (
            peer.ask_tls(tls.client, verb, path, body, every)
            if way == "certificate"
            else peer.ask(verb, path, body, every)
        )

    is_observer = role is not Role.SLAVE
    is_admin = role in (Role.ADMIN, Role.MASTER)
    assert ask("GET", "/ping").json == ({"is_alive": True} if is_observer else {})
    for path in ("/", "/large", "/api/1", "/openapi.json"):
        assert ask("GET", path).status == (200 if is_observer else 403), path
    secret = ask("GET", "/secret")
    assert secret.status == (200 if is_admin else 403)
    if not is_admin:
        assert f"{role} " in secret.json["error"]["message"]
        assert "which is for admin" in secret.json["error"]["message"]
    assert ask("GET", "/none").status == 404
    assert ask("DELETE", "/api/1").status == 405
    answer = ask("POST", "/api/1", CALL, JSON).json
    if is_observer:
        assert answer["result"].startswith(f"{role} ")
    else:
        assert answer["error"]["data"]["code"] == "not-allowed"
    add = ask("POST", "/api/1", b'{"jsonrpc":"2.0","id":1,"method":"add","params":[1]}', JSON).json
    assert add["result" if is_admin else "error"]


def test_openapi_and_pages_of_a_person_without_the_role_say_what_helps(
    peer: ProtectedPeer, cluster: Cluster
) -> None:
    cookie = peer.cookie_of(cluster.tls_by_role[Role.SLAVE].identity)
    reply = peer.ask("GET", "/", headers={"Cookie": cookie, "Accept": "text/html"})
    assert reply.status == 403
    assert b"concurrent keys invite observe" in reply.body


def test_the_documents_say_by_which_ways_and_for_whom(peer: ProtectedPeer, cluster: Cluster) -> None:
    admin = cluster.tls_by_role[Role.ADMIN].client
    document = peer.ask_tls(admin, "GET", "/openapi.json").json
    assert document["components"]["securitySchemes"]["cookie"]["name"] == peer.cookie
    assert document["paths"]["/secret"]["get"]["x-roles"] == ["admin", "master"]
    assert document["paths"]["/large"]["get"]["security"] == [
        {"token": []},
        {"cookie": []},
        {"certificate": []},
    ]
    assert {} in document["paths"]["/ping"]["get"]["security"]
    methods = peer.ask_tls(admin, "GET", "/api/1").json
    assert methods["x-security-schemes"] == document["components"]["securitySchemes"]


SITES = (None, "none", "same-origin", "same-site", "cross-site")
MODES = (
    (None, None),
    ("navigate", "document"),
    ("navigate", "iframe"),
    ("no-cors", "image"),
    ("cors", "empty"),
)
ORIGINS = (None, "own", "null", "http://evil.example", "http://127.0.0.1:1")


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("mode", MODES)
def test_a_cookie_is_of_use_to_the_own_pages_only(
    peer: ProtectedPeer, site: str | None, mode: tuple[str | None, str | None]
) -> None:
    cookie = peer.cookie_of(THIS_USER)
    for origin in ORIGINS:
        said = {
            "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode[0], "Sec-Fetch-Dest": mode[1],
            "Origin": f"http://127.0.0.1:{peer.service.port}" if origin == "own" else origin,
        }  # fmt: skip
        headers = {"Cookie": cookie, **{name: value for name, value in said.items() if value is not None}}
        is_own = site in (None, "none", "same-origin") and origin in (None, "own")
        is_said = site is not None or origin is not None
        is_link = mode == ("navigate", "document")
        assert peer.ask("GET", "/secret", headers=headers).status == (200 if is_own or is_link else 403), (
            headers
        )
        status = peer.post(CALL, **headers).status
        assert status == (200 if is_own and is_said else 403), headers


def test_a_page_of_another_site_is_told_nothing_that_it_could_read(peer: ProtectedPeer) -> None:
    headers = {
        "Cookie": peer.cookie_of(THIS_USER),
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
    }
    for verb in ("OPTIONS", "GET", "POST"):
        reply = peer.ask(verb, "/api/1", headers=headers)
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]
        assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_programs_with_tokens_need_no_origin_and_pages_of_others_cannot_use_them(
    peer: ProtectedPeer, cluster: Cluster
) -> None:
    token = {"Authorization": "Bearer " + cluster.tokens.make(Role.OBSERVE, ttl_s=60)}
    assert peer.post(CALL, **token).json["result"].startswith("observe ")
    assert peer.post(CALL, **token, Origin="http://evil.example").status == 403


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.evil",
        "evil127.0.0.1",
        "[::1].evil",
        "localhost.",
        "evil.example",
        "10.9.8.7",
        "0.0.0.0",
        "localhost:1:2",
        "master.office-4kd2.evil",
    ],
)
def test_a_name_of_others_is_refused_before_anything_else(
    peer: ProtectedPeer, cluster: Cluster, host: str
) -> None:
    token = {"Authorization": "Bearer " + cluster.tokens.make(Role.ADMIN, ttl_s=60), "Host": host}
    for path in ("/", "/ping", "/api/1", "/login"):
        reply = peer.ask("GET", path, headers=token)
        assert reply.status == 403
        assert "transport.names" in reply.json["error"]["data"]["remedy"]


def test_the_name_in_the_certificate_and_names_that_were_given_are_its_own(
    folder: Path, cluster: Cluster
) -> None:
    place = Place(folder / "second")
    place.make()
    second = ProtectedPeer(cluster, place, names=("Proxy.Example",))
    second.start()
    for host in ("master.office-4kd2", "proxy.example", "proxy.example:443"):
        assert second.ask("GET", "/ping", headers={"Host": host}).status == 200
    second.service.stop()
