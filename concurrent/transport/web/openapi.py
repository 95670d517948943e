"""Documents that describe a JSON API for tools, made from what is registered.

:func:`openapi_document` after OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0) and
:func:`openrpc_document` after OpenRPC 1.3 (https://spec.open-rpc.org). Schemas of arguments and results
come from type hints; what has none may be anything.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import types
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, Final

from concurrent.core.status import Status, hints_of, part_of
from concurrent.transport.calls.methods import Method
from concurrent.transport.security.roles import Role
from concurrent.transport.web.answers import JSON_TYPE

__all__ = ["openapi_document", "openrpc_document", "schema_of", "security_schemes"]

API_VERSION: Final = "1"

Schema = dict[str, Any]

_SCHEMA_BY_TYPE: Final[dict[Any, Schema]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    None: {"type": "null"},
    type(None): {"type": "null"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    dict: {"type": "object"},
}
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def schema_of(hint: Any) -> Schema:
    """Return the JSON Schema of a type hint; that of a type without JSON form allows anything."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if (record := _record_schema(hint)) is not None:
        return record
    if origin is None or not args:
        return dict(_SCHEMA_BY_TYPE.get(origin or hint, {})) if _is_hashable(hint) else {}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(arg) for arg in args]}
    if origin is typing.Literal:
        return {"enum": list(args)}
    if origin is typing.Annotated or origin is Future:
        return schema_of(args[0])
    if origin is tuple and not (len(args) == 2 and args[1] is Ellipsis):
        return {"type": "array", "prefixItems": [schema_of(arg) for arg in args]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": schema_of(args[-1])}
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return {"type": "array", "items": schema_of(args[0])}
    return {}


def _record_schema(hint: Any) -> Schema | None:
    """Return the schema of a dictionary with known keys, None for any other type."""
    record = hint
    hints: Mapping[str, Any]
    required: Iterable[str]
    if typing.is_typeddict(hint):
        hints, required = typing.get_type_hints(hint), hint.__required_keys__
    elif isinstance(hint, type) and issubclass(hint, Status):
        required = hints = hints_of(hint)
    elif (part := part_of(hint)) is not None:  # {} while it is not there
        record, hints, required = part, hints_of(part), ()
    else:
        return None
    return {
        "title": record.__name__,
        "description": inspect.cleandoc(record.__doc__ or ""),
        "type": "object",
        "properties": {name: schema_of(hint) for name, hint in hints.items()},
        "required": sorted(required),
    }


def security_schemes(cookie: str) -> dict[str, Any]:
    """Return the ways by which a node knows who asks, as OpenAPI describes them, by their names.

    :param cookie: the name of the cookie of browsers.
    """
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "ct1.BODY.SIGNATURE",
            "description": "A token, as 'concurrent keys token ROLE' prints it.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": cookie,
            "description": "The login of a browser; 'concurrent open' begins one.",
        },
        "certificate": {
            "type": "mutualTLS",
            "description": "The certificate of a member; 'concurrent join LINE' gets one.",
        },
    }


