"""Whose key of CURVE is let in follows from who has registered, and for how long."""

from __future__ import annotations

import pytest

from concurrent.apps.api import NodeType
from concurrent.apps.registry import WAITING_MAX, WAITING_S, NodeRecord, NodeRegistry, new_record
from concurrent.core.errors import NotAllowed
from concurrent.transport.security.allowed import AllowedKeys
from concurrent.transport.security.identity import THIS_USER, Identity
from concurrent.transport.security.roles import Role

ARM = Identity(Role.SLAVE, "arm", "office", "1")
LEG = Identity(Role.SLAVE, "leg", "office", "2")


class Registry(NodeRegistry):
    """One whose time a test tells."""

    def __init__(self) -> None:
        self.time = 0.0
        super().__init__(lambda: self.time)

    def come(
        self, node_id: str, key: str, identity: Identity = ARM, node_type: NodeType = NodeType.slave
    ) -> NodeRecord:
        record = new_record(node_id, node_type, "10.0.0.1", 0, {"curve": key * 40}, identity=identity)
        self.register(record)
        return record


def keys(allowed: AllowedKeys) -> str:
    """Return the first characters of those that are let in."""
    found = ""
    for key in "abcdefgh":
        try:
            allowed.identity_of(key.encode() * 40)
        except NotAllowed:
            continue
        found += key
    return found


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_a_key_is_no_part_of_what_people_are_shown(registry: Registry) -> None:
    registry.come("slave-1", "a")
    assert registry.status()[0].data == {}


def test_who_has_registered_may_come_and_who_has_joined_may_pull(registry: Registry) -> None:
    assert keys(registry.allowed) == ""
    slave = registry.come("slave-1", "a")
    app = registry.come("app-1", "b", LEG, NodeType.application)
    assert (keys(registry.allowed), keys(registry.pulling)) == ("ab", "")
    registry.joined(slave, 1)
    registry.joined(app, 2)
    assert (keys(registry.allowed), keys(registry.pulling)) == ("ab", "a")
    assert registry.allowed.identity_of(b"b" * 40) is LEG
    registry.leave("slave-1", 1, "gone")
    registry.leave("app-1", 2, "gone")
    assert (keys(registry.allowed), keys(registry.pulling)) == ("", "")


def test_a_node_that_registers_again_with_its_key_keeps_it_when_its_old_session_ends(
    registry: Registry,
) -> None:
    registry.joined(registry.come("slave-1", "a"), 1)
    again = registry.come("slave-1", "a")
    registry.leave("slave-1", 1, "cut")
    assert (keys(registry.allowed), keys(registry.pulling)) == ("a", "")
    registry.joined(again, 2)
    registry.leave("slave-1", 1, "cut")  # of the former number: that one is gone already
    assert (keys(registry.allowed), keys(registry.pulling)) == ("a", "a")


def test_a_registration_that_takes_the_place_of_another_takes_its_keys_place(registry: Registry) -> None:
    registry.come("slave-1", "a")
    registry.joined(registry.come("slave-1", "b"), 1)
    assert (keys(registry.allowed), keys(registry.pulling)) == ("b", "b")
    registry.joined(registry.come("slave-1", "c"), 2)
    assert (keys(registry.allowed), keys(registry.pulling)) == ("c", "c")


def test_a_registration_that_expires_or_is_crowded_out_lets_nobody_in(registry: Registry) -> None:
    registry.come("slave-1", "a")
    registry.time = WAITING_S + 1
    registry.come("slave-2", "b")
    assert keys(registry.allowed) == "b"
    for number in range(WAITING_MAX):
        registry.register(new_record(f"n-{number}", NodeType.slave, "10.0.0.1", 0, {}, identity=ARM))
    assert keys(registry.allowed) == ""


def test_somebody_elses_key_is_refused_and_changes_nothing(registry: Registry) -> None:
    registry.come("slave-1", "a")
    with pytest.raises(NotAllowed, match="slave leg has told a key that is that of slave arm"):
        registry.come("slave-2", "a", LEG)
    with pytest.raises(NotAllowed):
        registry.come("slave-1", "b", LEG)
    assert keys(registry.allowed) == "a"
    assert [row.node_id for row in registry.status()] == ["slave-1"]


def test_a_node_of_this_user_may_register_with_a_key_and_come_in_the_place(registry: Registry) -> None:
    registry.come("slave-1", "a")
    record = registry.expect("slave-1", NodeType.slave, THIS_USER, "127.0.0.1")
    assert record.identity is ARM
    with pytest.raises(NotAllowed, match="slave leg may not be slave-1"):
        registry.expect("slave-1", NodeType.slave, LEG, "127.0.0.1")
