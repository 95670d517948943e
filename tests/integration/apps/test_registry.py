"""The registry: who registered, who joined, who is gone."""

from __future__ import annotations

import pytest

from concurrent.apps import registry as registry_module
from concurrent.apps.api import NodeType
from concurrent.apps.registry import NodeRecord, NodeRegistry
from concurrent.core.errors import NodeError


def slave(node_id: str = "slave-1", **data: object) -> NodeRecord:
    return NodeRecord(node_id, NodeType.slave, "127.0.0.1", 0, data)


def states(registry: NodeRegistry) -> list[tuple[str, str]]:
    return [(one["node_id"], one["state"]) for one in registry.snapshot()]


def test_a_node_registers_joins_and_leaves() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    assert states(registry) == [("slave-1", "registered")]
    registry.joined(registry.expect("slave-1", NodeType.slave), 7)
    assert states(registry) == [("slave-1", "joined")]
    registry.leave("slave-1", 7, "it was told to stop")
    assert states(registry) == [("slave-1", "gone")]
    assert registry.snapshot()[0]["reason"] == "it was told to stop"


def test_a_node_that_is_not_known_or_something_else_must_register_first() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    for node_id, node_type in (("other", NodeType.slave), ("slave-1", NodeType.application)):
        with pytest.raises(NodeError, match=f"Call register_{node_type.value}"):
            registry.expect(node_id, node_type)


def test_the_end_of_an_older_registration_does_not_end_the_newer_one() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    record = registry.expect("slave-1", NodeType.slave)
    registry.joined(record, 7)
    registry.joined(record, 8)
    registry.leave("slave-1", 7, "lost")
    assert states(registry) == [("slave-1", "joined")]


def test_who_registers_again_is_still_expected_when_the_older_session_ends() -> None:
    registry = NodeRegistry()
    registry.register(slave())
    registry.joined(registry.expect("slave-1", NodeType.slave), 7)
    registry.register(slave(workers=3))
    registry.leave("slave-1", 7, "lost")
    assert states(registry) == [("slave-1", "registered"), ("slave-1", "gone")]
    assert registry.expect("slave-1", NodeType.slave).data == {"workers": 3}


def test_only_so_many_nodes_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_module, "WAITING_MAX", 2)
    monkeypatch.setattr(registry_module, "GONE_MAX", 1)
    registry = NodeRegistry()
    registry.register(slave("a"))
    registry.register(slave("b"))
    registry.register(slave("c"))
    assert states(registry) == [("b", "registered"), ("c", "registered")]
    for node_id in ("b", "c"):
        registry.joined(registry.expect(node_id, NodeType.slave), 1)
        registry.leave(node_id, 1, "stops")
    assert states(registry) == [("c", "gone")]
