"""The documents that describe a JSON API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Literal, Optional, TypedDict

import pytest

from concurrent.transport.calls.methods import MethodRegistry
from concurrent.transport.security.roles import OBSERVERS, Role
from concurrent.transport.web.openapi import openapi_document, openrpc_document, schema_of, security_schemes


def register_slave(request: Any, node_id: str, port: int, data: dict[str, Any] | None = None) -> bool:
    """Register a slave.

    It may then be given tasks.
    """
    return True


@pytest.fixture
def methods() -> MethodRegistry:
    registry = MethodRegistry()
    registry.register(register_slave, roles=["slave"])
    registry.register(lambda request, *values, **options: None, "any thing")
    registry.register(lambda request, x=print: None, "any_thing")
    return registry


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (int, {"type": "integer"}),
        (None, {"type": "null"}),
        (Any, {}),
        (object, {}),
        (list, {"type": "array"}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (tuple[int, str], {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Optional[bool], {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),  # noqa: UP045
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Future[int], {"type": "integer"}),
        (Iterator[int], {"type": "array", "items": {"type": "integer"}}),
        (Callable[[int], int], {}),
        ([], {}),
    ],
)
def test_a_hint_has_a_schema(hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint) == schema


class Answer(TypedDict):
    """What a view answers."""

    name: str
    rows: list[int]


class Longer(Answer, total=False):
    more: bool


def test_a_dictionary_with_known_keys_has_a_schema_of_its_own() -> None:
    schema = schema_of(Longer)
    assert (schema["title"], schema["type"], schema["required"]) == ("Longer", "object", ["name", "rows"])
    assert schema["properties"]["rows"] == {"type": "array", "items": {"type": "integer"}}
    assert schema["properties"]["more"] == {"type": "boolean"}


def test_views_have_the_schema_of_their_answer_and_each_operation_a_name(methods: MethodRegistry) -> None:
    docs = {"/ping": "Lives.", "/own/view": "A plug-in's."}
    paths = openapi_document("A node", "/api/1", methods, docs, {"/ping": Answer})["paths"]
    answer = paths["/ping"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer["title"] == "Answer"
    ids = [one["operationId"] for path in paths.values() for one in path.values()]
    assert sorted(ids) == ["call", "describe_methods", "get_own_view", "get_ping"]


def test_a_method_has_a_schema_with_its_name_parameters_and_doc(methods: MethodRegistry) -> None:
    document = openapi_document("A node", "/api/1", methods, {"/ping": "Lives."})
    call = document["components"]["schemas"]["call_register_slave"]
    assert call["properties"]["method"] == {"const": "register_slave"}
    assert call["description"].startswith("Register a slave.")
    named, positional = call["properties"]["params"]["anyOf"]
    assert named["required"] == ["node_id", "port"]
    assert named["properties"]["port"] == {"type": "integer"}
    assert named["properties"]["data"]["default"] is None
    assert (positional["minItems"], positional["maxItems"]) == (2, 3)


def test_every_reference_in_the_document_leads_somewhere(methods: MethodRegistry) -> None:
    document = openapi_document("A node", "/api/1", methods, {"/ping": "Lives.", "/stats": "Counts."})
    assert set(document["paths"]) == {"/ping", "/stats", "/api/1"}
    schemas = document["components"]["schemas"]
    found = set(references(document))
    assert found
    assert found <= {f"#/components/schemas/{name}" for name in schemas}


def test_each_operation_says_by_which_ways_and_for_whom(methods: MethodRegistry) -> None:
    ways = security_schemes("concurrent-office-8750")
    assert {name: one["type"] for name, one in ways.items()} == {
        "token": "http", "cookie": "apiKey", "certificate": "mutualTLS",
    }  # fmt: skip
    roles = {"/ping": Role, "/stats": OBSERVERS, "/api/1": OBSERVERS}
    docs = {"/ping": "Lives.", "/stats": "Counts."}
    document = openapi_document(
        "A node", "/api/1", methods, docs, roles_by_path=roles, ways=ways, anybodys=("/ping",)
    )
    assert document["components"]["securitySchemes"] == ways
    operations = {(path, verb): one for path, all_ in document["paths"].items() for verb, one in all_.items()}
    assert len(operations) == 4
    for (path, _), one in operations.items():
        demanded = [{"token": []}, {"cookie": []}, {"certificate": []}]
        assert one["security"] == [*demanded, *([{}] if path == "/ping" else [])]
    assert operations["/stats", "get"]["x-roles"] == ["admin", "master", "observe", "submit"]
    assert operations["/api/1", "post"]["x-roles"] == ["admin", "master", "slave"]  # of any method
    methods_document = openrpc_document("A node", methods, ways=ways)
    assert methods_document["x-security-schemes"] == ways
    assert all(len(one["x-security"]) == 3 for one in methods_document["methods"])


def test_where_all_are_let_in_no_security_is_named(methods: MethodRegistry) -> None:
    text = str(
        [openapi_document("A node", "/api/1", methods, {"/ping": ""}), openrpc_document("A node", methods)]
    )
    assert "security" not in text


def test_names_that_openapi_forbids_stay_distinct(methods: MethodRegistry) -> None:
    schemas = openapi_document("A node", "/api/1", methods, {})["components"]["schemas"]
    assert {"call_any_thing", "call_any_thing_2"} <= set(schemas)
    assert schemas["call_any_thing"]["properties"]["params"]["anyOf"][0]["additionalProperties"] is True


def test_a_hint_that_cannot_be_resolved_allows_anything() -> None:
    def odd(request: Any, x: Absent) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Take anything."""

    registry = MethodRegistry()
    registry.register(odd)
    (method,) = openrpc_document("A node", registry)["methods"]
    assert method["params"] == [{"name": "x", "required": True, "schema": {}}]


def test_the_openrpc_document_lists_methods(methods: MethodRegistry) -> None:
    document = openrpc_document("A node", methods)
    first = document["methods"][0]
    assert (document["openrpc"], first["name"], first["summary"]) == (
        "1.3.2",
        "register_slave",
        "Register a slave.",
    )
    assert first["result"]["schema"] == {"type": "boolean"}
    assert [one["x-roles"] for one in document["methods"][:2]] == [
        ["admin", "master", "slave"],
        ["admin", "master"],
    ]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
