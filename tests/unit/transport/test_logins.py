"""Codes that open a browser, and the cookies that it has after that."""

from __future__ import annotations

import pytest

from concurrent.core.errors import NotAllowed
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role
from concurrent.transport.security.trust import Trust
from concurrent.transport.web.logins import CODE_TTL_S, CODES_MAX, LOGIN_TTL_S, LOGINS_MAX, Logins

ANNA = Identity(Role.OBSERVE, "anna", "office", "a1")
BERT = Identity(Role.SUBMIT, "bert", "office", "b2")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Parts:
    def __init__(self) -> None:
        self.trust, self.clock = Trust(), Clock()
        self.logins = Logins(self.trust, self.clock)


@pytest.fixture
def parts() -> Parts:
    return Parts()


def test_a_code_logs_in_whom_it_is_for(parts: Parts) -> None:
    secret = parts.logins.redeem(parts.logins.code_for(ANNA))
    assert parts.logins.identity_of(secret) == ANNA


def test_a_code_is_good_once(parts: Parts) -> None:
    code = parts.logins.code_for(ANNA)
    parts.logins.redeem(code)
    with pytest.raises(NotAllowed, match="concurrent open"):
        parts.logins.redeem(code)


def test_it_can_be_asked_whom_a_code_is_for(parts: Parts) -> None:
    code = parts.logins.code_for(ANNA)
    assert parts.logins.identity_of_code(code) == ANNA
    parts.logins.redeem(code)
    with pytest.raises(NotAllowed, match="was used"):
        parts.logins.identity_of_code(code)


def test_a_code_is_good_for_a_minute(parts: Parts) -> None:
    early, late = parts.logins.code_for(ANNA), parts.logins.code_for(ANNA)
    parts.clock.now = CODE_TTL_S - 1
    parts.logins.redeem(early)
    parts.clock.now = CODE_TTL_S
    with pytest.raises(NotAllowed):
        parts.logins.redeem(late)


def test_a_login_ends_by_itself_and_on_demand(parts: Parts) -> None:
    long, short = parts.logins.log_in(ANNA), parts.logins.log_in(ANNA)
    parts.logins.log_out(short)
    parts.logins.log_out("never was")
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(short)
    parts.clock.now = LOGIN_TTL_S - 1
    assert parts.logins.identity_of(long) == ANNA
    parts.clock.now = LOGIN_TTL_S
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(long)


def test_a_login_ends_with_what_it_was_made_from_and_is_not_renewed_by_itself(parts: Parts) -> None:
    guest = Identity(Role.OBSERVE, "guest", "office", "c3", ends_at=100.0)
    secret = parts.logins.redeem(parts.logins.code_for(guest))
    again = parts.logins.redeem(parts.logins.code_for(parts.logins.identity_of(secret)))
    long = parts.logins.log_in(ANNA)
    parts.clock.now = 99.0
    assert parts.logins.identity_of(again) == guest
    parts.clock.now = 100.0
    for one in (secret, again):
        with pytest.raises(NotAllowed):
            parts.logins.identity_of(one)
    renewed = parts.logins.log_in(parts.logins.identity_of(long))
    parts.clock.now = LOGIN_TTL_S
    for one in (long, renewed):
        with pytest.raises(NotAllowed):
            parts.logins.identity_of(one)


def test_a_code_is_no_cookie_and_a_cookie_no_code(parts: Parts) -> None:
    code, secret = parts.logins.code_for(ANNA), parts.logins.log_in(ANNA)
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(code)
    with pytest.raises(NotAllowed):
        parts.logins.redeem(secret)


@pytest.mark.parametrize("guess", ["", "0", "\udcff", "a" * 100_000])
def test_what_is_guessed_is_nobodys(parts: Parts, guess: str) -> None:
    parts.logins.code_for(ANNA)
    parts.logins.log_in(ANNA)
    with pytest.raises(NotAllowed):
        parts.logins.redeem(guess)
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(guess)


def test_who_is_revoked_is_logged_out_and_nobody_else(parts: Parts) -> None:
    code, secret = parts.logins.code_for(ANNA), parts.logins.log_in(ANNA)
    others = parts.logins.log_in(BERT), parts.logins.log_in(THIS_USER)
    parts.trust.revoke([ANNA.serial])
    with pytest.raises(NotAllowed):
        parts.logins.redeem(code)
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(secret)
    for again in (parts.logins.code_for, parts.logins.log_in):
        with pytest.raises(NotAllowed, match="revoked"):
            again(ANNA)
    assert [parts.logins.identity_of(other) for other in others] == [BERT, THIS_USER]


def test_the_oldest_give_way_to_those_above_the_number(parts: Parts) -> None:
    codes = [parts.logins.code_for(ANNA) for _ in range(CODES_MAX + 1)]
    secrets = [parts.logins.log_in(ANNA) for _ in range(LOGINS_MAX + 1)]
    with pytest.raises(NotAllowed):
        parts.logins.redeem(codes[0])
    with pytest.raises(NotAllowed):
        parts.logins.identity_of(secrets[0])
    assert parts.logins.identity_of(secrets[1]) == parts.logins.identity_of(secrets[-1]) == ANNA
    parts.logins.redeem(codes[1])


def test_nobody_pushes_out_the_codes_and_logins_of_others(parts: Parts) -> None:
    code, secret = parts.logins.code_for(BERT), parts.logins.log_in(BERT)
    for _ in range(CODES_MAX + 1):
        parts.logins.code_for(ANNA)
    for _ in range(LOGINS_MAX + 1):
        parts.logins.log_in(ANNA)
    parts.logins.redeem(code)
    assert parts.logins.identity_of(secret) == BERT


def test_no_secret_is_kept(parts: Parts) -> None:
    code, secret = parts.logins.code_for(ANNA), parts.logins.log_in(ANNA)
    kept = repr(vars(parts.logins))
    assert code not in kept
    assert secret not in kept
