"""Browsers at a protected node: how they are let in and out, and what their pages say of that."""

from __future__ import annotations

import time
from urllib.parse import urlencode

import pytest

from concurrent.core.rarely import RareLine, RareTexts
from concurrent.transport.security.identity import THIS_USER
from concurrent.transport.security.members import Members
from concurrent.transport.security.roles import Role
from tests.integration.transport.http_peers import Reply
from tests.integration.transport.protected_peers import OWN_FORM, Cluster, ProtectedPeer

CALL = b'{"jsonrpc":"2.0","id":1,"method":"whoami"}'


def test_a_browser_gets_a_form_at_401_on_every_path(peer: ProtectedPeer) -> None:
    for path in ("/", "/none", "/login", "/login?code=guessed"):
        reply = peer.ask("GET", path, headers={"Accept": "text/html,*/*"})
        assert reply.status == 401
        assert reply.headers["Content-Type"].startswith("text/html")
        assert b"concurrent open" in reply.body
        assert b'<form method="post" action="/login">' in reply.body
        assert reply.headers["Referrer-Policy"] == "same-origin"  # or the form would send Origin: null
        policy = reply.headers["Content-Security-Policy"]
        assert "form-action 'self'; base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert b"<script" not in reply.body


def test_a_code_opens_a_browser_once_and_by_a_click(peer: ProtectedPeer, cluster: Cluster) -> None:
    path = "/login?code=" + peer.service.logins.code_for(THIS_USER)
    for verb in ("HEAD", "GET", "GET"):  # it is not used up by a look
        asked = peer.ask(verb, path)
        assert (asked.status, "Set-Cookie" in asked.headers) == (200, False)
    assert b"<strong>this user</strong>, role admin" in asked.body
    assert b'<form method="post"><button' in asked.body  # to the same address: no secret is in the page
    assert "form-action 'self'" in asked.headers["Content-Security-Policy"]
    reply = log_in(peer, "", path)
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    cookie, *attributes = reply.headers["Set-Cookie"].split("; ")
    assert set(attributes) == {"Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"}
    assert cookie.startswith(f"{peer.cookie}=")
    assert peer.ask("GET", "/secret", headers={"Cookie": f"other=1; {cookie}; more=2"}).status == 200
    assert peer.ask("GET", path).status == 401
    assert log_in(peer, "", path).status == 401
    again = peer.ask("GET", path, headers={"Cookie": cookie})  # as when its user goes back
    assert (again.status, again.headers["Location"]) == (303, "/")
    assert "Set-Cookie" not in again.headers
    assert ("login", THIS_USER, "127.0.0.1", "code", "done") in peer.audited
    assert not any(cookie.partition("=")[2] in str(line) or path[12:] in str(line) for line in peer.audited)


def test_who_is_known_without_needs_no_login(peer: ProtectedPeer, cluster: Cluster) -> None:
    client = cluster.tls_by_role[Role.OBSERVE].client
    for verb in ("GET", "HEAD"):
        reply = peer.ask_tls(client, verb, "/login")
        assert (reply.status, reply.headers["Location"]) == (303, "/")
        assert "Set-Cookie" not in reply.headers


