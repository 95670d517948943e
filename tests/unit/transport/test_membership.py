"""Who may join, who takes whose place, and whose trust ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from concurrent.core.errors import ConfigurationError, NotAllowed
from concurrent.transport.security.identity import Identity
from concurrent.transport.security.membership import (
    CERTIFICATE_DAYS,
    EPHEMERAL_DAYS,
    Invitation,
    Member,
    Membership,
    hash_of,
)
from concurrent.transport.security.roles import Role

NOW = 1_000_000.0
DAY = 86400.0
INVITATION = Invitation(hash_of("secret"), Role.SLAVE, NOW, NOW + 3600)
RACK = Member(Role.SLAVE, "rack", "0a", NOW)
TOKEN = Member(Role.OBSERVE, "wall", "0b", NOW, is_token=True, ends_at=NOW + DAY)


def nobody(_identity: Identity) -> bool:
    return False


def everybody(_identity: Identity) -> bool:
    return True


def test_an_invitation_is_found_by_its_secret_which_is_not_kept() -> None:
    members = Membership(invitations=[INVITATION])
    assert members.invitation_of("secret", NOW) is INVITATION
    assert "secret" not in str(members.to_json())
    assert INVITATION.hash not in repr(INVITATION)


@pytest.mark.parametrize(
    ("invitation", "secret", "why"),
    [
        (INVITATION, "wrong", "there is no such invitation"),
        (INVITATION, "", "there is no such invitation"),
        (INVITATION, INVITATION.hash, "there is no such invitation"),
        (replace(INVITATION, uses=0), "secret", f"invitation {INVITATION.id} was used up"),
        (replace(INVITATION, ends_at=NOW), "secret", f"invitation {INVITATION.id} has expired"),
    ],
)
def test_who_has_no_good_invitation_is_told_why(invitation: Invitation, secret: str, why: str) -> None:
    with pytest.raises(NotAllowed, match=why) as raised:
        Membership(invitations=[invitation]).invitation_of(secret, NOW)
    assert "concurrent keys invite" in str(raised.value)


def test_each_use_of_an_invitation_is_counted() -> None:
    members = Membership(invitations=[replace(INVITATION, uses=2)])
    for name in ("one", "two"):
        members.admit(members.invitation_of("secret", NOW), replace(RACK, name=name), "office", nobody)
    with pytest.raises(NotAllowed, match="used up"):
        members.invitation_of("secret", NOW)


def test_a_machine_that_was_installed_again_takes_the_place_of_its_old_key() -> None:
    members = Membership([RACK], [INVITATION])
    new = replace(RACK, serial="0c", made_at=NOW + 1)
    members.admit(INVITATION, new, "office", nobody)
    assert members.revoked == {"0a"}
    assert members.members == [replace(RACK, revoked_at=NOW + 1, why="replaced"), new]


def test_a_machine_does_not_take_the_place_of_one_that_is_connected() -> None:
    members = Membership([RACK], [INVITATION])
    asked: list[Identity] = []
    with pytest.raises(NotAllowed, match="slave rack is connected") as raised:
        members.admit(INVITATION, replace(RACK, serial="0c"), "office", lambda who: not asked.append(who))
    assert "concurrent keys revoke slave/rack" in str(raised.value)
    assert asked == [Identity(Role.SLAVE, "rack", "office", "0a")]
    assert members.revoked == frozenset()
    assert members.invitations == [INVITATION]


@pytest.mark.parametrize(
    "other",
    [
        replace(RACK, role=Role.SUBMIT),
        replace(RACK, name="shelf"),
        replace(RACK, is_token=True, ends_at=NOW),
        replace(RACK, revoked_at=NOW),
    ],
)
def test_another_role_or_name_or_a_token_is_in_nobodys_place(other: Member) -> None:
    members = Membership([other], [INVITATION])
    members.admit(INVITATION, replace(RACK, serial="0c"), "office", everybody)
    assert members.members[0] == other


@pytest.mark.parametrize("role", [Role.SUBMIT, Role.ADMIN, Role.OBSERVE])
@pytest.mark.parametrize(
    "changes",
    [{}, {"is_token": True, "ends_at": NOW + DAY}, {"revoked_at": NOW - 1}],
    ids=["key", "token", "gone"],
)
def test_nobody_becomes_somebody_else_who_has_jobs_unless_the_invitation_says_so(
    role: Role, changes: dict[str, Any]
) -> None:
    ann = Member(role, "ann", "0a", NOW - 2, **changes)
    for_anybody = replace(INVITATION, role=role)
    members = Membership([ann], [for_anybody])
    new = Member(role, "ann", "0c", NOW)
    with pytest.raises(NotAllowed, match=f"there is or was a {role} ann") as raised:
        members.admit(for_anybody, new, "office", nobody)
    assert f"concurrent keys invite {role} --name ann" in str(raised.value)
    assert (members.members, members.invitations) == ([ann], [for_anybody])
    members.admit(for_anybody, replace(new, name="bob", serial="0d"), "office", nobody)
    for_ann = replace(INVITATION, role=role, name="ann")
    members.invitations.append(for_ann)
    members.admit(for_ann, new, "office", nobody)
    assert members.members[-1] == new


@pytest.mark.parametrize("role", [Role.SUBMIT, Role.ADMIN, Role.OBSERVE])
@pytest.mark.parametrize("how", ["left", "expired"])
def test_the_name_of_who_is_in_no_list_any_more_is_nobody_elses_either(role: Role, how: str) -> None:
    ann = Member(role, "ann", "0a", NOW, is_token=how == "expired", ends_at=NOW, is_ephemeral=how == "left")
    for_anybody = replace(INVITATION, role=role, ends_at=NOW + 900 * DAY)
    members = Membership([ann], [for_anybody])
    if how == "left":
        members.forget_ephemeral("ann", NOW)
    members.clean(NOW + 800 * DAY)
    assert members.members == []
    members = Membership.from_json(*members.to_json())
    with pytest.raises(NotAllowed, match=f"there is or was a {role} ann"):
        members.admit(for_anybody, Member(role, "ann", "0c", NOW), "office", nobody)
    assert members.gone == {f"{role}:ann"}  # so its jobs are held
    for_ann = replace(for_anybody, name="ann")
    members.invitations.append(for_ann)
    members.admit(for_ann, Member(role, "ann", "0c", NOW), "office", nobody)
    assert members.gone == frozenset()


def test_names_of_slaves_that_have_left_are_not_kept() -> None:
    members = Membership([replace(RACK, is_ephemeral=True)])
    members.forget_ephemeral("rack", NOW)
    assert members.former == set()


def test_members_of_a_release_that_kept_no_names_are_read() -> None:
    kept, invitations = Membership([RACK], [INVITATION]).to_json()
    del kept["former"]
    assert Membership.from_json(kept, invitations).members == [RACK]


@pytest.mark.parametrize(
    ("what", "serials"),
    [("rack", {"0a", "0d"}), ("slave/rack", {"0a"}), ("0d", {"0d"}), ("0b", {"0b"}), ("wall", {"0b"})],
)
def test_a_name_a_role_and_name_or_a_serial_is_revoked(what: str, serials: set[str]) -> None:
    members = Membership([RACK, TOKEN, replace(RACK, role=Role.SUBMIT, serial="0d")])
    assert {one.serial for one in members.revoke(what, NOW) if isinstance(one, Member)} == serials
    assert members.revoked == serials


def test_an_invitation_is_revoked_by_its_id() -> None:
    members = Membership(invitations=[INVITATION])
    assert members.revoke(INVITATION.id, NOW) == (INVITATION,)
    with pytest.raises(NotAllowed, match="no such invitation"):
        members.invitation_of("secret", NOW)


@pytest.mark.parametrize(
    ("what", "says"),
    [("rakc", "Did you mean rack"), ("nobody", "concurrent keys list"), ("gone", "has been revoked already")],
)
def test_whom_nobody_knows_cannot_be_revoked(what: str, says: str) -> None:
    members = Membership([RACK, replace(RACK, name="gone", serial="0e", revoked_at=NOW)])
    with pytest.raises(ConfigurationError, match=says):
        members.revoke(what, NOW)


def test_an_ephemeral_member_vanishes_and_its_certificate_is_good_for_nothing() -> None:
    short = replace(RACK, is_ephemeral=True)
    members = Membership([short, replace(short, name="other", serial="0f"), replace(RACK, serial="10")])
    assert members.forget_ephemeral("rack", NOW)
    assert [one.serial for one in members.members] == ["0f", "10"]
    assert members.revoked == {"0a"}
    assert not members.forget_ephemeral("rack", NOW)
    members.clean(NOW + EPHEMERAL_DAYS * DAY - 1)
    assert members.revoked == {"0a"}
    members.clean(NOW + EPHEMERAL_DAYS * DAY + 1)
    assert members.revoked == frozenset()


def test_what_is_long_over_is_forgotten_and_who_was_revoked_when_the_certificate_has_expired() -> None:
    revoked = replace(RACK, serial="0d", revoked_at=NOW)
    left = replace(revoked, serial="0e", is_ephemeral=True)
    members = Membership([RACK, revoked, left, TOKEN], [INVITATION])
    members.clean(NOW + DAY + 6 * DAY)
    assert len(members.members) == 4
    assert members.invitations == [INVITATION]
    members.clean(NOW + EPHEMERAL_DAYS * DAY + 6 * DAY)
    assert (members.members, members.invitations) == ([RACK, revoked, left], [])
    members.clean(NOW + CERTIFICATE_DAYS * DAY + 6 * DAY)
    assert members.members == [RACK, revoked]
    assert members.revoked == {"0d"}
    members.clean(NOW + CERTIFICATE_DAYS * DAY + 8 * DAY)
    assert members.revoked == frozenset()


def test_when_trust_ends_is_known() -> None:
    assert RACK.ended_at == NOW + CERTIFICATE_DAYS * DAY
    assert replace(RACK, is_ephemeral=True).ended_at == NOW + EPHEMERAL_DAYS * DAY
    assert TOKEN.ended_at == NOW + DAY
    assert replace(TOKEN, revoked_at=NOW + 1).ended_at == NOW + 1


def test_all_of_it_survives_a_file() -> None:
    members = Membership([RACK, TOKEN], [INVITATION], {"0f": NOW}, ["submit:ann"])
    again = Membership.from_json(*members.to_json())
    assert (again.members, again.invitations) == ([RACK, TOKEN], [INVITATION])
    assert (again.forgotten, again.former) == ({"0f": NOW}, {"submit:ann"})
    assert str(RACK) == "slave rack"
    assert str(TOKEN) == "token wall"
