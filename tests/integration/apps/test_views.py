"""What nodes answer at their views is what their OpenAPI document says, all of it and nothing more."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from concurrent.apps import ApplicationNode, LocalCluster, MasterNode
from concurrent.apps.status import MasterStatus
from concurrent.core import Environment
from tests.local import Fetched, fetch
from tests.system.cluster import wait_until

TIMEOUT_S = 20.0
VIEWS = ("/ping", "/status", "/stats")
METHODS: dict[str, tuple[Any, ...]] = dict.fromkeys(
    ("now", "progress", "tasks", "jobs", "workers", "failures", "timeline", "series", "changes", "drains"), ()
)
HELD_S = 60.0
ENDED = "concurrent_tasks_ended"
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
    assert len(ids) == len(set(ids)) >= len(VIEWS) + 2
    status: dict[str, Any] = get(address, "/status")
    return status


def check_methods(address: str, args_by_method: Mapping[str, tuple[Any, ...]]) -> None:
    """Hold what methods of a master return against what its document says of them."""
    schemas = get(address, "/openapi.json")["components"]["schemas"]
    for method, args in args_by_method.items():
        schema = schemas[schemas[f"call_{method}"]["x-result"]["$ref"].rpartition("/")[2]]
        call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(args)}).encode()
        answer = json.loads(fetch(address, "/api/1", call, {"Content-Type": "application/json"}).body)
        assert schema["properties"], method
        assert list(misfits(answer["result"], schema, method)) == []


def tasks_of(address: str, state: str) -> list[str]:
    """Return how tasks in a state are named, once there are some."""
    call = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tasks", "params": [state]}).encode()

    def items() -> list[Any]:
        answer = json.loads(fetch(address, "/api/1", call, {"Content-Type": "application/json"}).body)
        return list(answer["result"]["items"])

    wait_until(items, f"a task is {state}")
    return [f"{one['job']}/{one['id']}" for one in items()]


def check_metrics(fetched: Fetched) -> None:
    """Read metrics as Prometheus does, and find in them what was done."""
    assert fetched.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {one.name: one for one in text_string_to_metric_families(fetched.body.decode())}
    assert all(one.documentation for one in families.values())
    assert {one.type for one in families.values()} == {"gauge", "counter"}
    ended = {(one.labels["function"], one.labels["state"]): one.value for one in families[ENDED].samples}
    assert ended["pow", "finished"] == 1.0
    assert ended["divmod", "failed"] == 1.0
    assert {one.labels["state"]: one.value for one in families["concurrent_workers"].samples} == {
        "busy": 1.0,
        "idle": 0.0,
    }


def test_the_check_finds_what_is_wrong() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a", "b"]}
    assert len(list(misfits({"a": "1", "c": 2}, schema))) == 3
    assert list(misfits([1, "x"], {"type": "array", "items": {"type": "integer"}}))
    assert not list(misfits(None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}))


def test_a_master_its_slave_and_an_application_answer_as_they_are_described() -> None:
    with LocalCluster(workers=1) as cluster:
        cluster.submit(pow, 2, 3).result(TIMEOUT_S)
        with pytest.raises(ZeroDivisionError):
            cluster.submit(divmod, 1, 0).result(TIMEOUT_S)
        held = cluster.submit(time.sleep, HELD_S)
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
            (running,) = tasks_of(cluster.address, "running")
            slave = status["tasks"]["slaves"][0]["name"]
            check_metrics(fetch(cluster.address, "/metrics"))
            check_methods(
                cluster.address,
                {
                    **METHODS,
                    **dict.fromkeys(("task", "output", "explain"), (running,)),
                    **dict.fromkeys(("drain", "resume"), (slave,)),
                    **dict.fromkeys(("retry_tasks", "cancel_tasks"), ([running],)),
                },
            )
        finally:
            application.stop()
        (port,) = [node["port"] for node in status["nodes"] if node["type"] == "slave"]
        slave = check(f"127.0.0.1:{port}")
        assert slave["workers"]["done"] >= 1
        held.cancel()


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
        assert b"No slave has joined" in fetch(master.api_service_v1.address, "/workers").body
    finally:
        master.stop()
    assert answer["mine"] == 7
    assert MasterStatus.from_json(answer).more == {"mine": 7}
