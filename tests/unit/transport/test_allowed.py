"""Whose keys of CURVE are let in."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent.core.errors import InvalidArguments, NotAllowed
from concurrent.transport.security.allowed import AllowedKeys, read_curve_key
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.roles import Role

ARM = Identity(Role.SLAVE, "arm", "office", "1")
LEG = Identity(Role.SLAVE, "leg", "office", "2")
KEY = b"k" * 40


def test_nobody_is_let_in_at_first() -> None:
    with pytest.raises(NotAllowed, match="nobody has registered"):
        AllowedKeys().identity_of(KEY)


def test_a_key_is_let_in_as_often_as_it_was_admitted() -> None:
    allowed = AllowedKeys()
    allowed.admit(KEY, ARM)
    allowed.admit(KEY, ARM)
    allowed.expel(KEY)
    assert allowed.identity_of(KEY) is ARM
    allowed.expel(KEY)
    allowed.expel(KEY)
    assert len(allowed) == 0
    with pytest.raises(NotAllowed):
        allowed.identity_of(KEY)


def test_a_key_has_one_holder_who_may_come_with_a_new_certificate() -> None:
    allowed = AllowedKeys()
    allowed.admit(KEY, ARM)
    with pytest.raises(NotAllowed, match="slave leg has told a key that is that of slave arm"):
        allowed.admit(KEY, LEG)
    renewed = Identity(Role.SLAVE, "arm", "office", "3")
    allowed.admit(KEY, renewed)
    assert allowed.identity_of(KEY).serial == "3"


@pytest.mark.parametrize("value", ["k" * 40, "0aZ.-:+=^!/*?&<>()[]{}@%$#" + "k" * 14])
def test_keys_are_read(value: str) -> None:
    assert read_curve_key(value) == value.encode()


@pytest.mark.parametrize(
    "value", ["k" * 39, "k" * 41, " " * 40, "\u00e9" * 40, "~" * 40, 7, b"k" * 40, ["k"] * 40]
)
def test_what_is_no_key_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArguments, match="40 characters of Z85"):
        read_curve_key(value)


@pytest.mark.parametrize("value", [None, ""])
def test_there_may_be_none(value: Any) -> None:
    assert read_curve_key(value) == b""