def openrpc_document(
    title: str, methods: Iterable[Method], *, ways: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the OpenRPC document of some methods, each of them ``f(request, ...)``.

    That format says nothing of security, so the schemes and who may call are in fields of our own.

    :param ways: the security schemes, of which each method takes any.
    """
    return {
        "openrpc": "1.3.2",
        "info": {"title": title, "version": API_VERSION},
        "methods": [{**_openrpc_method(method), **_secured(ways, "x-security")} for method in methods],
        **({"x-security-schemes": dict(ways)} if ways else {}),
    }


def openapi_document(  # noqa: PLR0913  what there is to describe, by name
    title: str,
    rpc_path: str,
    methods: Iterable[Method],
    doc_by_view: Mapping[str, str],
    answer_by_view: Mapping[str, Any] = MappingProxyType({}),
    *,
    type_by_view: Mapping[str, str] = MappingProxyType({}),
    roles_by_path: Mapping[str, Iterable[Role]] = MappingProxyType({}),
    ways: Mapping[str, Any] = MappingProxyType({}),
    anybodys: Collection[str] = (),
) -> dict[str, Any]:
    """Return the OpenAPI document of an API.

    The schema of the call of a method names that of its result in ``x-result``.

    :param rpc_path: where JSON-RPC requests are posted.
    :param methods: what can be called there, each of them ``f(request, ...)``.
    :param doc_by_view: what else can be got, as path and description.
    :param answer_by_view: the types of what is got there, or their full names; one that is missing may be
        anything.
    :param type_by_view: the content types of what is not JSON.
    :param roles_by_path: who may get what, in ``x-roles``.
    :param ways: the security schemes, of which each operation takes any; none are needed if there are none.
    :param anybodys: paths that answer those too who are not known.
    """
    methods = list(methods)
    schemas: dict[str, Schema] = dict(_ENVELOPE_SCHEMAS)
    calls = [{"$ref": f"#/components/schemas/{_add_method(method, schemas)}"} for method in methods]
    request_schema: Schema = {"anyOf": calls} if calls else {"$ref": "#/components/schemas/Call"}
    operations: dict[str, dict[str, Any]] = {
        path: {
            "get": _get(
                f"get{_UNFIT.sub('_', path)}",
                doc,
                schema_of(_imported(answer_by_view.get(path, Any))),
                type_by_view.get(path, JSON_TYPE),
            )
        }
        for path, doc in doc_by_view.items()
    }
    operations[rpc_path] = {
        "get": _get("describe_methods", "The methods, as an OpenRPC document.", {"type": "object"}),
        "post": _post(request_schema),
    }
    for path, by_verb in operations.items():
        for verb, one in by_verb.items():
            roles = roles_by_path.get(path, ()) if verb == "get" else _callers(methods)
            one |= {**({"x-roles": sorted(roles)} if roles else {}), **_secured(ways, anybody=path in anybodys)}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": API_VERSION},
        "paths": operations,
        "components": {"schemas": schemas, **({"securitySchemes": dict(ways)} if ways else {})},
    }


def _add_method(method: Method, schemas: dict[str, Schema]) -> str:
    """Add the schemas of a call of a method and of what it returns; return the name of the first."""
    name = _component_name(f"call_{method.name}", schemas)
    schemas[name] = _call_schema(method)
    result = _result_schema(method)
    if result:
        answer = _component_name(f"result_{method.name}", schemas)
        schemas[answer] = result
        schemas[name]["x-result"] = {"$ref": f"#/components/schemas/{answer}"}
    return name


def _callers(methods: Iterable[Method]) -> frozenset[Role]:
    """Return who may call any of the methods; what each one demands is in its schema."""
    return frozenset(role for method in methods for role in method.roles)


def _secured(ways: Iterable[str], field: str = "security", *, anybody: bool = False) -> dict[str, Any]:
    """Return the field that says by which ways somebody has to be known, if there are any."""
    demanded: list[dict[str, list[str]]] = [{way: []} for way in ways]
    return {field: [*demanded, *([{}] if anybody else [])]} if demanded else {}


_ENVELOPE_SCHEMAS: Final[dict[str, Schema]] = {
    "Call": {
        "type": "object",
        "required": ["jsonrpc", "method"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {"type": "string"},
            "params": {"anyOf": [{"type": "array", "items": {}}, {"type": "object"}]},
            "id": {"type": ["string", "number", "null"]},
        },
    },
    "Answer": {
        "type": "object",
        "required": ["jsonrpc", "id"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": ["string", "number", "null"]},
            "result": {},
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "integer"},
                    "message": {"type": "string"},
                    "data": {"$ref": "#/components/schemas/Error"},
                },
            },
        },
    },
    "Error": {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "type": {"type": "string"},
            "message": {"type": "string"},
            "traceback": {"type": "string"},
            "data": {},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"$ref": "#/components/schemas/Error"}},
    },
}


def _get(operation_id: str, doc: str, answer: Schema, content_type: str = JSON_TYPE) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": _summary(doc),
        "description": doc,
        "responses": {"200": _content("The answer.", answer, content_type), "default": _PROBLEM},
    }


def _post(request_schema: Schema) -> dict[str, Any]:
    answer: Schema = {"$ref": "#/components/schemas/Answer"}
    return {
        "operationId": "call",
        "summary": "Call methods with JSON-RPC 2.0.",
        "requestBody": {
            "required": True,
            **_json_content({"anyOf": [request_schema, {"type": "array", "items": request_schema}]}),
        },
        "responses": {
            "200": _content(
                "The result or error of each call.", {"anyOf": [answer, {"type": "array", "items": answer}]}
            ),
            "204": {"description": "Nothing but notifications was sent."},
            "default": _PROBLEM,
        },
    }


def _json_content(schema: Schema, content_type: str = JSON_TYPE) -> dict[str, Any]:
    return {"content": {content_type: {"schema": schema}}}


def _content(description: str, schema: Schema, content_type: str = JSON_TYPE) -> dict[str, Any]:
    return {"description": description, **_json_content(schema, content_type)}


_PROBLEM: Final = _content("The request was not accepted.", {"$ref": "#/components/schemas/Problem"})


def _call_schema(method: Method) -> Schema:
    """Return the schema of a JSON-RPC request that calls the method."""
    parameters = _parameters(method)
    named: Schema = {
        "type": "object",
        "properties": {name: schema for name, kind, _needed, schema in parameters if kind not in _VARIADIC},
        "required": [name for name, _kind, is_needed, _schema in parameters if is_needed],
        "additionalProperties": any(
            kind is inspect.Parameter.VAR_KEYWORD for _name, kind, _needed, _schema in parameters
        ),
    }
    return {
        "title": method.name,
        "description": method.doc,
        "x-roles": sorted(method.roles),
        "type": "object",
        "required": ["jsonrpc", "method"] + (["params"] if named["required"] else []),
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "method": {"const": method.name},
            "params": {"anyOf": [named, _positional_schema(parameters)]},
            "id": {"type": ["string", "number", "null"]},
        },
    }


_Parameter = tuple[str, Any, bool, Schema]


def _positional_schema(parameters: Sequence[_Parameter]) -> Schema:
    fixed = [
        (is_needed, schema)
        for _name, kind, is_needed, schema in parameters
        if kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    ]
    schema: Schema = {"type": "array", "minItems": sum(is_needed for is_needed, _schema in fixed)}
    if fixed:
        schema["prefixItems"] = [item for _needed, item in fixed]
    if not any(kind is inspect.Parameter.VAR_POSITIONAL for _name, kind, _needed, _schema in parameters):
        schema["maxItems"] = len(fixed)
    return schema


def _parameters(method: Method) -> list[_Parameter]:
    """Return name, kind, whether it is needed, and schema of what a peer passes."""
    hints = _hints(method)
    found: list[_Parameter] = []
    for parameter in list(method.signature.parameters.values())[1:]:
        schema = schema_of(hints[parameter.name]) if parameter.name in hints else {}
        is_needed = parameter.default is parameter.empty and parameter.kind not in _VARIADIC
        if parameter.default is not parameter.empty and _is_json(parameter.default):
            schema["default"] = parameter.default
        found.append((parameter.name, parameter.kind, is_needed, schema))
    return found


def _openrpc_method(method: Method) -> dict[str, Any]:
    return {
        "name": method.name,
        "summary": _summary(method.doc),
        "description": method.doc,
        "x-roles": sorted(method.roles),
        "paramStructure": "either",
        "params": [
            {"name": name, "required": is_needed, "schema": schema}
            for name, kind, is_needed, schema in _parameters(method)
            if kind not in _VARIADIC
        ],
        "result": {"name": "result", "schema": _result_schema(method)},
    }


def _result_schema(method: Method) -> Schema:
    """Return the schema of what a method returns; one that says nothing allows anything."""
    return schema_of(_hints(method).get("return", Any))


def _hints(method: Method) -> dict[str, Any]:
    try:
        return typing.get_type_hints(method.function, localns=_later_types(method.function))
    except Exception:  # boundary: hints are code of others, and some exist for type checkers only
        return {}


def _later_types(function: Any) -> dict[str, Any]:
    """Return the types that a module imports for its documents only: of the modules in its ``TYPES_FROM``."""
    known: dict[str, Any] = {}
    for name in getattr(function, "__globals__", {}).get("TYPES_FROM", ()):
        known |= vars(importlib.import_module(name))
    return known


def _imported(answer: Any) -> Any:
    """Return a type that may be named by its module and its own name, to be imported for documents only."""
    if not isinstance(answer, str):
        return answer
    module, _, name = answer.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _component_name(name: str, taken: Mapping[str, Any]) -> str:
    """Return a name of only the characters that OpenAPI allows, and no other's."""
    base = _UNFIT.sub("_", name)
    candidate, number = base, 2
    while candidate in taken:
        candidate, number = f"{base}_{number}", number + 1
    return candidate


def _summary(doc: str) -> str:
    return doc.strip().partition("\n")[0]


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _is_hashable(value: Any) -> bool:
    return getattr(type(value), "__hash__", None) is not None
