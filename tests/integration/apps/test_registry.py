"""The registry: who registered, who joined, who is gone."""

from __future__ import annotations

import pytest

from concurrent.apps import nodeids
from concurrent.apps import registry as registry_module
from concurrent.apps.api import NodeType
from concurrent.apps.registry import NodeRecord, NodeRegistry
from concurrent.core.errors import NodeError, NotAllowed
from concurrent.transport.security.identity import ANYBODY, THIS_USER, Identity
from concurrent.transport.security.roles import Role


def slave(node_id: str = "slave-1", ip: str = "127.0.0.1", **data: object) -> NodeRecord:
    return NodeRecord(node_id, NodeType.slave, ip, 0, data, ANYBODY)


def states(registry: NodeRegistry) -> list[tuple[str, str]]:
    return [(one.node_id, one.state) for one in registry.status()]


def test_a_node_registers_joins_and_leaves() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    assert states(registry) == [("slave-1", "registered")]
    registry.joined(registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1"), 7)
    assert states(registry) == [("slave-1", "joined")]
    registry.leave("slave-1", 7, "it was told to stop")
    assert states(registry) == [("slave-1", "gone")]
    assert registry.status()[0].reason == "it was told to stop"


def test_a_slave_is_lost_that_was_not_stopped_until_it_is_back_under_its_name() -> None:
    registry = NodeRegistry()

    def come(node_id: str, number: int, **data: str) -> None:
        registry.register(slave(node_id, **data))
        registry.joined(registry.expect(node_id, NodeType.slave, ANYBODY, "127.0.0.1"), number)

    def lost() -> list[str]:
        return [row.node_id for row in registry.lost_slaves()]

    come("slave-1", 1)
    come("slave-attic-2", 2, name="attic")
    come("slave-3", 3)
    registry.leave("slave-1", 1, "it was told to stop", has_said_goodbye=True)
    registry.leave("slave-attic-2", 2, "cut")
    registry.leave("slave-3", 3, "cut")
    assert lost() == ["slave-3", "slave-attic-2"]
    come("slave-attic-4", 4, name="attic")
    come("slave-5", 5, name="")
    assert lost() == ["slave-3"]
    come("slave-3", 6)
    assert lost() == []


def test_the_reason_that_a_peer_gave_is_short_and_can_be_printed() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    registry.joined(registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1"), 7)
    registry.leave("slave-1", 7, "\x1b[2J" + "x" * 100_000)
    reason = registry.status()[0].reason
    assert reason.isprintable()
    assert len(reason) < 600


def test_a_program_that_only_tried_the_cluster_is_in_no_list_once_it_has_left() -> None:
    registry = NodeRegistry()
    for number, data in enumerate(({"probe": True}, {"probe": "yes"}, {}), 1):
        name = f"app-{number}"
        registry.register(NodeRecord(name, NodeType.application, "127.0.0.1", 0, data, ANYBODY))
        registry.joined(registry.expect(name, NodeType.application, ANYBODY, "127.0.0.1"), number)
    assert len(registry) == 3
    for number in (1, 2, 3):
        registry.leave(f"app-{number}", number, "it has ended", has_said_goodbye=True)
    assert states(registry) == [("app-3", "gone"), ("app-2", "gone")]


def test_a_node_that_is_not_known_or_something_else_must_register_first() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    for node_id, node_type in (("other", NodeType.slave), ("slave-1", NodeType.application)):
        with pytest.raises(NodeError, match=f"Call register_{node_type.value}"):
            registry.expect(node_id, node_type, ANYBODY, "127.0.0.1")


def test_the_end_of_an_older_registration_does_not_end_the_newer_one() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    record = registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1")
    registry.joined(record, 7)
    registry.joined(record, 8)
    registry.leave("slave-1", 7, "lost")
    assert states(registry) == [("slave-1", "joined")]


def test_who_registers_again_is_still_expected_when_the_older_session_ends() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    registry.joined(registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1"), 7)
    registry.register(slave(workers=3))
    registry.leave("slave-1", 7, "lost")
    assert states(registry) == [("slave-1", "registered"), ("slave-1", "gone")]
    assert registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1").data == {"workers": 3}


def test_only_so_many_nodes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "WAITING_MAX", 2)
    monkeypatch.setattr(registry_module, "GONE_MAX", 1)
    registry = NodeRegistry()
    registry.register(slave("a"))
    registry.register(slave("b"))
    registry.register(slave("c"))
    assert states(registry) == [("c", "registered"), ("b", "registered")]
    for node_id in ("b", "c"):
        registry.joined(registry.expect(node_id, NodeType.slave, ANYBODY, "127.0.0.1"), 1)
        registry.leave(node_id, 1, "stops")
    assert states(registry) == [("c", "gone")]


def test_a_crowd_of_registrations_from_one_address_pushes_out_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "WAITING_MAX", 10)
    registry = NodeRegistry()
    registry.register(slave("other", ip="10.0.0.7"))
    for number in range(100):
        registry.register(slave(f"fake-{number}"))
    assert registry.expect("other", NodeType.slave, ANYBODY, "127.0.0.1").ip == "10.0.0.7"
    assert len(registry) == 10


def test_who_does_not_join_in_time_is_forgotten_and_shown_as_gone() -> None:
    now = [1000.0]
    registry = NodeRegistry(lambda: now[0])
    registry.register(slave("early"))
    now[0] += registry_module.WAITING_S - 1
    registry.register(slave("late"))
    registry.register(slave("early again"))
    now[0] += 2
    assert states(registry) == [("early again", "registered"), ("late", "registered"), ("early", "gone")]
    assert "opened no session" in registry.status()[-1].reason
    with pytest.raises(NodeError):
        registry.expect("early", NodeType.slave, ANYBODY, "127.0.0.1")


def test_registering_again_begins_the_wait_anew() -> None:
    now = [1000.0]
    registry = NodeRegistry(lambda: now[0])
    for _ in range(5):
        registry.register(slave())
        now[0] += registry_module.WAITING_S / 2
    assert registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1")


def test_at_most_a_hundred_of_each_state_are_shown_the_newest_first_and_all_are_counted() -> None:
    registry = NodeRegistry()
    for number in range(1, 251):
        registry.register(slave(f"j{number}"))
        registry.joined(registry.expect(f"j{number}", NodeType.slave, ANYBODY, "127.0.0.1"), number)
    for number in range(150):
        registry.register(slave(f"w{number}"))
    shown = states(registry)
    assert shown[0] == ("j151", "joined")
    assert shown[99] == ("j250", "joined")
    assert shown[100] == ("w149", "registered")
    assert (len(shown), len(registry)) == (200, 400)
    assert [one.number for one in registry.status({3, 4})][:2] == [3, 4]


def test_a_node_that_is_refused_is_shown_with_the_reason_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    registry = NodeRegistry()
    with caplog.at_level("WARNING", "concurrent.apps.registry"):
        registry.refuse(slave(), "runs Python 3.99.0")
    assert states(registry) == [("slave-1", "refused")]
    assert "refused a slave at 127.0.0.1: runs Python 3.99.0" in caplog.text
    with pytest.raises(NodeError):
        registry.expect("slave-1", NodeType.slave, ANYBODY, "127.0.0.1")


def test_who_has_registered_a_node_opens_its_session_and_nobody_else() -> None:
    registry = NodeRegistry()
    rack = Identity(Role.SLAVE, "rack", "office", "1f")
    registry.register(NodeRecord("slave-1", NodeType.slave, "10.0.0.5", 0, {}, identity=rack))
    others = [
        Identity(Role.SLAVE, "desk", "office", "1f"),
        Identity(Role.ADMIN, "rack", "office", "1f"),
        Identity(Role.SLAVE, "rack", "home", "1f"),
        ANYBODY,
    ]
    for other in others:
        with pytest.raises(NotAllowed, match="may not be slave-1, which slave rack has registered"):
            registry.expect("slave-1", NodeType.slave, other, "127.0.0.1")
        with pytest.raises(NotAllowed):
            registry.register(NodeRecord("slave-1", NodeType.slave, "10.0.0.6", 0, {}, identity=other))
    renewed = Identity(Role.SLAVE, "rack", "office", "2e")  # it has joined the cluster again
    registry.joined(registry.expect("slave-1", NodeType.slave, renewed, "127.0.0.1"), 7)
    with pytest.raises(NotAllowed):  # it has a session now
        registry.register(NodeRecord("slave-1", NodeType.slave, "10.0.0.6", 0, {}, identity=others[0]))
    registry.register(NodeRecord("slave-1", NodeType.slave, "10.0.0.5", 0, {}, identity=renewed))


RACK = Identity(Role.SLAVE, "rack", "office", "1f")
DESK = Identity(Role.SLAVE, "desk", "office", "2e")


def come_and_go(registry: NodeRegistry, node_id: str, identity: Identity) -> None:
    registry.register(NodeRecord(node_id, NodeType.slave, "10.0.0.5", 0, {}, identity=identity))
    registry.joined(registry.expect(node_id, NodeType.slave, identity, "10.0.0.5"), 7)
    registry.leave(node_id, 7, "cut for too long")


def test_the_id_of_a_node_that_has_left_stays_its_owners_for_a_day() -> None:
    now = [1000.0]
    registry = NodeRegistry(lambda: now[0])
    come_and_go(registry, "slave-1", RACK)
    theft = NodeRecord("slave-1", NodeType.slave, "10.0.0.6", 0, {}, identity=DESK)
    for _ in range(2):
        with pytest.raises(NotAllowed, match="slave desk may not be slave-1, which slave rack has registered"):
            registry.register(theft)
        with pytest.raises(NotAllowed):
            registry.refuse(theft, "runs Python 3.99.0")
        with pytest.raises(NotAllowed):
            registry.check("slave-1", DESK)
        now[0] += nodeids.REMEMBERED_S / 2
    assert states(registry) == [("slave-1", "gone")]
    registry.check("slave-1", RACK)
    now[0] += 1
    registry.register(theft)


def test_a_registration_that_came_to_nothing_leaves_the_id_its_owners() -> None:
    now = [1000.0]
    registry = NodeRegistry(lambda: now[0])
    come_and_go(registry, "slave-1", RACK)
    registry.register(NodeRecord("slave-1", NodeType.slave, "10.0.0.5", 0, {}, identity=RACK))
    now[0] += registry_module.WAITING_S + 1
    with pytest.raises(NotAllowed):
        registry.check("slave-1", DESK)
    registry.register(NodeRecord("slave-2", NodeType.slave, "10.0.0.6", 0, {}, identity=DESK))
    now[0] += registry_module.WAITING_S + 1
    registry.check("slave-2", RACK)  # who has never had a session has nothing to come back to


def test_the_ids_of_who_is_trusted_no_more_are_free() -> None:
    registry = NodeRegistry()
    come_and_go(registry, "slave-1", RACK)
    registry.release({DESK.key})
    with pytest.raises(NotAllowed):
        registry.check("slave-1", DESK)
    registry.release({RACK.key})
    registry.check("slave-1", DESK)


def test_a_node_of_this_user_comes_back_by_another_way() -> None:
    registry = NodeRegistry()
    own = Identity(Role.MASTER, "head", "office", "4c")
    for former, identity in ((THIS_USER, own), (own, THIS_USER)):
        come_and_go(registry, "slave-1", former)
        registry.check("slave-1", identity)
    for admin in (DESK, Identity(Role.ADMIN, "head", "office", "5b")):
        with pytest.raises(NotAllowed):
            registry.check("slave-1", admin)


def test_nobody_has_the_master_forget_the_ids_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodeids, "IDS_MAX", 3)
    registry = NodeRegistry()
    come_and_go(registry, "slave-1", RACK)
    for number in range(10):
        come_and_go(registry, f"many-{number}", DESK)
    with pytest.raises(NotAllowed):
        registry.check("slave-1", DESK)
    registry.check("many-6", RACK)
    with pytest.raises(NotAllowed):
        registry.check("many-7", RACK)


def test_so_many_identities_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodeids, "IDENTITIES_MAX", 2)
    former = nodeids.FormerIds(lambda: 0.0)
    arm = Identity(Role.SLAVE, "arm", "office", "3d")
    for node_id, identity in (("r", RACK), ("d", DESK), ("r2", RACK), ("a", arm)):
        former.keep(node_id, identity)
    assert [former.owner(one) for one in ("r", "d", "r2", "a")] == [RACK, None, RACK, arm]
    former.keep("r", arm)
    assert (former.owner("r"), len(former)) == (arm, 3)
