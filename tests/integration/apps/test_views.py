"""What nodes answer at their views is what their OpenAPI document says, all of it and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from concurrent.apps import ApplicationNode, LocalCluster, MasterNode
from concurrent.apps.status import MasterStatus
from concurrent.core import Environment
from tests.local import fetch
from tests.system.cluster import wait_until

TIMEOUT_S = 20.0
VIEWS = ("/ping", "/status", "/stats")
PLAIN = {"string": str, "integer": int, "boolean": bool, "null": type(None), "number": (int, float)}


class Idle(ApplicationNode):
    """Does nothing."""


def get(address: str, path: str) -> Any:
    return json.loads(fetch(address, path).body)


def misfits(value: Any, schema: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield where a value is not what a schema says, or says more than that."""
    if "anyOf" in schema:
        if all(list(misfits(value, one)) for one in schema["anyOf"]):
            yield f"{place}: {value!r} is none of {schema['anyOf']}"
        return
    kind = schema.get("type")
    if kind == "object":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        if not isinstance(value, dict):
            yield f"{place}: {value!r} is no object"
            return
        for name in set(schema.get("required", ())) - value.keys():
            yield f"{place}.{name} is missing"
        for name, inner in value.items():
            if properties and name not in properties:
                yield f"{place}.{name} is not described"
            yield from misfits(inner, properties.get(name, others), f"{place}.{name}")
    elif kind == "array":
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no array"
            return
        fixed = schema.get("prefixItems", [])
        for index, inner in enumerate(value):
            item = fixed[index] if index < len(fixed) else schema.get("items", {})
            yield from misfits(inner, item, f"{place}[{index}]")
    elif kind is not None and (not isinstance(value, PLAIN[kind]) or (kind != "boolean" and value is True)):
        yield f"{place}: {value!r} is no {kind}"


def check(address: str) -> dict[str, Any]:
    """Hold the views of a node against its document; return its status."""
    document = get(address, "/openapi.json")
    for path in VIEWS:
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["properties"], path
        assert list(misfits(get(address, path), schema, path)) == []
    ids = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids)) == len(VIEWS) + 2
    status: dict[str, Any] = get(address, "/status")
    return status


def test_the_check_finds_what_is_wrong() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}
    assert len(list(misfits({"a": "1", "c": 2}, schema))) == 3
    assert list(misfits([1, "x"], {"type": "array", "items": {"type": "integer"}}))
    assert not list(misfits(None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}))


def test_a_master_its_slave_and_an_application_answer_as_they_are_described() -> None:
    with LocalCluster(workers=1) as cluster:
        cluster.submit(pow, 2, 3).result(TIMEOUT_S)
        held = cluster.submit(pow, 2, 3)
        env = Environment(overrides={"application.master": cluster.address}, variables={})
        env.register(Idle)
        application = env[Idle]
        application.start()
        try:
            wait_until(lambda: application.client.state == "joined", "the application joins")
            status = check(cluster.address)
            assert status["tasks"]["slaves"]
            assert len(status["tasks"]["owners"]) == 2
            assert {node["type"] for node in status["nodes"]} == {"slave", "application"}
            check(application.api_service_v1.address)
        finally:
            application.stop()
        (port,) = [node["port"] for node in status["nodes"] if node["type"] == "slave"]
        slave = check(f"127.0.0.1:{port}")
        assert slave["workers"]["done"] >= 1
        held.result(TIMEOUT_S)


class Talkative(MasterNode):
    """Says more of itself than the framework does."""

    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "mine": 7}


def test_what_a_node_of_a_plugin_adds_is_answered_and_read() -> None:
    env = Environment(overrides={"master.port": "0"}, variables={})
    env.register(Talkative)
    master = env[Talkative]
    master.start()
    try:
        answer = get(master.api_service_v1.address, "/status")
        assert b"No slave has joined" in fetch(master.api_service_v1.address, "/").body
    finally:
        master.stop()
    assert answer["mine"] == 7
    assert MasterStatus.from_json(answer).more == {"mine": 7}
