"""Nodes name the declaration of what they tell each other, never the name that it has on the wire."""

from __future__ import annotations

import ast

import pytest

from tests.style.source import Source, shipped_sources

SENDING = ("cast", "cast_data", "call")
NODES = ("concurrent/scheduling", "concurrent/apps")


def named_by_text(source: Source) -> list[str]:
    """Return what sends or takes a message whose name is written as text."""
    problems = []
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "tcpremote":
            problems.append(f"{source.path}:{node.lineno}: take a declared message with receives()")
        if isinstance(node.func, ast.Attribute) and node.func.attr in SENDING:
            texts = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
            if any(isinstance(text, str) and len(text) > 1 for text in texts):
                problems.append(f"{source.path}:{node.lineno}: name the declaration instead of {texts[0]!r}")
    return problems


def test_messages_between_nodes_are_named_by_their_declaration() -> None:
    ours = [source for source in shipped_sources() if source.is_below(*NODES)]
    found = [problem for source in ours for problem in named_by_text(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "handler.cast('done', 1)",
        "self._courier.cast(slave.handler, 'cancel', [1])",
        "session.call('host_system')",
        "@tcpremote(endpoint)\ndef done(handler, request): ...",
    ],
)
def test_a_message_that_is_named_by_text_is_found(text: str) -> None:
    assert len(named_by_text(Source("concurrent/scheduling/bad.py", text))) == 1


@pytest.mark.parametrize("text", ["handler.cast(to_master.done, 'x')", "view.cast('B')", "loop.call(f)"])
def test_other_calls_are_allowed(text: str) -> None:
    assert named_by_text(Source("concurrent/scheduling/good.py", text)) == []
