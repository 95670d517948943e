"""Every public module, class, function and method says what it is for."""

from __future__ import annotations

import ast

import pytest

from tests.style.source import Source, shipped_sources

SPARED_DECORATORS = ("overload", "setter", "deleter")

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def undocumented(source: Source) -> list[str]:
    """Return what is public and has no docstring; nested functions and private classes are spared."""
    problems = [] if ast.get_docstring(source.tree) else [f"{source.path}: no docstring"]
    ahead: list[tuple[str, ast.Module | ast.ClassDef]] = [("", source.tree)]
    while ahead:
        prefix, parent = ahead.pop(0)
        for node in parent.body:
            if not isinstance(node, Documented) or not _is_public(node):
                continue
            if not ast.get_docstring(node):
                problems.append(f"{source.path}:{node.lineno}: {prefix}{node.name} has no docstring")
            if isinstance(node, ast.ClassDef):
                ahead.append((f"{prefix}{node.name}.", node))
    return problems


def _is_public(node: Documented) -> bool:
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    is_spared = any(decorator.endswith(SPARED_DECORATORS) for decorator in decorators)
    return not node.name.startswith("_") and not is_spared


def test_everything_public_has_a_docstring() -> None:
    found = [problem for source in shipped_sources() for problem in undocumented(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        '"""Doc."""\ndef bare(): pass',
        '"""Doc."""\nasync def bare(): pass',
        '"""Doc."""\nclass Bare: pass',
        '"""Doc."""\nclass Good:\n    """Doc."""\n    def bare(self): pass',
    ],
)
def test_a_missing_docstring_is_found(text: str) -> None:
    assert len(undocumented(Source("concurrent/core/bad.py", text))) == 1


def test_private_and_nested_names_are_spared() -> None:
    text = (
        '"""Doc."""\nclass _Hidden:\n    def bare(self): pass\n'
        'def outer():\n    """Doc."""\n    def inner(): pass\n'
    )
    assert undocumented(Source("concurrent/core/good.py", text)) == []
