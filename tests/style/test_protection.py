"""Every server and client of a node says what protects it: whoever says nothing may be anybody's."""

from __future__ import annotations

import ast

from tests.style.source import shipped_sources

ENDPOINTS = frozenset({
    "JSONClient", "JSONService", "NodeConnection", "TCPClient", "TCPServer", "TCPServerZMQ", "ZMQClient",
    "make_client", "make_server",
})  # fmt: skip
NODES = ("concurrent/apps/", "concurrent/scheduling/")


def unprotected(tree: ast.Module) -> list[int]:
    """Return the lines that make a server or client without saying what protects it."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_unprotected(node)]


def _is_unprotected(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    said = {keyword.arg: keyword.value for keyword in call.keywords}
    protection = said.get("protection")
    is_none = isinstance(protection, ast.Constant) and protection.value is None
    return name in ENDPOINTS and (protection is None or is_none)


def test_calls_that_say_nothing_are_found() -> None:
    lines = (
        "JSONClient(host, port)",
        "factory.make_server(loop, host, port, protection=None)",
        "factory.make_server(loop, host, port, protection=self.protection)",
        "make(host)",
    )
    assert unprotected(ast.parse("\n".join(lines))) == [1, 2]


def test_every_node_says_what_protects_its_connections() -> None:
    files = [one for one in shipped_sources() if one.path.startswith(NODES)]
    assert any("make_server(" in one.text for one in files)
    assert [f"{one.path}:{line}" for one in files for line in unprotected(one.tree)] == []
