"""Which identities are members no more, whatever certificates they have had."""

from __future__ import annotations

from concurrent.transport.security.membership import Member, Membership
from concurrent.transport.security.roles import Role


def member(role: Role, name: str, serial: str, *, is_revoked: bool = False) -> Member:
    return Member(role, name, serial, 1.0, revoked_at=2.0 if is_revoked else 0.0)


def test_an_identity_is_gone_when_none_of_its_certificates_is_trusted() -> None:
    membership = Membership(
        [
            member(Role.SUBMIT, "ann", "1", is_revoked=True),
            member(Role.SUBMIT, "ann", "2"),
            member(Role.SUBMIT, "bob", "3", is_revoked=True),
            member(Role.SUBMIT, "bob", "4", is_revoked=True),
            member(Role.SLAVE, "bob", "5"),
        ]
    )
    assert membership.gone == {"submit:bob"}
    assert Membership().gone == frozenset()
