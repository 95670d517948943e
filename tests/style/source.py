"""The Python files of the checkout, parsed once, for the tests of style beside this file."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("concurrent", "samples", "native", "benchmarks", "tests")
INSTALLED_AS = {"samples/": "concurrent.apps.samples.", "native/": "concurrent.core.native."}


@dataclass(frozen=True)
class Import:
    """One imported module, or one name taken from a module.

    :param module: the absolute dotted name of the module.
    :param name: what is taken from it; empty for ``import module``.
    :param is_for_types: whether it stands below ``if TYPE_CHECKING``.
    """

    module: str
    name: str
    line: int
    is_for_types: bool


@dataclass(frozen=True)
class Source:
    """A Python file.

    :param path: relative to the root of the checkout, with slashes.
    """

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def is_package(self) -> bool:
        """Whether the file is that of a package."""
        return self.path.endswith("/__init__.py")

    @property
    def module(self) -> str:
        """The dotted name that the file is imported as once installed."""
        path = self.path.removesuffix(".py").removesuffix("/__init__")
        for folder, package in INSTALLED_AS.items():
            if path.startswith(folder):
                path = package + path.removeprefix(folder)
        return path.replace("/", ".")

    @property
    def is_public(self) -> bool:
        """Whether no part of the module's name says that it is private."""
        return not any(part.startswith("_") for part in self.module.split("."))

    def is_below(self, *folders: str) -> bool:
        """Return whether the file is in one of the folders, or is one of the files."""
        return any(self.path == folder or self.path.startswith(f"{folder}/") for folder in folders)

    def imports(self) -> list[Import]:
        """Return what the file imports anywhere, also inside of functions."""
        for_types = {
            id(inner)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for child in node.body
            for inner in ast.walk(child)
        }
        found = []
        for node in ast.walk(self.tree):
            is_for_types = id(node) in for_types
            if isinstance(node, ast.Import):
                found += [Import(a.name, "", node.lineno, is_for_types) for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                found += [Import(module, a.name, node.lineno, is_for_types) for a in node.names]
        return found

    def exported(self) -> list[str] | None:
        """Return the names in ``__all__``, or None if the module has none."""
        for node in self.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign):
                targets = [node.target]
            if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
                return list(ast.literal_eval(node.value))
        return None

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.split(".")
        base = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*base, node.module] if node.module else base)


@functools.cache
def all_sources() -> tuple[Source, ...]:
    """Return each Python file of the checkout."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in sorted(_paths())
    )


def shipped_sources() -> tuple[Source, ...]:
    """Return the files that are no tests."""
    return tuple(source for source in all_sources() if not source.is_below("tests", "conftest.py"))


def _paths() -> Iterator[Path]:
    yield from ROOT.glob("*.py")
    for folder in FOLDERS:
        yield from (ROOT / folder).rglob("*.py")


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return each function and method, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