def test_nothing_secret_is_logged_noted_or_answered(
    peer: ProtectedPeer, cluster: Cluster, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RareLine, "suffix", lambda _line, _now: "")  # every refusal is logged
    monkeypatch.setattr(RareTexts, "is_due", lambda _texts, _text, _now: True)
    token = cluster.tokens.make(Role.OBSERVE, ttl_s=60)
    code, cookie = peer.service.logins.code_for(THIS_USER), peer.cookie_of(THIS_USER)
    invitation = Members(cluster.keys).invite(Role.SLAVE)
    wrong = "a-secret-that-is-mistyped"
    bodies = [
        peer.ask("GET", "/secret", headers={"Authorization": f"Bearer {token}"}).body,  # of another role
        peer.ask("GET", f"/login?code={code}").body,
        peer.ask("GET", f"/login?code={code}", headers={"Accept": "text/html"}).body,
        log_in(peer, "", f"/login?code={code}").body,
        peer.ask("GET", f"/login?code={wrong}", headers={"Accept": "text/html"}).body,
        log_in(peer, f"token={wrong}").body,
        log_in(peer, urlencode({"token": token[:-2]}), Accept="text/html").body,
        peer.ask("GET", "/", headers={"Authorization": f"Bearer {wrong}"}).body,
        peer.ask("GET", "/", headers={"Cookie": cookie + wrong}).body,
        peer.ask("POST", "/join", b"", {"Authorization": f"Join {invitation}"}).body,  # without encryption
        peer.ask("POST", "/join", b"", {"Authorization": f"Join {wrong}"}).body,
        peer.ask("GET", "/secret", headers={"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}).body,
    ]
    told = b"\n".join(bodies).decode() + caplog.text + repr(peer.audited)
    assert caplog.text.count("refused") > 5
    for secret in (token, token[:-2], code, cookie.partition("=")[2], invitation, wrong):
        assert secret not in told


def test_with_tls_the_cookie_is_for_tls_only(peer: ProtectedPeer, cluster: Cluster) -> None:
    path = "/login?code=" + peer.service.logins.code_for(THIS_USER)
    reply = peer.ask_tls(cluster.client_without_key(), "POST", path, b"", OWN_FORM)
    assert "Secure" in reply.headers["Set-Cookie"].split("; ")


def log_in(peer: ProtectedPeer, form: str, path: str = "/login", **headers: str) -> Reply:
    return peer.ask("POST", path, form.encode(), {**OWN_FORM, **headers})


def test_a_token_in_the_form_logs_a_browser_in_as_whom_it_is_of(peer: ProtectedPeer, cluster: Cluster) -> None:
    form = urlencode({"token": f" {cluster.tokens.make(Role.OBSERVE, ttl_s=60, name='screen')}\n"})
    reply = log_in(peer, form)
    assert (reply.status, reply.headers["Location"]) == (303, "/")
    cookie = {"Cookie": reply.headers["Set-Cookie"].partition(";")[0], "Sec-Fetch-Site": "same-origin"}
    assert peer.post(CALL, **cookie).json["result"] == "observe screen"
    login = peer.service.logins.identity_of(cookie["Cookie"].partition("=")[2])
    assert login.ends_at <= time.time() + 60  # as the token does
    assert peer.ask("GET", "/secret", headers=cookie).status == 403
    Members(cluster.keys).revoke("screen")
    peer.trust.revoke(cluster.keys.revoked())
    assert peer.post(CALL, **cookie).status == 401


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("", 401),
        ("token=", 401),
        ("token=wrong", 401),
        ("tokens=x", 401),
        ("token=a&token=b", 401),
        ("x" * 9000, 413),
        ("a&" * 50, 401),
    ],
)
def test_other_forms_log_nobody_in(peer: ProtectedPeer, form: str, status: int) -> None:
    reply = log_in(peer, form)
    assert reply.status == status
    assert "Set-Cookie" not in reply.headers


def test_a_page_of_another_site_logs_nobody_in(peer: ProtectedPeer, cluster: Cluster) -> None:
    form = urlencode({"token": cluster.tokens.make(Role.OBSERVE, ttl_s=60)})
    code = "/login?code=" + peer.service.logins.code_for(cluster.tls_by_role[Role.OBSERVE].identity)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for body, path in ((form, "/login"), ("", code)):
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "null"},
            {"Origin": "http://evil"},
            link,
        ):
            reply = log_in(peer, body, path, **headers)
            assert reply.status == 403
            assert "Set-Cookie" not in reply.headers
        unsaid = {name: value for name, value in OWN_FORM.items() if name != "Sec-Fetch-Site"}
        assert peer.ask("POST", path, body.encode(), unsaid).status == 403
    cookie = {"Cookie": peer.cookie_of(THIS_USER)}
    for known in ({}, cookie):  # a link leads no further than to the question
        reply = peer.ask("GET", code, headers={**link, **known})
        assert (reply.status, "Set-Cookie" in reply.headers) == (200, False)
        assert b"<strong>the-observe</strong>, role observe" in reply.body
    assert log_in(peer, form, **{"Content-Type": "text/plain"}).status == 401


def test_a_page_says_who_sees_it_and_shows_nothing_that_is_not_for_that_one(
    peer: ProtectedPeer, cluster: Cluster
) -> None:
    admin, observer = (cluster.tls_by_role[role] for role in (Role.ADMIN, Role.OBSERVE))
    seen = peer.ask("GET", "/", headers={"Cookie": peer.cookie_of(observer.identity)}).body
    assert b"logged in as <strong>the-observe</strong>, role observe" in seen
    assert b'<form method="post" action="/logout">' in seen
    assert seen.count(b"<button") == 1
    assert (b"whoami" in seen, b"add(" in seen, b"/secret" in seen) == (True, False, False)
    all_of_it = peer.ask("GET", "/", headers={"Cookie": peer.cookie_of(admin.identity)}).body
    assert (b"add(" in all_of_it, b"/secret" in all_of_it) == (True, True)
    by_key = peer.ask_tls(observer.client, "GET", "/").body  # there is no login that could end
    assert b"You are <strong>the-observe</strong>, role observe" in by_key
    assert b"<button" not in by_key


def test_who_logs_out_is_a_stranger_again(peer: ProtectedPeer, cluster: Cluster) -> None:
    cookie = {"Cookie": peer.cookie_of(THIS_USER), "Sec-Fetch-Site": "same-origin"}
    assert peer.ask("GET", "/logout", headers=cookie).status == 405
    assert peer.ask("POST", "/logout", b"", {**cookie, "Sec-Fetch-Site": "cross-site"}).status == 403
    assert peer.ask("GET", "/secret", headers=cookie).status == 200
    reply = peer.ask("POST", "/logout", b"", cookie)
    assert (reply.status, reply.headers["Location"]) == (303, "/login")
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert peer.ask("GET", "/secret", headers=cookie).status == 401
