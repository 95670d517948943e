"""Who may join, and how often somebody may be wrong."""

from __future__ import annotations

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.web.admission import Head, Refused
from concurrent.transport.web.joindesk import (
    ADDRESSES_MAX,
    FAILURES_MAX,
    PERIOD_S,
    REQUEST_BYTES_MAX,
    Attempts,
    JoinDesk,
)


class Registrar:
    def __init__(self) -> None:
        self.joined: list[tuple[str, bytes, str]] = []
        self.is_taken = False

    def check_invitation(self, secret: str) -> None:
        if secret != "right":
            raise NotAllowed(f"{secret} is no invitation")

    def join(self, secret: str, request_pem: bytes, address: str) -> bytes:
        if self.is_taken:
            raise NotAllowed("anna is connected")
        self.joined.append((secret, request_pem, address))
        return b"{}"


def head(
    authorization: str | None = "Join right",
    *,
    verb: str = "POST",
    address: str = "10.0.0.9",
    is_encrypted: bool = True,
    identity: Identity | None = None,
) -> Head:
    headers = {"Host": "master"} | ({} if authorization is None else {"Authorization": authorization})
    return Head(verb, "/join", "", headers, address, "10.0.0.1", is_encrypted, identity)


def status_of(desk: JoinDesk, asked: Head, body_bytes: int = 100) -> str:
    try:
        desk.check(asked, body_bytes)
    except Refused as refused:
        return refused.status[:3]
    return "200"


def test_who_has_an_invitation_joins_with_tls_or_in_the_place() -> None:
    registrar = Registrar()
    desk = JoinDesk(registrar, Attempts())
    assert status_of(desk, head()) == "200"
    assert status_of(desk, head("join right")) == "200"
    assert status_of(desk, head(is_encrypted=False, identity=THIS_USER)) == "200"
    desk.join(head(), b"request")
    assert registrar.joined == [("right", b"request", "10.0.0.9")]


@pytest.mark.parametrize(
    "authorization", [None, "", "Join", "Join ", "Join wrong", "Bearer right", "right", "Join " + "x" * 999]
)
def test_nobody_else_does(authorization: str | None) -> None:
    assert status_of(JoinDesk(Registrar(), Attempts()), head(authorization)) == "401"


def test_who_has_a_wrong_one_is_told_what_is_wrong_with_it() -> None:
    with pytest.raises(Refused) as caught:
        JoinDesk(Registrar(), Attempts()).check(head("Join former"), 100)
    assert (caught.value.status[:3], str(caught.value.error)) == ("401", "former is no invitation")


def test_nobody_joins_in_the_clear_by_another_verb_or_where_nobody_can() -> None:
    desk = JoinDesk(Registrar(), Attempts())
    assert status_of(desk, head(is_encrypted=False)) == "401"
    assert {status_of(desk, head(verb=verb)) for verb in ("GET", "HEAD", "PUT", "OPTIONS", "DELETE")} == {"401"}
    assert status_of(JoinDesk(None, Attempts()), head()) == "401"


def test_a_request_that_is_too_large_is_refused_by_its_length() -> None:
    desk = JoinDesk(Registrar(), Attempts())
    assert status_of(desk, head(), REQUEST_BYTES_MAX) == "200"
    assert status_of(desk, head(), REQUEST_BYTES_MAX + 1) == "413"


def test_who_may_not_join_after_all_is_told_why() -> None:
    registrar = Registrar()
    registrar.is_taken = True
    with pytest.raises(Refused) as caught:
        JoinDesk(registrar, Attempts()).join(head(), b"")
    assert (caught.value.status[:3], str(caught.value.error)) == ("403", "anna is connected")


def test_who_is_wrong_too_often_waits_and_others_do_not() -> None:
    now = [0.0]
    desk = JoinDesk(Registrar(), Attempts(lambda: now[0]))
    for _ in range(FAILURES_MAX):
        assert status_of(desk, head("Join wrong")) == "401"
    assert status_of(desk, head()) == "429"
    assert status_of(desk, head(address="10.0.0.8")) == "200"
    now[0] = PERIOD_S
    assert status_of(desk, head()) == "200"


def test_only_so_many_addresses_are_remembered() -> None:
    attempts = Attempts(lambda: 0.0)
    for number in range(ADDRESSES_MAX + 1):
        for _ in range(FAILURES_MAX):
            attempts.fail(str(number))
    attempts.check("0")
    with pytest.raises(Refused):
        attempts.check("1")
